import type { Approval, AuditEntry } from "@casemate/nip46/signer"

/** Somebody who may decide in a browser. */
export interface Owner {
  /** 32 hex digits. */
  readonly id: string
  /** No two that a reader takes for the same: compared by NFKC, and in any case. */
  readonly name: string
  /** Unix seconds. */
  readonly createdAt: number
  readonly password: OwnerPassword | undefined
}

/** A password never stands alone: the code of an authenticator app goes with it. */
export interface OwnerPassword {
  /** Argon2id, in the PHC format. */
  readonly hash: string
  /** The secret of the authenticator app as the vault sealed it. */
  readonly totp: Uint8Array
  /** The time step of the last code that was taken: it and earlier ones are taken no more. */
  readonly lastStep: number
}

export interface OwnerPasskey {
  /** The credential id, base64url. */
  readonly id: string
  readonly ownerId: string
  /** COSE. */
  readonly publicKey: Uint8Array
  readonly counter: number
  readonly transports: readonly string[]
  /** The host name that it is for. */
  readonly rpId: string
  readonly label: string
  /** Unix seconds, both. */
  readonly createdAt: number
  readonly lastUsedAt: number | undefined
}

export interface OwnerSession {
  /** Of both its keys, by the vault; the keys themselves are nowhere here. 64 hex digits. */
  readonly hash: string
  readonly ownerId: string
  readonly by: "passkey" | "password" | "recovery" | "invitation"
  /** Unix seconds, both. */
  readonly createdAt: number
  readonly expiresAt: number
}

export interface Invitation {
  /** Of its secret, by the vault. 64 hex digits. */
  readonly hash: string
  /** Unix seconds, both. */
  readonly createdAt: number
  readonly expiresAt: number
}

/** What a credential is used up by, each at most once. */
export type CredentialUse =
  /** `counter`: what the authenticator said; 0 from those that do not count. */
  | { readonly kind: "passkey"; readonly id: string; readonly counter: number }
  | { readonly kind: "totp"; readonly step: number }
  | { readonly kind: "code"; readonly hash: string }

export interface NewOwner {
  readonly invitation: string
  readonly owner: Owner
  readonly passkey: OwnerPasskey | undefined
  /** Hashes of its recovery codes, by the vault. */
  readonly codes: readonly string[]
  readonly session: OwnerSession
}

export type JoinResult =
  | { readonly kind: "joined" }
  /** Nothing was written: there is no such invitation, it was used, or was over when the owner was made. */
  | { readonly kind: "spent" }
  /** Nothing was written, and the invitation stands: another owner has the name, or the passkey. */
  | { readonly kind: "taken"; readonly by: "name" | "passkey" }

/** Who may decide in a browser, and by what keyd knows them. Every write with an audit row is one transaction with it. */
export interface OwnersRecord {
  addInvitation(invitation: Invitation, audit: AuditEntry): Promise<void>
  /** Also one that is over, until it is purged. */
  invitation(hash: string): Promise<Invitation | undefined>
  /** Spends the invitation and makes the owner with all that it has, or nothing of it. */
  join(entry: NewOwner, audit: AuditEntry): Promise<JoinResult>
  /** In the order in which they joined. */
  owners(): Promise<readonly Owner[]>
  /** `name` in any case. */
  owner(idOrName: string): Promise<Owner | undefined>
  /** Takes an owner away with all that it has. False: there is none. */
  removeOwner(id: string, audit: AuditEntry): Promise<boolean>

  passkey(id: string): Promise<OwnerPasskey | undefined>
  passkeysOf(ownerId: string): Promise<readonly OwnerPasskey[]>
  /** False: it is here already. @throws `RECORD_FAILED` when there is no such owner */
  addPasskey(passkey: OwnerPasskey, audit: AuditEntry): Promise<boolean>
  /** False: it is not here, or the owner has neither another nor a password. */
  removePasskey(ownerId: string, id: string, audit: AuditEntry): Promise<boolean>
  /** In place of the one before. False: there is no such owner. */
  setPassword(ownerId: string, password: OwnerPassword, audit: AuditEntry): Promise<boolean>
  /** In place of those before. @throws `RECORD_FAILED` when there is no such owner */
  setCodes(ownerId: string, hashes: readonly string[], audit: AuditEntry): Promise<void>
  codesLeft(ownerId: string): Promise<number>

  /**
   * Uses a credential up. False, and nothing written: it was used already, its counter did not rise though it is one
   * that counts, or it is not this owner's.
   */
  use(ownerId: string, use: CredentialUse, at: number, audit?: AuditEntry): Promise<boolean>
  /** The same, and begins a session with it; of one owner's sessions the newest twenty stay. */
  signIn(session: OwnerSession, use: CredentialUse, audit: AuditEntry): Promise<boolean>
  /** Also one that is over, until it is purged. */
  session(hash: string): Promise<OwnerSession | undefined>
  sessionsOf(ownerId: string): Promise<readonly OwnerSession[]>
  endSession(hash: string): Promise<void>
  /** How many were ended; without any, nothing is written. */
  endSessionsOf(ownerId: string, but: string | undefined, audit: AuditEntry): Promise<number>

  /**
   * What waits for owners: pending approvals on active connections, those of one scope of one app as one, oldest first,
   * so many at most of `total`.
   */
  prompts(limit: number): Promise<{ readonly total: number; readonly prompts: readonly Prompt[] }>
  /**
   * Ids that begin so, of approvals on active connections that are pending, or expired with a deadline after this
   * time in unix seconds; at most ten.
   */
  findApprovals(prefix: string, after: number): Promise<readonly string[]>

  /** The last event that was signed for a slot: a user key, a kind, and a `d` where the kind has one. Sealed. */
  lastSigned(slot: string): Promise<Uint8Array | undefined>
  /** Not in place of one with a later `created_at`. Goes with its user key; the newest ten thousand slots stay. */
  setLastSigned(entry: LastSigned): Promise<void>
}

/** The oldest of several approvals, and how many they are. */
export interface Prompt extends Pick<Approval, "id" | "method" | "param" | "state" | "deadline"> {
  readonly count: number
  readonly connectionId: string
  /** Unix seconds. */
  readonly receivedAt: number
}

export interface LastSigned {
  /** By the vault, from user-pubkey, kind and `d`: it says nothing of them. */
  readonly slot: string
  readonly userPubkey: string
  /** The event's own. */
  readonly createdAt: number
  readonly sealed: Uint8Array
}
