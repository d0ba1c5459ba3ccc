import { Nip46Error } from "../protocol/errors.js"
import type { NostrEvent } from "../protocol/event.js"
import { canDecide, hasUses, used } from "./authorize.js"
import type {
  Approval,
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
  SignerRecord,
  Terms,
} from "./ports.js"
import { ANSWER_TTL, CLAIM_TTL, CONNECT_RESPONSE_TTL, LAST_USED_STEP, OFFER_TTL } from "./ports.js"

/** A record whose audit can be read, which a test wants and the engine does not. */
export interface MemoryRecord extends SignerRecord {
  readonly audit: readonly AuditEntry[]
}

interface StoredClaim {
  claim: Claim
  approval: Omit<Approval, "claim"> | undefined
  /** Undefined once the answer was purged: the same request is new again. */
  repeatKey: string | undefined
  answeredAt: number | undefined
}

/**
 * A record that lives as long as the process: for tests, and the shortest reading of what a record does.
 * Everything happens within one turn, so that every operation is whole.
 *
 * @example
 * const record = createMemoryRecord()
 * await record.createConnection(connection, audit)
 */
export function createMemoryRecord(): MemoryRecord {
  const connections = new Map<string, Connection>()
  const claims = new Map<string, StoredClaim>()
  const repeats = new Map<string, StoredClaim>()
  const audit: AuditEntry[] = []
  let floor = -1

  function recall(eventId: string, repeatKey: string, createdAt: number): Recall {
    const same = claims.get(eventId)
    if (same !== undefined) return { kind: "duplicate", claim: same.claim }
    const repeat = repeats.get(repeatKey)
    if (repeat !== undefined) return { kind: "repeat", claim: repeat.claim }
    return createdAt <= floor ? { kind: "stale" } : { kind: "new" }
  }

  function commit(entry: ClaimEntry): CommitResult {
    const known = recall(entry.eventId, entry.repeatKey, entry.event.created_at)
    if (known.kind !== "new") return known
    const connection = connections.get(entry.connectionId)
    const next = connection === undefined ? undefined : applied(connection, entry)
    if (next === undefined) return { kind: "moved" }

    if (connection !== undefined && isCrowded(connection, entry.approval)) return { kind: "crowded" }

    const { eventId, connectionId, event, verdict, receivedAt, repeatKey } = entry
    const claim: Claim = { eventId, connectionId, event, verdict, receivedAt, answer: undefined }
    const stored: StoredClaim = { claim, approval: approvalOf(entry), repeatKey, answeredAt: undefined }
    claims.set(eventId, stored)
    repeats.set(repeatKey, stored)
    connections.set(connectionId, next)
    audit.push(entry.audit)
    return { kind: "committed" }
  }

  function isCrowded({ id, userPubkey }: Connection, approval: ApprovalEntry | undefined): boolean {
    if (approval === undefined) return false
    const waiting = [...claims.values()].filter((stored) => stored.approval?.state === "pending")
    const scopes = waiting.filter(({ claim }) => claim.connectionId === id).map((stored) => stored.approval?.scope)
    if (scopes.length >= approval.maxOfConnection) return true
    const ofKey = waiting.filter(({ claim }) => connections.get(claim.connectionId)?.userPubkey === userPubkey)
    if (ofKey.length >= approval.maxWaiting && scopes.length >= approval.reserved) return true
    return !scopes.includes(approval.scope) && new Set(scopes).size >= approval.maxScopes
  }

  function approvals(): Approval[] {
    return [...claims.values()]
      .flatMap(({ approval, claim }) => (approval === undefined ? [] : [{ ...approval, claim }]))
      .sort((a, b) => a.claim.receivedAt - b.claim.receivedAt)
  }

  function decide(entry: DecisionEntry): DecideResult {
    const { connectionId, ids, from, to, verdict, at, terms, charged: charges } = entry
    const connection = connections.get(connectionId)
    if (connection === undefined || !canDecide(connection, to)) return { kind: "gone" }
    const found = [...claims.values()].filter(
      ({ claim, approval }) =>
        claim.connectionId === connectionId &&
        approval !== undefined &&
        approval.state === from &&
        ids.includes(approval.id),
    )
    if (found.length === 0) return { kind: "gone" }
    const all = found.flatMap(() => charges?.grants ?? [])
    const grants = charged(connection.grants, all, at)
    if (grants === undefined || (charges !== undefined && charges.expectedRevision !== connection.revision)) {
      return { kind: "gone" }
    }
    for (const stored of found) {
      if (stored.approval !== undefined) stored.approval = { ...stored.approval, state: to, decidedAt: at }
      if (from === "pending") stored.claim = { ...stored.claim, verdict }
    }
    const used = { ...connection, grants }
    connections.set(
      connectionId,
      terms === undefined ? used : { ...changed(used, terms), revision: connection.revision + 1 },
    )
    for (const { claim } of found) audit.push({ ...entry.audit, eventId: claim.eventId })
    return { kind: "decided", claims: found.map(({ claim }) => claim) }
  }

  function purge(now: number): void {
    for (const [eventId, stored] of claims) {
      if (stored.claim.receivedAt < now - CLAIM_TTL) {
        floor = Math.max(floor, stored.claim.event.created_at)
        claims.delete(eventId)
        release(stored)
      } else if (stored.answeredAt !== undefined && stored.answeredAt < now - ANSWER_TTL) {
        stored.claim = { ...stored.claim, answer: undefined }
        release(stored)
      }
    }
  }

  function forgetOffers(now: number): void {
    for (const [id, { state, secretExpiresAt = now }] of connections) {
      if (state === "offered" && secretExpiresAt < now - OFFER_TTL) connections.delete(id)
    }
  }

  function forgetConnectResponses(now: number): void {
    for (const [id, connection] of connections) {
      if (connection.createdAt < now - CONNECT_RESPONSE_TTL) {
        connections.set(id, { ...connection, connectResponse: undefined })
      }
    }
  }

  function release(stored: StoredClaim): void {
    if (stored.repeatKey !== undefined) repeats.delete(stored.repeatKey)
    stored.repeatKey = undefined
  }

  return {
    audit,
    async createConnection(connection, entry) {
      const taken = [...connections.values()].some((c) => c.remoteSignerPubkey === connection.remoteSignerPubkey)
      if (taken || connections.has(connection.id)) {
        throw new Nip46Error("RECORD_FAILED", "a connection with this id or remote-signer-pubkey exists already")
      }
      connections.set(connection.id, connection)
      audit.push(entry)
    },
    async connection(remoteSignerPubkey) {
      return [...connections.values()].find((c) => c.remoteSignerPubkey === remoteSignerPubkey)
    },
    async connections() {
      return [...connections.values()]
    },
    async setState(connectionId, state, entry) {
      const connection = connections.get(connectionId)
      if (connection === undefined || (!isLive(connection) && connection.state !== "offered")) return false
      if (connection.state === "offered" && state !== "revoked") return false
      const endedAt = state === "revoked" ? entry.at : undefined
      connections.set(connectionId, { ...connection, state, endedAt, revision: connection.revision + 1 })
      audit.push(entry)
      return true
    },
    async setNip04Transport(connectionId, allowed, entry) {
      const connection = connections.get(connectionId)
      if (connection === undefined || (!isLive(connection) && connection.state !== "offered")) return false
      const revision = connection.revision + (connection.nip04Transport === allowed ? 0 : 1)
      connections.set(connectionId, { ...connection, nip04Transport: allowed, revision })
      audit.push(entry)
      return true
    },
    async setTerms(connectionId, terms, entry) {
      const connection = connections.get(connectionId)
      if (connection === undefined || (!isLive(connection) && connection.state !== "offered")) return false
      connections.set(connectionId, { ...changed(connection, terms), revision: connection.revision + 1 })
      audit.push(entry)
      return true
    },
    async recall(eventId, repeatKey, createdAt) {
      return recall(eventId, repeatKey, createdAt)
    },
    async commit(entry) {
      return commit(entry)
    },
    async answer(eventId, answer) {
      const stored = claims.get(eventId)
      if (stored === undefined || stored.repeatKey === undefined) return
      stored.claim = { ...stored.claim, answer }
      stored.answeredAt = answer.created_at
    },
    async approvals(state, connectionId) {
      return approvals().filter(
        (approval) =>
          approval.state === state && (connectionId === undefined || approval.claim.connectionId === connectionId),
      )
    },
    async approval(id) {
      return approvals().find((approval) => approval.id === id)
    },
    async dueApprovals(at) {
      return approvals()
        .filter(({ state, deadline }) => state === "pending" && deadline <= at)
        .sort((a, b) => a.deadline - b.deadline)
    },
    async lateApprovals(after, limit) {
      return approvals()
        .filter(({ state, deadline }) => state === "expired" && deadline > after)
        .sort((a, b) => b.deadline - a.deadline)
        .slice(0, limit)
    },
    async challenge(id, challenge) {
      const stored = [...claims.values()].find(({ approval }) => approval?.id === id)
      if (stored?.approval !== undefined) stored.approval = { ...stored.approval, challenge }
    },
    async decide(entry) {
      return decide(entry)
    },
    async unanswered() {
      return [...claims.values()]
        .filter((stored) => stored.answeredAt === undefined && stored.claim.verdict.kind !== "ask")
        .map((stored) => stored.claim)
        .sort((a, b) => a.receivedAt - b.receivedAt)
    },
    async answeredSince(at) {
      const answerOf = (claim: Claim) => claim.answer as NostrEvent
      return [...claims.values()]
        .map((stored) => stored.claim)
        .filter((claim) => claim.answer !== undefined && claim.answer.created_at >= at)
        .sort((a, b) => answerOf(a).created_at - answerOf(b).created_at)
    },
    async purge(now) {
      purge(now)
      forgetOffers(now)
      forgetConnectResponses(now)
    },
  }
}

/** The connection after this commit, or undefined when something moved. */
function applied(connection: Connection, entry: ClaimEntry): Connection | undefined {
  if (connection.revision !== entry.expectedRevision) return undefined
  const { effect, receivedAt } = entry
  const grants = charged(connection.grants, entry.charges, receivedAt)
  if (grants === undefined) return undefined
  const lastUsedAt = lastUsed(connection.lastUsedAt, receivedAt)
  const changed = { ...connection, grants, lastUsedAt, connectResponse: undefined }
  const revision = connection.revision + 1

  if (effect?.kind === "activate") {
    const { secretHash, secretExpiresAt, state } = connection
    if (state !== "offered" || secretHash !== effect.secretHash) return undefined
    if (secretExpiresAt !== undefined && receivedAt >= secretExpiresAt) return undefined
    const { clientPubkey, app, requestedPerms } = effect
    const spent = { secretHash: undefined, secretExpiresAt: undefined }
    return { ...changed, ...spent, state: "active", clientPubkey, app, requestedPerms, revision }
  }
  if (!isLive(connection)) return undefined
  if (effect?.kind === "logout") return { ...changed, state: "logged_out", endedAt: receivedAt, revision }
  if (effect?.kind === "client_relays") return { ...changed, clientRelays: effect.relays }
  return changed
}

/** The grants with one use of each taken; undefined when one has none left. @param now unix seconds */
function charged(grants: readonly Grant[], charges: readonly string[], now: number): readonly Grant[] | undefined {
  const next = [...grants]
  for (const id of charges) {
    const at = next.findIndex((grant) => grant.id === id)
    const grant = next[at]
    if (grant === undefined || !hasUses(grant, now)) return undefined
    next[at] = used(grant, now)
  }
  return next
}

function approvalOf({ approval }: ClaimEntry): Omit<Approval, "claim"> | undefined {
  if (approval === undefined) return undefined
  const { maxScopes: _, maxOfConnection: __, maxWaiting: ___, reserved: ____, ...kept } = approval
  return { ...kept, state: "pending", challenge: undefined, decidedAt: undefined }
}

function changed(connection: Connection, { addGrants = [], removeGrants = [], style, expiresAt }: Terms): Connection {
  const kept = connection.grants.filter(({ id }) => !removeGrants.includes(id))
  return {
    ...connection,
    grants: [...kept, ...addGrants],
    style: style ?? connection.style,
    expiresAt: expiresAt === undefined ? connection.expiresAt : (expiresAt ?? undefined),
  }
}

function lastUsed(before: number | undefined, now: number): number {
  return before !== undefined && Math.abs(now - before) < LAST_USED_STEP ? before : now
}

function isLive({ state }: Connection): boolean {
  return state === "active" || state === "paused"
}
