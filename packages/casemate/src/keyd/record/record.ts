import type { AuditEntry, Connection, SignerRecord } from "@casemate/nip46/signer"
import type { OwnersRecord } from "./owners-record.js"

/** An identity that signs, as it lies in the record. */
export interface UserKey {
  readonly name: string
  readonly pubkey: string
  /** The secret as the vault sealed it. */
  readonly sealed: Uint8Array
  /** Unix seconds. */
  readonly createdAt: number
}

export type AddUserKeyResult =
  | { readonly kind: "added" }
  /** Nothing was written: the name or the pubkey is here already. */
  | { readonly kind: "taken"; readonly by: "name" | "pubkey" }

export type RenameUserKeyResult =
  | { readonly kind: "renamed" }
  /** Nothing was written: another key has the name. */
  | { readonly kind: "taken" }
  | { readonly kind: "none" }

export type RemoveUserKeyResult =
  /** The connections that were revoked with it. */
  { readonly kind: "removed"; readonly revoked: readonly string[] } | { readonly kind: "none" }

export type FindConnectionResult =
  | { readonly kind: "found"; readonly connection: Connection }
  | { readonly kind: "none" }
  | { readonly kind: "ambiguous"; readonly ids: readonly string[] }

/** An audit row in its chain. */
export interface AuditRow extends AuditEntry {
  /** From 1, without gaps. */
  readonly seq: number
}

export interface AuditQuery {
  /** Rows after this number, oldest first. Without it: the last rows, oldest first. */
  readonly after?: number
  readonly limit: number
}

/** The end of the audit chain: written down elsewhere, it shows later that the database was rolled back. */
export interface AuditHead {
  readonly seq: number
  /** 64 lower-case hex digits. */
  readonly mac: string
}

export type AuditVerdict =
  | { readonly ok: true; readonly head: AuditHead }
  /** The first row at which the chain does not hold. */
  | { readonly ok: false; readonly row: number; readonly why: string }

/** How audit rows are chained and the end of the chain is sealed; the vault does it. */
export interface AuditSeal {
  /** A MAC of 32 bytes. */
  mac(bytes: Uint8Array): Uint8Array
  sealHead(writer: string, head: Uint8Array): Uint8Array
  /** @throws when the head was not sealed here for this writer */
  openHead(writer: string, sealed: Uint8Array): Uint8Array
}

/** Everything that keyd stores: what the engine needs, and what an owner may ask for. */
export interface Record extends SignerRecord, OwnersRecord {
  addUserKey(key: UserKey, audit: AuditEntry): Promise<AddUserKeyResult>
  renameUserKey(pubkey: string, name: string, audit: AuditEntry): Promise<RenameUserKeyResult>
  /**
   * Takes a key away, with all that is left of it in the files, and revokes what signs with it in the same
   * transaction. Each revocation has an audit row of its own before that of the key.
   */
  removeUserKey(pubkey: string, audit: AuditEntry): Promise<RemoveUserKeyResult>
  /** In the order in which they were added. */
  userKeys(): Promise<readonly UserKey[]>
  userKey(pubkeyOrName: string): Promise<UserKey | undefined>
  /** By id, or by a beginning that only one id has. At most ten ids are named when several have it. */
  findConnection(idOrPrefix: string): Promise<FindConnectionResult>
  /** An audit row for what changes nothing here, such as an export. */
  note(audit: AuditEntry): Promise<void>
  audit(query: AuditQuery): Promise<readonly AuditRow[]>
  /** Walks the whole chain. `expected` is a head that was kept elsewhere. */
  verifyAudit(expected?: AuditHead): Promise<AuditVerdict>
  setting(name: string): Promise<string | undefined>
  setSetting(name: string, value: string): Promise<void>
  /** Commits what is queued and lets go of the files. */
  close(): Promise<void>
}
