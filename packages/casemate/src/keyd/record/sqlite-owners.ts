import type { AuditEntry } from "@casemate/nip46/signer"
import { nameKey, toInvitation, toOwner, toPasskey, toPrompt, toSession } from "./owner-rows.js"
import type { OwnerWrites } from "./owner-writes.js"
import type {
  CredentialUse,
  Invitation,
  JoinResult,
  LastSigned,
  NewOwner,
  Owner,
  OwnerPasskey,
  OwnerPassword,
  OwnerSession,
  OwnersRecord,
  Prompt,
} from "./owners-record.js"
import type { Statements } from "./statements.js"
import type { Draft } from "./writes.js"

const CANDIDATES = 10

/** The part of the SQLite record that is about owners; the record says how it reads and commits. */
export abstract class SqliteOwners implements OwnersRecord {
  protected abstract readonly sql: Statements
  protected abstract readonly ownerWrites: OwnerWrites
  protected abstract read<T>(work: () => T): T
  protected abstract write<T>(work: (draft: Draft) => T, options?: { lazy: boolean }): Promise<T>
  /** Rows that are deleted are overwritten; pages from before lie in the log. */
  protected abstract emptyLog(): void

  addInvitation(invitation: Invitation, audit: AuditEntry): Promise<void> {
    return this.write((draft) => this.ownerWrites.addInvitation(draft, invitation, audit))
  }

  async invitation(hash: string): Promise<Invitation | undefined> {
    return this.#one(() => this.sql.invitation.get({ hash }), toInvitation)
  }

  join(entry: NewOwner, audit: AuditEntry): Promise<JoinResult> {
    return this.write((draft) => this.ownerWrites.join(draft, entry, audit))
  }

  async owners(): Promise<readonly Owner[]> {
    return this.read(() => this.sql.owners.all({}).map(toOwner))
  }

  async owner(idOrName: string): Promise<Owner | undefined> {
    const { ownerById, ownerByName } = this.sql
    return this.#one(() => ownerById.get({ id: idOrName }) ?? ownerByName.get({ name_key: nameKey(idOrName) }), toOwner)
  }

  async removeOwner(id: string, audit: AuditEntry): Promise<boolean> {
    const removed = await this.write((draft) => this.ownerWrites.removeOwner(draft, id, audit))
    if (removed) this.emptyLog()
    return removed
  }

  async passkey(id: string): Promise<OwnerPasskey | undefined> {
    return this.#one(() => this.sql.passkeyById.get({ id }), toPasskey)
  }

  async passkeysOf(ownerId: string): Promise<readonly OwnerPasskey[]> {
    return this.read(() => this.sql.passkeysOf.all({ owner_id: ownerId }).map(toPasskey))
  }

  addPasskey(passkey: OwnerPasskey, audit: AuditEntry): Promise<boolean> {
    return this.write((draft) => this.ownerWrites.addPasskey(draft, passkey, audit))
  }

  removePasskey(ownerId: string, id: string, audit: AuditEntry): Promise<boolean> {
    return this.write((draft) => this.ownerWrites.removePasskey(draft, ownerId, id, audit))
  }

  async setPassword(ownerId: string, password: OwnerPassword, audit: AuditEntry): Promise<boolean> {
    const set = await this.write((draft) => this.ownerWrites.setPassword(draft, ownerId, password, audit))
    if (set) this.emptyLog()
    return set
  }

  setCodes(ownerId: string, hashes: readonly string[], audit: AuditEntry): Promise<void> {
    return this.write((draft) => this.ownerWrites.setCodes(draft, ownerId, hashes, audit))
  }

  async codesLeft(ownerId: string): Promise<number> {
    return this.read(() => this.sql.codesOf.get({ owner_id: ownerId })?.count ?? 0)
  }

  use(ownerId: string, use: CredentialUse, at: number, audit?: AuditEntry): Promise<boolean> {
    return this.write((draft) => this.ownerWrites.use(draft, ownerId, use, at, audit))
  }

  signIn(session: OwnerSession, use: CredentialUse, audit: AuditEntry): Promise<boolean> {
    return this.write((draft) => this.ownerWrites.signIn(draft, session, use, audit))
  }

  async session(hash: string): Promise<OwnerSession | undefined> {
    return this.#one(() => this.sql.session.get({ hash }), toSession)
  }

  async sessionsOf(ownerId: string): Promise<readonly OwnerSession[]> {
    return this.read(() => this.sql.sessionsOf.all({ owner_id: ownerId }).map(toSession))
  }

  endSession(hash: string): Promise<void> {
    return this.write(() => this.ownerWrites.endSession(hash))
  }

  endSessionsOf(ownerId: string, but: string | undefined, audit: AuditEntry): Promise<number> {
    return this.write((draft) => this.ownerWrites.endSessionsOf(draft, ownerId, but, audit))
  }

  async prompts(limit: number): Promise<{ total: number; prompts: readonly Prompt[] }> {
    return this.read(() => ({
      total: this.sql.promptCount.get({})?.count ?? 0,
      prompts: this.sql.prompts.all({ limit }).map(toPrompt),
    }))
  }

  async findApprovals(prefix: string, after: number): Promise<readonly string[]> {
    // Ids are hex: nothing that begins so lies beyond.
    const range = { from: prefix, to: `${prefix}g` }
    return this.read(() => this.sql.openApprovals.all({ ...range, after, limit: CANDIDATES }).map(({ id }) => id))
  }

  async lastSigned(slot: string): Promise<Uint8Array | undefined> {
    return this.#one(
      () => this.sql.lastSigned.get({ slot }),
      ({ sealed }) => Uint8Array.from(sealed),
    )
  }

  setLastSigned(entry: LastSigned): Promise<void> {
    return this.write(() => this.ownerWrites.setLastSigned(entry), { lazy: true })
  }

  #one<R, T>(find: () => R | undefined, to: (row: R) => T): T | undefined {
    return this.read(() => {
      const row = find()
      return row === undefined ? undefined : to(row)
    })
  }
}
