import type { Keypair } from "../crypto/backend.js"
import type { ClientMetadata } from "../protocol/client-metadata.js"
import type { NostrEvent } from "../protocol/event.js"

/**
 * What the engine needs from the world: a record, keys, a clock. Times in the record are unix seconds.
 */

/**
 * `offered`: a token was made and nobody redeemed it. `active`: one client-pubkey is bound to it.
 * `paused`: bound, but the owner stopped it. `revoked` and `logged_out` are final.
 */
export type ConnectionState = "offered" | "active" | "paused" | "revoked" | "logged_out"

/** What an ask must also be for a grant to cover it; each that is given has to hold. */
export interface Conditions {
  /** Encrypt and decrypt: one of these, 64 lower-case hex digits each. */
  readonly counterparties?: readonly string[]
  /** `sign_event`: for each, a tag of this name with this value. */
  readonly tags?: readonly (readonly [name: string, value: string])[]
  /** Kinds that log in: where. Lower case, with the port where the URL has one. */
  readonly host?: string
  /** Kinds that log in: to do what; the HTTP method for 27235, the verb of `t` for 24242. Lower case. */
  readonly action?: string
  /** `sign_event`: the `d` tag begins so. */
  readonly dPrefix?: string
  /** `sign_event`: the content has at most so many bytes in UTF-8. */
  readonly maxContentBytes?: number
  /** Exactly this, whatever its `created_at`: a digest that the engine keyed, 64 hex digits. */
  readonly ask?: string
  /** `sign_event`: dated within 20 minutes of this time in unix seconds. */
  readonly near?: number
}

/** At most `uses` in any `seconds`. */
export interface GrantRate {
  readonly uses: number
  readonly seconds: number
}

/** More uses in a rate could not be counted one by one. */
export const MAX_RATE_USES = 1_000

/** A permission that an owner gave or refused (`method[:param]`, NIP-46 §Requested permissions). */
export interface Grant {
  /** One of its connection alone. */
  readonly id: string
  readonly method: string
  /** `sign_event`: the kind in decimal. Undefined: every param that the method does not call sensitive. */
  readonly param: string | undefined
  readonly effect: "allow" | "deny"
  /** Unix seconds; undefined: until revoked. */
  readonly expiresAt: number | undefined
  /** Undefined: unlimited. 0: spent. */
  readonly usesLeft: number | undefined
  readonly rate: GrantRate | undefined
  /** When it was used within its rate's seconds, in unix seconds, oldest first; empty without a rate. */
  readonly recentUses: readonly number[]
  readonly conditions: Conditions
}

/**
 * What becomes of an ask that no grant covers. `auth_url`: the client is told once of a page at which the owner
 * decides, where there is one, and waits; `hold`: it hears nothing until then; `deny`: it is refused at once.
 */
export type ApprovalStyle = "auth_url" | "hold" | "deny"

/** A NIP-46 session, from the moment its token is made. */
export interface Connection {
  readonly id: string
  /** The identity that signs. */
  readonly userPubkey: string
  /** This connection's own transport key; never the user key, never shared. */
  readonly remoteSignerPubkey: string
  /** The transport secret as the key store sealed it; the engine never looks inside. */
  readonly sealedTransportKey: Uint8Array
  /** Undefined while offered. */
  readonly clientPubkey: string | undefined
  readonly state: ConnectionState
  /**
   * SHA-256 of the token's secret, lower-case hex. Of a bunker:// token until it is redeemed; of a
   * nostrconnect:// token for good, so that the same token is known again.
   */
  readonly secretHash: string | undefined
  /** Unix seconds at which an offered token dies. */
  readonly secretExpiresAt: number | undefined
  /** Unix seconds at which the session itself dies; undefined: never. */
  readonly expiresAt: number | undefined
  /** Where we serve it. */
  readonly relays: readonly string[]
  /** Where the client is, as far as we know; `switch_relays` answers a list only when the two differ. */
  readonly clientRelays: readonly string[]
  /** Those that a client named and the owner does not vouch for: never dialled into a private network. */
  readonly guardedRelays: readonly string[]
  /**
   * What answered a nostrconnect:// token, with its secret encrypted: sent again until the client's first
   * claim is committed, which drops it.
   */
  readonly connectResponse: NostrEvent | undefined
  /** The owner lets this client encrypt its messages with NIP-04. */
  readonly nip04Transport: boolean
  readonly style: ApprovalStyle
  /** What the client says of itself: a display hint, never a reason (NIP-46 §Client metadata). */
  readonly app: ClientMetadata
  /** What the client asked for, as it wrote it; shown, not granted. */
  readonly requestedPerms: string
  readonly grants: readonly Grant[]
  readonly createdAt: number
  /** Of the last committed claim, to the minute: a write for every request would only wear the disk. */
  readonly lastUsedAt: number | undefined
  /** When it was revoked or logged out. */
  readonly endedAt: number | undefined
  /** Rises with every change of state or grants; a commit that expects another number is refused. */
  readonly revision: number
}

/** What was decided of a request, as it is stored: execution after a crash follows it. */
export type ClaimVerdict =
  /** `decidedAt`: when its owner allowed it, in unix seconds; undefined where a grant did at once. */
  | { readonly kind: "allow"; readonly decidedAt?: number }
  /** It waits for its owner. */
  | { readonly kind: "ask" }
  | { readonly kind: "deny"; readonly reason: string }

/** A request that was committed, with its answer once there is one. */
export interface Claim {
  readonly eventId: string
  readonly connectionId: string
  readonly event: NostrEvent
  readonly verdict: ClaimVerdict
  /** Unix seconds of our clock when it was committed; stands in for a missing `created_at`. */
  readonly receivedAt: number
  readonly answer: NostrEvent | undefined
}

/** `expired`: nobody decided in time, and its client was told so. */
export type ApprovalState = "pending" | "approved" | "denied" | "expired"

/** A request that was left to the owner. What it asks for lies sealed in its claim's event. */
export interface Approval {
  /** 128 random bits as 32 hex digits: it is in the URL that a client is shown. */
  readonly id: string
  readonly claim: Claim
  readonly method: string
  /** The kind for `sign_event`, the counterparty for encrypt and decrypt. */
  readonly param: string | undefined
  /** Keyed digest of what "always" would cover, 64 hex digits: those of one connection with the same are one prompt. */
  readonly scope: string
  /** Keyed digest of what is asked, whatever its `created_at`; 64 hex digits. */
  readonly ask: string
  readonly state: ApprovalState
  /** Unix seconds at which its client is told that nobody decided. */
  readonly deadline: number
  /** The `auth_url` that its client was sent, once. */
  readonly challenge: NostrEvent | undefined
  /** Undefined while pending. */
  readonly decidedAt: number | undefined
}

/** What is recorded of a request that is left to the owner, with its claim. */
export interface ApprovalEntry extends Pick<Approval, "id" | "method" | "param" | "scope" | "ask" | "deadline"> {
  /** At most so many different scopes wait for one connection. */
  readonly maxScopes: number
  /** At most so many requests wait for one connection: one app must not take the places of all others. */
  readonly maxOfConnection: number
  /** At most so many requests wait for one user key, */
  readonly maxWaiting: number
  /** but this many of one connection always may. */
  readonly reserved: number
}

/** What an owner, or time, decides; all of it in one transaction. */
export interface DecisionEntry {
  readonly connectionId: string
  /** Approvals of this connection that are decided alike. */
  readonly ids: readonly string[]
  /** Only those that are in this state are decided: `expired` for one that its owner comes to late. */
  readonly from: "pending" | "expired"
  readonly to: "approved" | "denied" | "expired"
  /** What the claims of those that were pending come to. */
  readonly verdict: ClaimVerdict
  /** Unix seconds. */
  readonly at: number
  /** Changed with it. */
  readonly terms: Terms | undefined
  /** Where a grant decides: it must be able to cover each, and the connection be at this revision. */
  readonly charged: { readonly grants: readonly string[]; readonly expectedRevision: number } | undefined
  /** One row for each that is decided, with its event's id. */
  readonly audit: AuditEntry
}

export type DecideResult =
  /** Those that were in the state, in the order of their claims. */
  | { readonly kind: "decided"; readonly claims: readonly Claim[] }
  /** None of them was, or the connection has ended, or its grants moved. Nothing was written. */
  | { readonly kind: "gone" }

/** What an owner may change of a live connection, or of an offer; what is left out stays as it is. */
export interface Terms {
  readonly addGrants?: readonly Grant[]
  /** Ids. */
  readonly removeGrants?: readonly string[]
  readonly style?: ApprovalStyle
  /** Unix seconds; null: never. */
  readonly expiresAt?: number | null
}

/** A row of the audit. Who, what, verdict, why; never a plaintext, a secret or a key. */
export interface AuditEntry {
  /** Unix seconds. */
  readonly at: number
  /** `owner`, or the client-pubkey. */
  readonly actor: string
  readonly connectionId: string | undefined
  /** A NIP-46 method, or an owner's call such as `owner.revoke`. */
  readonly action: string
  /** The kind for `sign_event`, the counterparty for encrypt and decrypt. */
  readonly param: string | undefined
  readonly verdict: "allow" | "ask" | "deny"
  readonly why: string
  /** The request's event id. */
  readonly eventId: string | undefined
}

/** What changes with a claim, in the same transaction. */
export type ClaimEffect =
  /** Only from `offered`, only with this hash, only before its expiry: the secret is redeemed at most once. */
  | {
      readonly kind: "activate"
      readonly secretHash: string
      readonly clientPubkey: string
      readonly app: ClientMetadata
      readonly requestedPerms: string
    }
  | { readonly kind: "logout" }
  | { readonly kind: "client_relays"; readonly relays: readonly string[] }

export interface ClaimEntry {
  readonly eventId: string
  readonly connectionId: string
  /** Digest over connection, client, request id, method and params; 64 hex digits. */
  readonly repeatKey: string
  readonly event: NostrEvent
  readonly receivedAt: number
  readonly verdict: ClaimVerdict
  /** The connection must still be at this revision. */
  readonly expectedRevision: number
  /** Grants of which one use is spent; each must have one left. */
  readonly charges: readonly string[]
  readonly effect: ClaimEffect | undefined
  /** With the verdict `ask`, and only then. */
  readonly approval: ApprovalEntry | undefined
  readonly audit: AuditEntry
}

export type CommitResult =
  | { readonly kind: "committed" }
  /** This very event was claimed before. */
  | { readonly kind: "duplicate"; readonly claim: Claim }
  /** The same request came before in another event and its answer is still kept. */
  | { readonly kind: "repeat"; readonly claim: Claim }
  /** The revision, a counter or the secret is no longer what was read: authorize again. Nothing was written. */
  | { readonly kind: "moved" }
  /** At or below the floor of purged claims: it may have been served already. Nothing was written. */
  | { readonly kind: "stale" }
  /** As many wait for the owner already as may. Nothing was written. */
  | { readonly kind: "crowded" }

export type Recall =
  | { readonly kind: "new" }
  | { readonly kind: "duplicate"; readonly claim: Claim }
  | { readonly kind: "repeat"; readonly claim: Claim }
  | { readonly kind: "stale" }

/**
 * Where connections, claims and the audit live. Every write resolves only when it is durable, is whole
 * or not at all, and rejects with `RECORD_FAILED` when it could not be committed.
 * `recordSuite` of `@casemate/nip46/testing` is the contract.
 */
export interface SignerRecord {
  createConnection(connection: Connection, audit: AuditEntry): Promise<void>
  /** As last committed, with its grants. */
  connection(remoteSignerPubkey: string): Promise<Connection | undefined>
  connections(): Promise<readonly Connection[]>
  /**
   * Resolves false, and writes nothing, when there is no such connection or its state is final (a revoked
   * one stays revoked), or when it is `offered` and this is no revocation: only a secret activates it. What it
   * revokes has ended at the time of the audit entry.
   */
  setState(connectionId: string, state: "active" | "paused" | "revoked", audit: AuditEntry): Promise<boolean>
  /** The owner's switch; a change of it raises the revision. False, and nothing is written, for one that has ended. */
  setNip04Transport(connectionId: string, allowed: boolean, audit: AuditEntry): Promise<boolean>
  /** The owner's terms; raises the revision. False, and nothing is written, for a connection that has ended. */
  setTerms(connectionId: string, terms: Terms, audit: AuditEntry): Promise<boolean>
  /** Has this event, or this request, been here? Reads only. What is known comes before what is stale. */
  recall(eventId: string, repeatKey: string, createdAt: number): Promise<Recall>
  /**
   * Gate 7: claim, effect, counters and audit in one transaction, or nothing. Looks as `recall` does, then
   * at what moved: a claim needs an `active` or `paused` connection, or activates an `offered` one.
   */
  commit(entry: ClaimEntry): Promise<CommitResult>
  /**
   * Rides in the next commit; need not be awaited before the answer is published, but its rejection must be
   * handled. The time it was recorded is its `created_at`. A later answer takes the place of an earlier one;
   * one for a claim that is not here, or whose answer was purged, is dropped.
   */
  answer(eventId: string, answer: NostrEvent): Promise<void>
  /** By state, oldest first; of one connection only where one is named. Those of purged claims are gone. */
  approvals(state: ApprovalState, connectionId?: string): Promise<readonly Approval[]>
  approval(id: string): Promise<Approval | undefined>
  /** Pending ones whose deadline is at or before this time in unix seconds, by deadline. */
  dueApprovals(at: number): Promise<readonly Approval[]>
  /** Expired ones whose deadline is after this time in unix seconds, the latest first, so many at most. */
  lateApprovals(after: number, limit: number): Promise<readonly Approval[]>
  /** Keeps the `auth_url` that a client is about to be sent. */
  challenge(id: string, challenge: NostrEvent): Promise<void>
  /** Decides each approval exactly once, whoever asks how often; approves only on an `active` connection. */
  decide(entry: DecisionEntry): Promise<DecideResult>
  /** Claims that have no answer and wait for nobody, oldest first: after a crash they are executed. */
  unanswered(): Promise<readonly Claim[]>
  /** Answers recorded at or after this time (unix seconds), oldest first: after a crash they are sent again. */
  answeredSince(at: number): Promise<readonly Claim[]>
  /**
   * Drops answers older than 15 minutes and claims older than 24 h, and raises the floor to the newest purged
   * `created_at`. Forgets offers whose token died unredeemed more than 24 h ago, and connect responses older
   * than a minute.
   */
  purge(now: number): Promise<void>
}

/** Answers are kept this long for repeats, in seconds. */
export const ANSWER_TTL = 15 * 60
/** Claims are kept this long against replays, in seconds. */
export const CLAIM_TTL = 24 * 60 * 60
/** Offers that nobody redeemed are kept this long after their token died, in seconds: whoever tries it is told why. */
export const OFFER_TTL = 24 * 60 * 60
/** A connect response is sent again for so long, in seconds. */
export const CONNECT_RESPONSE_TTL = 60
/** `lastUsedAt` is left alone while it is nearer than this, in seconds. */
export const LAST_USED_STEP = 60

/** Where secrets live. Handles only: no secret crosses this interface unsealed. */
export interface SignerKeys {
  /** A fresh remote-signer-keypair, sealed for the record. */
  createTransportKey(): Promise<{ pubkey: string; sealed: Uint8Array }>
  /** @throws `INVALID_KEY` when it does not open */
  transportKey(connection: Connection): Promise<Keypair>
  /** @throws `INVALID_KEY` when this user key is not here or is locked; `onFault` hears why, the client does not */
  userKey(userPubkey: string): Promise<Keypair>
}

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
}
