import { Nip46Error } from "@casemate/nip46/protocol"
import type { AuditEntry } from "@casemate/nip46/signer"
import {
  fromInvitation,
  fromLastSigned,
  fromOwner,
  fromPasskey,
  fromPassword,
  fromSession,
  nameKey,
} from "./owner-rows.js"
import type {
  CredentialUse,
  Invitation,
  JoinResult,
  LastSigned,
  NewOwner,
  OwnerPasskey,
  OwnerPassword,
  OwnerSession,
} from "./owners-record.js"
import type { Statements } from "./statements.js"
import type { Draft } from "./writes.js"

const SESSIONS_KEPT = 20
/** An app that may sign many `d` of a kind shall not fill the disk with them. */
const SIGNED_KEPT = 10_000

/** What is done for owners inside a transaction. Each looks at all its conditions first, and then writes. */
export class OwnerWrites {
  readonly #sql: Statements
  readonly #note: (draft: Draft, audit: AuditEntry) => void

  constructor(statements: Statements, note: (draft: Draft, audit: AuditEntry) => void) {
    this.#sql = statements
    this.#note = note
  }

  addInvitation(draft: Draft, invitation: Invitation, audit: AuditEntry): void {
    this.#sql.insertInvitation.run(fromInvitation(invitation))
    this.#note(draft, audit)
  }

  join(draft: Draft, { invitation: hash, owner, passkey, codes, session }: NewOwner, audit: AuditEntry): JoinResult {
    const invitation = this.#sql.invitation.get({ hash })
    if (invitation === undefined || invitation.expires_at <= owner.createdAt) return { kind: "spent" }
    if (this.#sql.ownerByName.get({ name_key: nameKey(owner.name) }) !== undefined) return { kind: "taken", by: "name" }
    if (passkey !== undefined && this.#sql.passkeyById.get({ id: passkey.id }) !== undefined)
      return { kind: "taken", by: "passkey" }
    this.#sql.deleteInvitation.run({ hash })
    this.#sql.insertOwner.run(fromOwner(owner))
    if (passkey !== undefined) this.#sql.insertPasskey.run(fromPasskey(passkey))
    for (const code of codes) this.#sql.insertCode.run({ hash: code, owner_id: owner.id })
    this.#sql.insertSession.run(fromSession(session))
    this.#note(draft, audit)
    return { kind: "joined" }
  }

  removeOwner(draft: Draft, id: string, audit: AuditEntry): boolean {
    if (this.#sql.ownerById.get({ id }) === undefined) return false
    const owner_id = id
    this.#sql.deletePasskeysOf.run({ owner_id })
    this.#sql.deleteCodesOf.run({ owner_id })
    this.#sql.deleteSessionsOf.run({ owner_id })
    this.#sql.deleteOwner.run({ id })
    this.#note(draft, audit)
    return true
  }

  addPasskey(draft: Draft, passkey: OwnerPasskey, audit: AuditEntry): boolean {
    if (this.#sql.passkeyById.get({ id: passkey.id }) !== undefined) return false
    this.#mustBeHere(passkey.ownerId)
    this.#sql.insertPasskey.run(fromPasskey(passkey))
    this.#note(draft, audit)
    return true
  }

  removePasskey(draft: Draft, ownerId: string, id: string, audit: AuditEntry): boolean {
    const passkeys = this.#sql.passkeysOf.all({ owner_id: ownerId })
    if (passkeys.every((passkey) => passkey.id !== id)) return false
    const owner = this.#sql.ownerById.get({ id: ownerId })
    if (passkeys.length === 1 && (owner?.password_hash ?? null) === null) return false
    this.#sql.deletePasskey.run({ id })
    this.#note(draft, audit)
    return true
  }

  setPassword(draft: Draft, id: string, password: OwnerPassword, audit: AuditEntry): boolean {
    if (this.#sql.setPassword.run({ id, ...fromPassword(password) }) === 0) return false
    this.#note(draft, audit)
    return true
  }

  setCodes(draft: Draft, ownerId: string, hashes: readonly string[], audit: AuditEntry): void {
    this.#mustBeHere(ownerId)
    this.#sql.deleteCodesOf.run({ owner_id: ownerId })
    for (const hash of hashes) this.#sql.insertCode.run({ hash, owner_id: ownerId })
    this.#note(draft, audit)
  }

  use(draft: Draft, ownerId: string, use: CredentialUse, at: number, audit: AuditEntry | undefined): boolean {
    if (!this.#useUp(ownerId, use, at)) return false
    if (audit !== undefined) this.#note(draft, audit)
    return true
  }

  signIn(draft: Draft, session: OwnerSession, use: CredentialUse, audit: AuditEntry): boolean {
    if (!this.#useUp(session.ownerId, use, session.createdAt)) return false
    this.#sql.insertSession.run(fromSession(session))
    this.#sql.trimSessionsOf.run({ owner_id: session.ownerId, keep: SESSIONS_KEPT })
    this.#note(draft, audit)
    return true
  }

  endSession(hash: string): void {
    this.#sql.deleteSession.run({ hash })
  }

  endSessionsOf(draft: Draft, ownerId: string, but: string | undefined, audit: AuditEntry): number {
    const owner_id = ownerId
    const ended =
      but === undefined
        ? this.#sql.deleteSessionsOf.run({ owner_id })
        : this.#sql.deleteOtherSessionsOf.run({ owner_id, but })
    if (ended > 0) this.#note(draft, audit)
    return ended
  }

  /** In place of what is in its slot, as the newest. One that comes after its key was removed leaves nothing. */
  setLastSigned(entry: LastSigned): void {
    const last = this.#sql.lastSigned.get({ slot: entry.slot })
    if (last !== undefined && last.created_at > entry.createdAt) return
    if (this.#sql.userKeyByPubkey.get({ pubkey: entry.userPubkey }) === undefined) return
    this.#sql.deleteLastSigned.run({ slot: entry.slot })
    this.#sql.insertLastSigned.run(fromLastSigned(entry))
  }

  /** Each part at most once; false when it was, or is another's. */
  #useUp(ownerId: string, use: CredentialUse, at: number): boolean {
    switch (use.kind) {
      case "passkey": {
        const { id, counter } = use
        const passkey = this.#sql.passkeyById.get({ id })
        if (passkey === undefined || passkey.owner_id !== ownerId || !rises(passkey.counter, counter)) return false
        return this.#sql.usePasskey.run({ id, counter, last_used_at: at }) > 0
      }
      case "totp":
        return this.#sql.advanceTotp.run({ id: ownerId, step: use.step }) > 0
      case "code":
        return this.#sql.deleteCode.run({ hash: use.hash, owner_id: ownerId }) > 0
    }
  }

  #mustBeHere(id: string): void {
    if (this.#sql.ownerById.get({ id }) === undefined)
      throw new Nip46Error("RECORD_FAILED", "there is no such owner here: nothing was changed")
  }
}

/** Purges what is over and of no use, at most `limit` of each. Returns true when there may be more. */
export function purgeOwners(sql: Statements, now: number, limit: number): boolean {
  const purged = [
    sql.purgeSessions.run({ now, limit }),
    sql.purgeInvitations.run({ now, limit }),
    sql.trimLastSigned.run({ keep: SIGNED_KEPT, limit }),
  ]
  return purged.includes(limit)
}

/** WebAuthn §6.1.1: 0 on both sides is an authenticator that does not count; another must have gone on. */
function rises(stored: number, said: number): boolean {
  return (stored === 0 && said === 0) || said > stored
}
