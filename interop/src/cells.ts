/** The rows of the matrix, in the order in which they are asked. */
export const CELLS = [
  "connect",
  "get_public_key",
  "sign_event",
  "ping",
  "nip44_encrypt",
  "nip44_decrypt",
  "nip04_encrypt",
  "nip04_decrypt",
  "switch_relays",
  "unknown method",
  "denied method",
  "spent secret",
  "second connect",
  "relay restarts",
  "relay dies",
  "logout",
] as const

export type Cell = (typeof CELLS)[number]
