/** The rows of the matrix of signers, in the order in which they are asked. */
export const SIGNER_CELLS = [
  "wrong secret",
  "connect",
  "get_public_key",
  "sign_event",
  "ping",
  "nip44_encrypt",
  "nip44_decrypt",
  "nip04_encrypt",
  "nip04_decrypt",
  "empty plaintext",
  "switch_relays",
  "other relays",
  "unknown method",
  "denied method",
  "spent secret",
  "second connect",
  "restored session",
  "relay restarts",
  "relay dies",
  "logout",
] as const

export type SignerCell = (typeof SIGNER_CELLS)[number]
