import type { NostrEvent } from "@casemate/nip46/protocol"
import { Nip46Error } from "@casemate/nip46/protocol"
import type {
  ApprovalEntry,
  AuditEntry,
  Claim,
  ClaimEntry,
  CommitResult,
  Connection,
  DecideResult,
  DecisionEntry,
  Grant,
  Recall,
  Terms,
} from "@casemate/nip46/signer"
import {
  ANSWER_TTL,
  CLAIM_TTL,
  CONNECT_RESPONSE_TTL,
  canDecide,
  hasUses,
  LAST_USED_STEP,
  OFFER_TTL,
  used,
} from "@casemate/nip46/signer"
import { type Link, nextMac } from "./audit-chain.js"
import { purgeOwners } from "./owner-writes.js"
import type { ApprovalRow, ClaimRow, ConnectionRow } from "./queries.js"
import type { AddUserKeyResult, AuditSeal, RemoveUserKeyResult, RenameUserKeyResult, UserKey } from "./record.js"
import { fromApproval, fromAuditEntry, fromConnection, fromGrant, toClaim, toGrant } from "./rows.js"
import type { Statements } from "./statements.js"

/** The one chain of a SQLite record: keyd alone writes it. */
export const WRITER = "keyd"
/** The setting that holds the floor of purged claims. */
export const FLOOR = "record.floor"

/** What a transaction will have changed in memory, once it is committed. */
export interface Draft {
  /** The end of the audit chain. */
  head: Link
  /** Events with a `created_at` at or below it may have been served and purged. */
  floor: number
  /** Remote-signer-pubkeys of connections that are no longer what was read. */
  readonly touched: Set<string>
}

/** What a grant has left once it was used. */
interface Charge {
  readonly uses: number
  readonly after: Grant
}

/** What is done inside a transaction. Each looks at all its conditions first, and then writes. */
export class Writes {
  readonly #sql: Statements
  readonly #seal: AuditSeal

  constructor(statements: Statements, seal: AuditSeal) {
    this.#sql = statements
    this.#seal = seal
  }

  commit(draft: Draft, entry: ClaimEntry): CommitResult {
    const { eventId, connectionId, repeatKey, event, receivedAt } = entry
    // What is known comes before what moved; most are new, so it is looked for only where something speaks against it.
    const unlessKnown = (result: CommitResult): CommitResult => {
      const known = recall(this.#sql, draft.floor, eventId, repeatKey, event.created_at, toClaim)
      return known.kind === "new" ? result : known
    }
    if (event.created_at <= draft.floor) return unlessKnown({ kind: "stale" })
    const connection = this.#sql.connectionById.get({ id: connectionId })
    if (connection === undefined || !admits(connection, entry)) return unlessKnown({ kind: "moved" })
    const charges = this.#chargesOf(connectionId, entry.charges, receivedAt)
    if (charges === undefined) return unlessKnown({ kind: "moved" })
    const { approval } = entry
    if (approval !== undefined && this.#isCrowded(connection, approval)) return unlessKnown({ kind: "crowded" })

    const inserted = this.#sql.insertClaim.run({
      event_id: eventId,
      connection_id: connectionId,
      repeat_key: repeatKey,
      event: JSON.stringify(event),
      created_at: event.created_at,
      received_at: receivedAt,
      verdict: JSON.stringify(entry.verdict),
    })
    if (inserted === 0) return unlessKnown({ kind: "moved" })
    if (approval !== undefined) {
      const { user_pubkey } = connection
      const of = { event_id: eventId, connection_id: connectionId, user_pubkey, received_at: receivedAt }
      this.#sql.insertApproval.run(fromApproval(approval, of))
    }
    this.#charge(connectionId, charges)
    this.#apply(entry)
    const isAnew = isUsedAnew(connection, receivedAt)
    if (isAnew) this.#sql.setLastUsed.run({ id: connectionId, last_used_at: receivedAt })
    const isFirst = connection.connect_response !== null
    if (isFirst) this.#sql.dropConnectResponse.run({ id: connectionId })
    if (isAnew || isFirst || charges.size > 0 || entry.effect !== undefined)
      draft.touched.add(connection.remote_signer_pubkey)
    this.note(draft, entry.audit)
    return { kind: "committed" }
  }

  createConnection(draft: Draft, connection: Connection, audit: AuditEntry): void {
    const { id, remoteSignerPubkey } = connection
    const taken =
      this.#sql.connectionById.get({ id }) ??
      this.#sql.connectionByKey.get({ remote_signer_pubkey: remoteSignerPubkey })
    if (taken !== undefined) {
      throw new Nip46Error("RECORD_FAILED", "a connection with this id or remote-signer-pubkey exists already")
    }
    this.#sql.insertConnection.run(fromConnection(connection))
    for (const [i, grant] of connection.grants.entries()) this.#sql.insertGrant.run(fromGrant(id, grant, i))
    draft.touched.add(remoteSignerPubkey)
    this.note(draft, audit)
  }

  setState(draft: Draft, id: string, state: "active" | "paused" | "revoked", audit: AuditEntry): boolean {
    const connection = this.#sql.connectionById.get({ id })
    if (connection === undefined) return false
    if (!isLive(connection) && !(connection.state === "offered" && state === "revoked")) return false
    this.#sql.setState.run({ id, state, ended_at: state === "revoked" ? audit.at : null })
    draft.touched.add(connection.remote_signer_pubkey)
    this.note(draft, audit)
    return true
  }

  setNip04Transport(draft: Draft, id: string, allowed: boolean, audit: AuditEntry): boolean {
    const connection = this.#sql.connectionById.get({ id })
    if (connection === undefined || (!isLive(connection) && connection.state !== "offered")) return false
    const nip04_transport = allowed ? 1 : 0
    const change = connection.nip04_transport === nip04_transport ? 0 : 1
    this.#sql.setNip04Transport.run({ id, nip04_transport, change })
    draft.touched.add(connection.remote_signer_pubkey)
    this.note(draft, audit)
    return true
  }

  setTerms(draft: Draft, id: string, terms: Terms, audit: AuditEntry): boolean {
    const connection = this.#sql.connectionById.get({ id })
    if (connection === undefined || (!isLive(connection) && connection.state !== "offered")) return false
    this.#change(connection, terms)
    draft.touched.add(connection.remote_signer_pubkey)
    this.note(draft, audit)
    return true
  }

  decide(draft: Draft, entry: DecisionEntry): DecideResult {
    const { connectionId, from, to, at, terms, charged } = entry
    const connection = this.#sql.connectionById.get({ id: connectionId })
    if (connection === undefined || !canDecide(connection, to)) return { kind: "gone" }
    if (charged !== undefined && charged.expectedRevision !== connection.revision) return { kind: "gone" }
    const rows = this.#undecided(entry)
    if (rows.length === 0) return { kind: "gone" }
    const uses = rows.flatMap(() => charged?.grants ?? [])
    const charges = this.#chargesOf(connectionId, uses, at)
    if (charges === undefined) return { kind: "gone" }

    for (const { id } of rows) this.#sql.decideApproval.run({ id, from, to, decided_at: at })
    const verdict = from === "pending" ? JSON.stringify(entry.verdict) : undefined
    if (verdict !== undefined) for (const { event_id } of rows) this.#sql.setVerdict.run({ event_id, verdict })
    this.#charge(connectionId, charges)
    if (terms !== undefined) this.#change(connection, terms)
    draft.touched.add(connection.remote_signer_pubkey)
    for (const { event_id } of rows) this.note(draft, { ...entry.audit, eventId: event_id })
    return { kind: "decided", claims: rows.map((row) => toClaim({ ...row, verdict: verdict ?? row.verdict })) }
  }

  challenge(id: string, challenge: NostrEvent): void {
    this.#sql.challengeApproval.run({ id, challenge: JSON.stringify(challenge) })
  }

  answer(eventId: string, answer: NostrEvent): void {
    this.#sql.answerClaim.run({ event_id: eventId, answer: JSON.stringify(answer), answered_at: answer.created_at })
  }

  /**
   * Purges the oldest, at most `limit` of each, so that a backlog does not hold up those who wait to be
   * served: the floor always covers exactly what is gone. Returns true when there may be more.
   */
  purge(draft: Draft, now: number, limit: number): boolean {
    const claims = { before: now - CLAIM_TTL, limit }
    const newest = this.#sql.newestOfOld.get(claims)?.created_at ?? undefined
    let purged = 0
    if (newest !== undefined) {
      this.#sql.purgeApprovals.run(claims)
      purged = this.#sql.purgeClaims.run(claims)
      if (newest > draft.floor) {
        draft.floor = newest
        this.#sql.setSetting.run({ name: FLOOR, value: String(newest) })
      }
    }
    const answers = this.#sql.purgeAnswers.run({ before: now - ANSWER_TTL, limit })
    this.#forgetOffers(draft, now)
    this.#forgetConnectResponses(draft, now)
    const isMoreOfOwners = purgeOwners(this.#sql, now, limit)
    return purged === limit || answers === limit || isMoreOfOwners
  }

  addUserKey(draft: Draft, { name, pubkey, sealed, createdAt }: UserKey, audit: AuditEntry): AddUserKeyResult {
    if (this.#sql.userKeyByPubkey.get({ pubkey }) !== undefined) return { kind: "taken", by: "pubkey" }
    if (this.#sql.userKeyByName.get({ name }) !== undefined) return { kind: "taken", by: "name" }
    this.#sql.insertUserKey.run({ name, pubkey, sealed, created_at: createdAt })
    this.note(draft, audit)
    return { kind: "added" }
  }

  renameUserKey(draft: Draft, pubkey: string, name: string, audit: AuditEntry): RenameUserKeyResult {
    if (this.#sql.userKeyByPubkey.get({ pubkey }) === undefined) return { kind: "none" }
    if (this.#sql.userKeyByName.get({ name }) !== undefined) return { kind: "taken" }
    this.#sql.renameUserKey.run({ pubkey, name })
    this.note(draft, audit)
    return { kind: "renamed" }
  }

  removeUserKey(draft: Draft, pubkey: string, audit: AuditEntry): RemoveUserKeyResult {
    if (this.#sql.userKeyByPubkey.get({ pubkey }) === undefined) return { kind: "none" }
    const revoked = this.#sql.openConnectionsOf.all({ user_pubkey: pubkey }).map(({ id }) => id)
    const why = "the owner removed the key that this app signs with"
    for (const id of revoked)
      this.setState(draft, id, "revoked", { ...audit, action: "owner.revoke", connectionId: id, param: undefined, why })
    this.#sql.deleteLastSignedOf.run({ user_pubkey: pubkey })
    this.#sql.deleteUserKey.run({ pubkey })
    this.note(draft, audit)
    return { kind: "removed", revoked }
  }

  setSetting(name: string, value: string): void {
    this.#sql.setSetting.run({ name, value })
  }

  /** Appends to the audit chain. */
  note(draft: Draft, audit: AuditEntry): void {
    const row = fromAuditEntry(WRITER, draft.head.seq + 1, audit)
    const mac = nextMac(this.#seal, draft.head, row)
    this.#sql.insertAudit.run({ ...row, mac })
    draft.head = { seq: row.seq, mac }
  }

  /** No claim can stand on an offer, and the audit keeps that it was made. */
  #forgetOffers(draft: Draft, now: number): void {
    for (const { id, remote_signer_pubkey } of this.#sql.deadOffers.all({ before: now - OFFER_TTL })) {
      this.#sql.deleteGrants.run({ connection_id: id })
      this.#sql.deleteConnection.run({ id })
      draft.touched.add(remote_signer_pubkey)
    }
  }

  #forgetConnectResponses(draft: Draft, now: number): void {
    for (const { id, remote_signer_pubkey } of this.#sql.oldConnectResponses.all({
      before: now - CONNECT_RESPONSE_TTL,
    })) {
      this.#sql.dropConnectResponse.run({ id })
      draft.touched.add(remote_signer_pubkey)
    }
  }

  /** What becomes of each counted grant; undefined when one has not enough left. @param at unix seconds */
  #chargesOf(connectionId: string, charges: readonly string[], at: number): Map<string, Charge> | undefined {
    const charged = new Map<string, Charge>()
    for (const id of charges) {
      const { uses, after } = charged.get(id) ?? { uses: 0, after: this.#grantOf(connectionId, id) }
      if (after === undefined || !hasUses(after, at)) return undefined
      charged.set(id, { uses: uses + 1, after: used(after, at) })
    }
    for (const [id, { after }] of charged)
      if (after.usesLeft === undefined && after.rate === undefined) charged.delete(id)
    return charged
  }

  #grantOf(connectionId: string, id: string): Grant | undefined {
    const row = this.#sql.grantOf.get({ connection_id: connectionId, id })
    return row === undefined ? undefined : toGrant(row)
  }

  #charge(connectionId: string, charges: ReadonlyMap<string, Charge>): void {
    for (const [id, { uses, after }] of charges) {
      const recent_uses = JSON.stringify(after.recentUses)
      this.#sql.chargeGrant.run({ connection_id: connectionId, id, uses, recent_uses })
    }
  }

  #change(connection: ConnectionRow, { addGrants = [], removeGrants = [], style, expiresAt }: Terms): void {
    const { id } = connection
    for (const grant of removeGrants) this.#sql.deleteGrant.run({ connection_id: id, id: grant })
    const last = this.#sql.lastGrant.get({ connection_id: id })?.position ?? -1
    for (const [i, grant] of addGrants.entries()) this.#sql.insertGrant.run(fromGrant(id, grant, last + 1 + i))
    this.#sql.setTerms.run({
      id,
      style: style ?? connection.style,
      expires_at: expiresAt === undefined ? connection.expires_at : expiresAt,
    })
  }

  #isCrowded({ id, user_pubkey }: ConnectionRow, approval: ApprovalEntry): boolean {
    const { scope, maxScopes, maxOfConnection, maxWaiting, reserved } = approval
    const scopes = this.#sql.waitingScopes.all({ connection_id: id })
    const ofConnection = scopes.reduce((sum, { count }) => sum + count, 0)
    if (ofConnection >= maxOfConnection) return true
    const waiting = this.#sql.waitingFor.get({ user_pubkey, limit: maxWaiting })?.count ?? 0
    if (waiting >= maxWaiting && ofConnection >= reserved) return true
    return scopes.length >= maxScopes && scopes.every((each) => each.scope !== scope)
  }

  /** Those that are still as the decision takes them to be, in the order of their claims. */
  #undecided({ connectionId, ids, from }: DecisionEntry): ApprovalRow[] {
    return [...new Set(ids)]
      .flatMap((id) => this.#sql.approvalById.get({ id }) ?? [])
      .filter((row) => row.connection_id === connectionId && row.state === from)
      .sort((a, b) => a.seq - b.seq)
  }

  #apply({ effect, connectionId: id, receivedAt }: ClaimEntry): void {
    if (effect === undefined) return
    switch (effect.kind) {
      case "activate": {
        const { clientPubkey, app, requestedPerms } = effect
        const values = { client_pubkey: clientPubkey, app: JSON.stringify(app), requested_perms: requestedPerms }
        this.#sql.activate.run({ id, ...values })
        break
      }
      case "logout":
        this.#sql.setState.run({ id, state: "logged_out", ended_at: receivedAt })
        break
      case "client_relays":
        this.#sql.setClientRelays.run({ id, client_relays: JSON.stringify(effect.relays) })
        break
    }
  }
}

/** Has this event, or this request, been here? What is known comes before what is stale. */
export function recall(
  sql: Statements,
  floor: number,
  eventId: string,
  repeatKey: string,
  createdAt: number,
  read: (row: ClaimRow) => Claim,
): Recall {
  const same = sql.claimByEvent.get({ event_id: eventId })
  if (same !== undefined) return { kind: "duplicate", claim: read(same) }
  const repeat = sql.claimByRepeatKey.get({ repeat_key: repeatKey })
  if (repeat !== undefined) return { kind: "repeat", claim: read(repeat) }
  return createdAt <= floor ? { kind: "stale" } : { kind: "new" }
}

/** Is the connection still what this was authorized for? */
function admits(connection: ConnectionRow, { effect, expectedRevision, receivedAt }: ClaimEntry): boolean {
  if (connection.revision !== expectedRevision) return false
  if (effect?.kind !== "activate") return isLive(connection)
  const { state, secret_hash, secret_expires_at } = connection
  if (state !== "offered" || secret_hash !== effect.secretHash) return false
  return secret_expires_at === null || receivedAt < secret_expires_at
}

function isLive({ state }: ConnectionRow): boolean {
  return state === "active" || state === "paused"
}

function isUsedAnew({ last_used_at }: ConnectionRow, receivedAt: number): boolean {
  return last_used_at === null || Math.abs(receivedAt - last_used_at) >= LAST_USED_STEP
}
