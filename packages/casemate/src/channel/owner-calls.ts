/**
 * What an owner may ask of keyd over its unix socket: one JSON object a line, `{id, call, args}`, answered
 * by `{id, ok: true, result}` or `{id, ok: false, message}`.
 */

export interface KeyInfo {
  readonly name: string
  readonly pubkey: string
  readonly createdAt: number
}

/** A connection as owners see it; no secret, no sealed key. */
export interface AppInfo {
  readonly id: string
  readonly status: "offered" | "active" | "paused" | "revoked" | "logged_out" | "expired"
  readonly name: string
  readonly url: string | undefined
  readonly clientPubkey: string | undefined
  readonly remoteSignerPubkey: string
  readonly userPubkey: string
  readonly key: string
  readonly relays: readonly string[]
  readonly perms: readonly string[]
  readonly requestedPerms: string
  readonly createdAt: number
  readonly lastUsedAt: number | undefined
}

export interface OfferInfo {
  readonly id: string
  readonly uri: string
  readonly relays: readonly string[]
  readonly userPubkey: string
  /** Unix seconds. */
  readonly expiresAt: number
}

export interface StatusInfo {
  readonly relays: readonly string[]
  readonly http: string | undefined
  readonly ignored: Readonly<Record<string, number>>
}

/** Each call with its args and its result. */
export interface OwnerCalls {
  status: { args: Record<never, never>; result: StatusInfo }
  "keys.list": { args: Record<never, never>; result: readonly KeyInfo[] }
  "keys.generate": { args: { name: string }; result: KeyInfo }
  /** Refuses a name that cannot be a new key's, before anybody types a secret for it. */
  "keys.check": { args: { name: string }; result: Record<never, never> }
  /** `secretKey`: nsec or 64 hex digits. */
  "keys.add": { args: { name: string; secretKey: string }; result: KeyInfo }
  "apps.list": { args: Record<never, never>; result: readonly AppInfo[] }
  "apps.show": { args: { id: string }; result: AppInfo }
  "apps.revoke": { args: { id: string }; result: AppInfo }
  /** `ttl` in seconds; `perms` as `method[:param]`, comma-separated; no `key` means the only or first one. */
  "connections.offer": {
    args: { key?: string; perms?: string; ttl: number; relays?: readonly string[] }
    result: OfferInfo
  }
  /** Answered when an app has redeemed the token, or with an error when it can no longer be redeemed. */
  "connections.wait": { args: { id: string }; result: AppInfo }
}

export type OwnerCall = keyof OwnerCalls

export interface OwnerRequest {
  readonly id: number
  readonly call: OwnerCall
  readonly args: unknown
}

export type OwnerResponse =
  | { readonly id: number; readonly ok: true; readonly result: unknown }
  | { readonly id: number; readonly ok: false; readonly message: string }
