/** NIP-46 §Methods/Commands. */
export const METHODS = [
  "connect",
  "sign_event",
  "ping",
  "get_public_key",
  "nip04_encrypt",
  "nip04_decrypt",
  "nip44_encrypt",
  "nip44_decrypt",
  "switch_relays",
  "logout",
] as const

export type Method = (typeof METHODS)[number]

export function isMethod(value: string): value is Method {
  return (METHODS as readonly string[]).includes(value)
}

/** Methods that every connected client may call: they use no user key and tell nothing but the user-pubkey. */
export const FREE_METHODS = ["connect", "ping", "get_public_key", "switch_relays", "logout"] as const satisfies Method[]

export type FreeMethod = (typeof FREE_METHODS)[number]

export function isFreeMethod(method: Method): method is FreeMethod {
  return (FREE_METHODS as readonly string[]).includes(method)
}
