/**
 * What an owner may ask of keyd over its unix socket: one JSON object a line, `{id, call, args}`, answered
 * by `{id, ok: true, result}` or `{id, ok: false, message}`.
 */

import type { RelayFailure } from "./gateway-channel.js"

export interface KeyInfo {
  readonly name: string
  readonly pubkey: string
  readonly createdAt: number
}

/** What stands or falls with a key. */
export interface KeyUses extends KeyInfo {
  /** Apps that sign with it now. */
  readonly apps: number
  /** Tokens for it that nobody has taken yet. */
  readonly tokens: number
  /** The bunker holds no other. */
  readonly isLast: boolean
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
  /** It may encrypt its messages with NIP-04. */
  readonly nip04Transport: boolean
  /** Its messages that were dropped since keyd started because they came in NIP-04. */
  readonly nip04Dropped: number
  readonly createdAt: number
  readonly lastUsedAt: number | undefined
}

export interface OfferInfo {
  readonly id: string
  readonly uri: string
  readonly relays: readonly string[]
  /** All relays, with the reasons, when none of them can be reached at the moment. */
  readonly unreachable: readonly RelayFailure[]
  readonly userPubkey: string
  /** Unix seconds. */
  readonly expiresAt: number
}

/** What an app that shows a nostrconnect:// token would get. */
export interface PreviewInfo {
  readonly name: string
  readonly url: string | undefined
  readonly clientPubkey: string
  /** Where it is met. */
  readonly relays: readonly string[]
  /** Relays of the token that are not dialled. */
  readonly refusedRelays: readonly { readonly url: string; readonly why: string }[]
  /** Where the owner wants to serve it; the app learns them when it asks switch_relays. */
  readonly movesTo: readonly string[]
  /** As the app wrote it. */
  readonly requestedPerms: string
  readonly perms: readonly string[]
  /** What it asks for beyond that. */
  readonly notGranted: readonly string[]
  readonly key: string
  readonly userPubkey: string
}

export interface AcceptInfo extends AppInfo {
  /** False: this token was accepted before, and nothing was changed. */
  readonly isNew: boolean
}

/** A request as the audit has it. */
export interface RequestInfo {
  readonly action: string
  readonly param: string | undefined
  readonly verdict: "allow" | "ask" | "deny"
  readonly why: string
}

export interface StatusInfo {
  readonly relays: readonly string[]
  readonly http: string | undefined
  readonly ignored: Readonly<Record<string, number>>
}

export interface AcceptArgs {
  readonly uri: string
  readonly key?: string
  readonly perms?: string
  readonly relays?: readonly string[]
  readonly allowPrivateRelays?: boolean
}

/** Each call with its args and its result. */
export interface OwnerCalls {
  status: { args: Record<never, never>; result: StatusInfo }
  "keys.list": { args: Record<never, never>; result: readonly KeyInfo[] }
  "keys.generate": { args: { name: string }; result: KeyInfo }
  /** Refuses a name that cannot be a new key's, before anybody types a secret for it. */
  "keys.check": { args: { name: string }; result: Record<never, never> }
  /** `secretKey`: nsec, 64 hex digits, or ncryptsec with its `passphrase`. */
  "keys.add": { args: { name: string; secretKey: string; passphrase?: string }; result: KeyInfo }
  /** `key` here and below: its name or pubkey. */
  "keys.uses": { args: { key: string }; result: KeyUses }
  /** `logN`: the cost of each guess at the passphrase, 16 to 22 (NIP-49 LOG_N); 18 unless told. Takes seconds. */
  "keys.export": {
    args: { key: string; passphrase: string; logN?: number }
    result: KeyInfo & { readonly ncryptsec: string }
  }
  /** `confirm`: the name of the key, as its owner typed it for this. */
  "keys.exportPlain": { args: { key: string; confirm: string }; result: KeyInfo & { readonly nsec: string } }
  "keys.rename": { args: { key: string; name: string }; result: KeyInfo }
  /** Revokes the apps that sign with it. `revoked`: how many connections, unused tokens included. */
  "keys.remove": { args: { key: string }; result: KeyInfo & { readonly revoked: number } }
  "apps.list": { args: Record<never, never>; result: readonly AppInfo[] }
  "apps.show": { args: { id: string }; result: AppInfo }
  "apps.revoke": { args: { id: string }; result: AppInfo }
  "apps.nip04": { args: { id: string; allowed: boolean }; result: AppInfo }
  /** `ttl` in seconds; `perms` as `method[:param]`, comma-separated; no `key` means the only or first one. */
  "connections.offer": {
    args: { key?: string; perms?: string; ttl: number; relays?: readonly string[] }
    result: OfferInfo
  }
  /** Answered when an app has redeemed the token, or with an error when it can no longer be redeemed. */
  "connections.wait": { args: { id: string }; result: AppInfo }
  /**
   * `uri`: a nostrconnect:// token; no `perms` means what it requests as far as an app gets it by default. `relays`:
   * where to serve it; its own when none is named. The same args for both: shown first, then done.
   */
  "connections.preview": { args: AcceptArgs; result: PreviewInfo }
  "connections.accept": { args: AcceptArgs; result: AcceptInfo }
  /** Answered once the app has asked anything, or with an error when it has not for 75 s. */
  "connections.firstRequest": { args: { id: string }; result: { app: AppInfo; request: RequestInfo | undefined } }
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
