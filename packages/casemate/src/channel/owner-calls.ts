/**
 * What an owner may ask of keyd over its unix socket: one JSON object a line, `{id, call, args}`, answered
 * by `{id, ok: true, result}` or `{id, ok: false, message}`.
 */

import type { RelayFailure } from "./gateway-channel.js"

/** What becomes of what an app may not do: its owner is asked, with or without a page for the app to show, or not. */
export type ApprovalStyle = "auth_url" | "hold" | "deny"

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

/** At most `uses` in any `seconds`. */
export interface RateInfo {
  readonly uses: number
  readonly seconds: number
}

/** What a request must also be for a grant to cover it. */
export interface ConditionsInfo {
  readonly counterparties?: readonly string[]
  readonly tags?: readonly (readonly [name: string, value: string])[]
  readonly host?: string
  readonly action?: string
  readonly dPrefix?: string
  readonly maxContentBytes?: number
  /** Exactly what an owner was asked, by its digest. */
  readonly ask?: string
}

/** What an app may do, or may never. */
export interface GrantInfo {
  readonly id: string
  readonly method: string
  readonly param: string | undefined
  readonly effect: "allow" | "deny"
  /** Unix seconds; undefined: until it is taken back. */
  readonly expiresAt: number | undefined
  /** Undefined: unlimited. 0: used up. */
  readonly usesLeft: number | undefined
  readonly rate: RateInfo | undefined
  readonly conditions: ConditionsInfo
}

/** A ready answer to "what may this app do?". */
export interface PresetInfo {
  readonly name: string
  readonly summary: string
  readonly perms: readonly string[]
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
  /** What it may do now, each once; under which limits, `grants` says. */
  readonly perms: readonly string[]
  readonly grants: readonly GrantInfo[]
  /** What becomes of what it is not granted. */
  readonly style: ApprovalStyle
  /** When its session ends, in unix seconds; undefined: when it is revoked. */
  readonly expiresAt: number | undefined
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

/** A request that no grant covers, with those that are one prompt with it: what "always" would cover is the same. */
export interface RequestSummary {
  /** Of the oldest of them. */
  readonly id: string
  /** How many they are. */
  readonly count: number
  readonly app: { readonly id: string; readonly name: string }
  readonly key: string
  readonly method: string
  /** The kind for `sign_event`, the counterparty for encrypt and decrypt. */
  readonly param: string | undefined
  /** `expired`: its app was told that nobody decided; a decision serves it when it asks again. */
  readonly state: "pending" | "expired"
  /** Unix seconds, both. */
  readonly askedAt: number
  readonly deadline: number
}

/** Of an event that was signed. */
export interface SignedInfo {
  readonly content: string
  readonly tags: readonly (readonly string[])[]
  /** Unix seconds. */
  readonly createdAt: number
}

/** What one asks for, opened for its owner. */
export interface RequestDetail extends RequestSummary {
  /** Of exactly what is shown: a decision gives it back. 64 hex digits. */
  readonly digest: string
  readonly userPubkey: string
  /** What an approval for a time or always covers. */
  readonly scope: Pick<GrantInfo, "method" | "param" | "conditions">
  readonly asks:
    | {
        readonly method: "sign_event"
        readonly kind: number
        readonly content: string
        readonly tags: readonly (readonly string[])[]
        readonly createdAt: number
        /** For a kind of which relays keep one: the last one that was signed here, which this would take the place of. */
        readonly previous?: SignedInfo
      }
    | { readonly method: string; readonly counterparty: string; readonly text: string }
}

/** `seconds`: everything of the same kind, host or counterparty for so long. */
export type DecisionExtent = "once" | "always" | { readonly seconds: number }

/** Somebody who may decide in a browser. */
export interface OwnerInfo {
  readonly name: string
  readonly passkeys: number
  readonly hasPassword: boolean
  readonly recoveryCodesLeft: number
  /** Browsers that are signed in. */
  readonly sessions: number
  /** Unix seconds. */
  readonly createdAt: number
}

export interface InvitationInfo {
  /** Opens once, in a browser: whoever opens it becomes an owner. Its secret is in the fragment. */
  readonly url: string
  /** Unix seconds. */
  readonly expiresAt: number
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
  readonly style?: ApprovalStyle
}

/** `perms` as `method[:param]`, comma-separated; what else is given holds for each of them. */
export interface GrantArgs {
  readonly id: string
  readonly perms: string
  /** A denial, which outweighs every grant. */
  readonly deny?: boolean
  /** Unix seconds. */
  readonly expiresAt?: number
  readonly uses?: number
  readonly rate?: RateInfo
  /** For encrypt and decrypt: npub or 64 hex digits each. */
  readonly counterparties?: readonly string[]
  readonly tags?: readonly (readonly [name: string, value: string])[]
  readonly host?: string
  readonly action?: string
  readonly dPrefix?: string
  readonly maxContentBytes?: number
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
  /** Takes the place of grants of the same permissions under the same conditions. */
  "apps.grant": { args: GrantArgs; result: AppInfo }
  /** `what`: permissions, of which all grants and denials go, or the id of one grant, or its beginning. */
  "apps.ungrant": { args: { id: string; what: string }; result: AppInfo }
  "apps.presets": { args: Record<never, never>; result: readonly PresetInfo[] }
  /** In place of all that it was granted; what it is denied stays denied. */
  "apps.preset": { args: { id: string; preset: string }; result: AppInfo }
  /** `expiresAt`: when its session ends, in unix seconds; null: when it is revoked. */
  "apps.extend": { args: { id: string; expiresAt: number | null }; result: AppInfo }
  "apps.pause": { args: { id: string }; result: AppInfo }
  "apps.resume": { args: { id: string }; result: AppInfo }
  "apps.style": { args: { id: string; style: ApprovalStyle }; result: AppInfo }
  /** Those that wait, oldest first, then those that were too late; `limit` prompts at most, of `total`. */
  "requests.list": {
    args: { limit?: number }
    result: { readonly total: number; readonly requests: readonly RequestSummary[] }
  }
  /** `id` here and below: the whole, or a beginning of at least 4 hex digits. */
  "requests.show": { args: { id: string }; result: RequestDetail }
  "requests.approve": {
    args: { id: string; digest: string; extent: DecisionExtent }
    /** `served`: how many equal requests it decided; `isLate`: its app is served when it asks again. */
    result: { readonly served: number; readonly isLate: boolean }
  }
  /** `block`: its app is not to ask for this kind, host or counterparty again. */
  "requests.deny": { args: { id: string; digest: string; block: boolean }; result: { readonly isLate: boolean } }
  "owners.list": { args: Record<never, never>; result: readonly OwnerInfo[] }
  "owners.invite": { args: Record<never, never>; result: InvitationInfo }
  /** `name` in any case. Ends all that the owner has here, sessions included. */
  "owners.remove": { args: { name: string }; result: OwnerInfo }
  /** `ttl` in seconds; `perms` as `method[:param]`, comma-separated; no `key` means the only or first one. */
  "connections.offer": {
    args: { key?: string; perms?: string; ttl: number; relays?: readonly string[]; style?: ApprovalStyle }
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
  /** What whoever receives notices checks them with: `whsec_…`, as Standard Webhooks writes it. */
  "webhook.secret": { args: Record<never, never>; result: { readonly secret: string } }
  /** Sends one notice, and is answered once the webhook took it, or with an error when it did not. */
  "webhook.test": { args: Record<never, never>; result: Record<never, never> }
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
