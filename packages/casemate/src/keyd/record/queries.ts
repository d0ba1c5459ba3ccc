import type { ApprovalState, ApprovalStyle, ConnectionState } from "@casemate/nip46/signer"
import { type Kysely, type Selectable, sql } from "kysely"
import { ownerQueries } from "./owner-queries.js"
import { promptQueries } from "./prompt-queries.js"
import { type None, query } from "./query.js"
import type {
  ApprovalTable,
  AuditHeadTable,
  AuditTable,
  ClaimTable,
  ConnectionTable,
  GrantTable,
  NewRow,
  Row,
  SettingTable,
  Tables,
  UserKeyTable,
} from "./schema.js"

type Old = { before: number; limit: number }

/** Every statement of the record, in the dialect of the kysely that is handed in. */
export type Queries = ReturnType<typeof buildQueries>

export function buildQueries(db: Kysely<Tables>) {
  return {
    ...userKeyQueries(db),
    ...connectionQueries(db),
    ...claimQueries(db),
    ...approvalQueries(db),
    ...promptQueries(db),
    ...auditQueries(db),
    ...ownerQueries(db),
  }
}

function userKeyQueries(db: Kysely<Tables>) {
  return {
    insertUserKey: query<NewRow<UserKeyTable>>()((p) =>
      db.insertInto("user_key").values({ name: p.name, pubkey: p.pubkey, sealed: p.sealed, created_at: p.created_at }),
    ),
    userKeys: query<None>()(() => db.selectFrom("user_key").selectAll().orderBy("seq")),
    userKeyByPubkey: query<{ pubkey: string }>()((p) =>
      db.selectFrom("user_key").selectAll().where("pubkey", "=", p.pubkey),
    ),
    userKeyByName: query<{ name: string }>()((p) => db.selectFrom("user_key").selectAll().where("name", "=", p.name)),
    renameUserKey: query<{ pubkey: string; name: string }>()((p) =>
      db.updateTable("user_key").set({ name: p.name }).where("pubkey", "=", p.pubkey),
    ),
    deleteUserKey: query<{ pubkey: string }>()((p) => db.deleteFrom("user_key").where("pubkey", "=", p.pubkey)),
    setting: query<{ name: string }>()((p) => db.selectFrom("setting").select("value").where("name", "=", p.name)),
    setSetting: query<Row<SettingTable>>()((p) =>
      db
        .insertInto("setting")
        .values({ name: p.name, value: p.value })
        .onConflict((conflict) => conflict.column("name").doUpdateSet({ value: p.value })),
    ),
  }
}

function connectionQueries(db: Kysely<Tables>) {
  const grants = db.selectFrom("grant").selectAll()
  return {
    insertConnection: query<NewRow<ConnectionTable>>()((p) =>
      db.insertInto("connection").values({
        id: p.id,
        user_pubkey: p.user_pubkey,
        remote_signer_pubkey: p.remote_signer_pubkey,
        sealed_transport_key: p.sealed_transport_key,
        client_pubkey: p.client_pubkey,
        state: p.state,
        secret_hash: p.secret_hash,
        secret_expires_at: p.secret_expires_at,
        expires_at: p.expires_at,
        relays: p.relays,
        client_relays: p.client_relays,
        guarded_relays: p.guarded_relays,
        connect_response: p.connect_response,
        nip04_transport: p.nip04_transport,
        style: p.style,
        app: p.app,
        requested_perms: p.requested_perms,
        created_at: p.created_at,
        last_used_at: p.last_used_at,
        ended_at: p.ended_at,
        revision: p.revision,
      }),
    ),
    insertGrant: query<Row<GrantTable>>()((p) =>
      db.insertInto("grant").values({
        connection_id: p.connection_id,
        id: p.id,
        position: p.position,
        method: p.method,
        param: p.param,
        effect: p.effect,
        expires_at: p.expires_at,
        uses_left: p.uses_left,
        rate_uses: p.rate_uses,
        rate_seconds: p.rate_seconds,
        recent_uses: p.recent_uses,
        conditions: p.conditions,
      }),
    ),
    connections: query<None>()(() => db.selectFrom("connection").selectAll().orderBy("seq")),
    connectionById: query<{ id: string }>()((p) => db.selectFrom("connection").selectAll().where("id", "=", p.id)),
    connectionByKey: query<{ remote_signer_pubkey: string }>()((p) =>
      db.selectFrom("connection").selectAll().where("remote_signer_pubkey", "=", p.remote_signer_pubkey),
    ),
    openConnectionsOf: query<{ user_pubkey: string }>()((p) =>
      db
        .selectFrom("connection")
        .select("id")
        .where("user_pubkey", "=", p.user_pubkey)
        .where("state", "in", ["offered", "active", "paused"])
        .orderBy("seq"),
    ),
    connectionsByPrefix: query<{ prefix: string; limit: number }>()((p) =>
      db
        .selectFrom("connection")
        .selectAll()
        .where(sql<boolean>`substr(id, 1, length(${p.prefix})) = ${p.prefix}`)
        .orderBy("seq")
        .limit(p.limit),
    ),
    grants: query<None>()(() => grants.orderBy("connection_id").orderBy("position")),
    grantsOf: query<{ connection_id: string }>()((p) =>
      grants.where("connection_id", "=", p.connection_id).orderBy("position"),
    ),
    grantOf: query<{ connection_id: string; id: string }>()((p) =>
      grants.where("connection_id", "=", p.connection_id).where("id", "=", p.id),
    ),
    lastGrant: query<{ connection_id: string }>()((p) =>
      db
        .selectFrom("grant")
        .select((column) => column.fn.max("position").as("position"))
        .where("connection_id", "=", p.connection_id),
    ),
    deleteGrant: query<{ connection_id: string; id: string }>()((p) =>
      db.deleteFrom("grant").where("connection_id", "=", p.connection_id).where("id", "=", p.id),
    ),
    chargeGrant: query<{ connection_id: string; id: string; uses: number; recent_uses: string }>()((p) =>
      db
        .updateTable("grant")
        .set((column) => ({ uses_left: column("uses_left", "-", p.uses), recent_uses: p.recent_uses }))
        .where("connection_id", "=", p.connection_id)
        .where("id", "=", p.id)
        .where((column) => column.or([column("uses_left", "is", null), column("uses_left", ">=", p.uses)])),
    ),
    setState: query<{ id: string; state: ConnectionState; ended_at: number | null }>()((p) =>
      db
        .updateTable("connection")
        .set((column) => ({ state: p.state, ended_at: p.ended_at, revision: column("revision", "+", 1) }))
        .where("id", "=", p.id),
    ),
    activate: query<{ id: string; client_pubkey: string; app: string; requested_perms: string }>()((p) =>
      db
        .updateTable("connection")
        .set((column) => ({
          state: "active",
          client_pubkey: p.client_pubkey,
          app: p.app,
          requested_perms: p.requested_perms,
          secret_hash: null,
          secret_expires_at: null,
          revision: column("revision", "+", 1),
        }))
        .where("id", "=", p.id),
    ),
    setNip04Transport: query<{ id: string; nip04_transport: number; change: number }>()((p) =>
      db
        .updateTable("connection")
        .set((column) => ({ nip04_transport: p.nip04_transport, revision: column("revision", "+", p.change) }))
        .where("id", "=", p.id),
    ),
    setTerms: query<{ id: string; style: ApprovalStyle; expires_at: number | null }>()((p) =>
      db
        .updateTable("connection")
        .set((column) => ({ style: p.style, expires_at: p.expires_at, revision: column("revision", "+", 1) }))
        .where("id", "=", p.id),
    ),
    setClientRelays: query<{ id: string; client_relays: string }>()((p) =>
      db.updateTable("connection").set({ client_relays: p.client_relays }).where("id", "=", p.id),
    ),
    deadOffers: query<{ before: number }>()((p) =>
      db
        .selectFrom("connection")
        .select(["id", "remote_signer_pubkey"])
        .where("state", "=", "offered")
        .where("secret_expires_at", "<", p.before),
    ),
    deleteGrants: query<{ connection_id: string }>()((p) =>
      db.deleteFrom("grant").where("connection_id", "=", p.connection_id),
    ),
    deleteConnection: query<{ id: string }>()((p) => db.deleteFrom("connection").where("id", "=", p.id)),
    setLastUsed: query<{ id: string; last_used_at: number }>()((p) =>
      db.updateTable("connection").set({ last_used_at: p.last_used_at }).where("id", "=", p.id),
    ),
    oldConnectResponses: query<{ before: number }>()((p) =>
      db
        .selectFrom("connection")
        .select(["id", "remote_signer_pubkey"])
        .where("connect_response", "is not", null)
        .where("created_at", "<", p.before),
    ),
    dropConnectResponse: query<{ id: string }>()((p) =>
      db.updateTable("connection").set({ connect_response: null }).where("id", "=", p.id),
    ),
  }
}

function claimQueries(db: Kysely<Tables>) {
  const claims = db
    .selectFrom("claim")
    .select(["event_id", "connection_id", "repeat_key", "event", "received_at", "verdict", "answer"])
  const oldClaims = (p: Old) => oldestClaims(db, p).select("seq")
  const oldAnswers = (p: Old) =>
    db
      .selectFrom("claim")
      .select("seq")
      .where("answer", "is not", null)
      .where("answered_at", "<", p.before)
      .orderBy("answered_at")
      .orderBy("seq")
      .limit(p.limit)
  return {
    claimByEvent: query<{ event_id: string }>()((p) => claims.where("event_id", "=", p.event_id)),
    claimByRepeatKey: query<{ repeat_key: string }>()((p) => claims.where("repeat_key", "=", p.repeat_key)),
    insertClaim: query<Omit<NewRow<ClaimTable>, "answer" | "answered_at">>()((p) =>
      db
        .insertInto("claim")
        .values({
          event_id: p.event_id,
          connection_id: p.connection_id,
          repeat_key: p.repeat_key,
          event: p.event,
          created_at: p.created_at,
          received_at: p.received_at,
          verdict: p.verdict,
        })
        // One that is here already is left as it is, and nothing counts as inserted.
        .onConflict((conflict) => conflict.doNothing()),
    ),
    setVerdict: query<{ event_id: string; verdict: string }>()((p) =>
      db.updateTable("claim").set({ verdict: p.verdict }).where("event_id", "=", p.event_id),
    ),
    answerClaim: query<{ event_id: string; answer: string; answered_at: number }>()((p) =>
      db
        .updateTable("claim")
        .set({ answer: p.answer, answered_at: p.answered_at })
        .where("event_id", "=", p.event_id)
        .where("repeat_key", "is not", null),
    ),
    unanswered: query<None>()(() => claims.where("answered_at", "is", null).orderBy("received_at").orderBy("seq")),
    answeredSince: query<{ at: number }>()((p) =>
      claims.where("answer", "is not", null).where("answered_at", ">=", p.at).orderBy("answered_at").orderBy("seq"),
    ),
    newestOfOld: query<Old>()((p) =>
      db
        .selectFrom("claim")
        .select((column) => column.fn.max("created_at").as("created_at"))
        .where("seq", "in", oldClaims(p)),
    ),
    purgeClaims: query<Old>()((p) => db.deleteFrom("claim").where("seq", "in", oldClaims(p))),
    purgeAnswers: query<Old>()((p) =>
      db.updateTable("claim").set({ answer: null, repeat_key: null }).where("seq", "in", oldAnswers(p)),
    ),
  }
}

function approvalQueries(db: Kysely<Tables>) {
  const pending = db.selectFrom("approval").where("state", "=", "pending")
  const approvals = db
    .selectFrom("approval")
    .innerJoin("claim", "claim.event_id", "approval.event_id")
    .select(["claim.event_id", "claim.connection_id", "repeat_key", "event", "claim.received_at", "verdict", "answer"])
    .select(["approval.seq", "id", "method", "param", "scope", "ask", "state", "deadline", "challenge", "decided_at"])
  const oldestFirst = approvals.orderBy("approval.received_at").orderBy("approval.seq")
  return {
    insertApproval: query<NewApproval>()((p) =>
      db.insertInto("approval").values({
        id: p.id,
        event_id: p.event_id,
        connection_id: p.connection_id,
        user_pubkey: p.user_pubkey,
        received_at: p.received_at,
        method: p.method,
        param: p.param,
        scope: p.scope,
        ask: p.ask,
        state: p.state,
        deadline: p.deadline,
      }),
    ),
    approvalById: query<{ id: string }>()((p) => approvals.where("id", "=", p.id)),
    approvals: query<{ state: ApprovalState }>()((p) => oldestFirst.where("state", "=", p.state)),
    approvalsOf: query<{ state: ApprovalState; connection_id: string }>()((p) =>
      oldestFirst.where("state", "=", p.state).where("approval.connection_id", "=", p.connection_id),
    ),
    lateApprovals: query<{ after: number; limit: number }>()((p) =>
      approvals
        .where("state", "=", sql.lit("expired"))
        .where("deadline", ">", p.after)
        .orderBy("deadline", "desc")
        .limit(p.limit),
    ),
    dueApprovals: query<{ at: number }>()((p) =>
      approvals.where("state", "=", sql.lit("pending")).where("deadline", "<=", p.at).orderBy("deadline"),
    ),
    /** Counts no further than `limit`. */
    waitingFor: query<{ user_pubkey: string; limit: number }>()((p) =>
      db
        .selectFrom(pending.select("seq").where("user_pubkey", "=", p.user_pubkey).limit(p.limit).as("waiting"))
        .select((column) => column.fn.countAll<number>().as("count")),
    ),
    waitingScopes: query<{ connection_id: string }>()((p) =>
      pending
        .select("scope")
        .select((column) => column.fn.countAll<number>().as("count"))
        .where("connection_id", "=", p.connection_id)
        .groupBy("scope"),
    ),
    challengeApproval: query<{ id: string; challenge: string }>()((p) =>
      db.updateTable("approval").set({ challenge: p.challenge }).where("id", "=", p.id),
    ),
    decideApproval: query<{ id: string; from: ApprovalState; to: ApprovalState; decided_at: number }>()((p) =>
      db
        .updateTable("approval")
        .set({ state: p.to, decided_at: p.decided_at })
        .where("id", "=", p.id)
        .where("state", "=", p.from),
    ),
    purgeApprovals: query<Old>()((p) =>
      db.deleteFrom("approval").where("event_id", "in", oldestClaims(db, p).select("event_id")),
    ),
  }
}

function oldestClaims(db: Kysely<Tables>, { before, limit }: Old) {
  return db.selectFrom("claim").where("received_at", "<", before).orderBy("received_at").orderBy("seq").limit(limit)
}

function auditQueries(db: Kysely<Tables>) {
  const rows = db.selectFrom("audit").selectAll()
  return {
    insertAudit: query<Row<AuditTable>>()((p) =>
      db.insertInto("audit").values({
        writer: p.writer,
        seq: p.seq,
        at: p.at,
        actor: p.actor,
        connection_id: p.connection_id,
        action: p.action,
        param: p.param,
        verdict: p.verdict,
        why: p.why,
        event_id: p.event_id,
        mac: p.mac,
      }),
    ),
    auditAfter: query<{ writer: string; after: number; limit: number }>()((p) =>
      rows.where("writer", "=", p.writer).where("seq", ">", p.after).orderBy("seq").limit(p.limit),
    ),
    lastAudit: query<{ writer: string; limit: number }>()((p) =>
      rows.where("writer", "=", p.writer).orderBy("seq", "desc").limit(p.limit),
    ),
    auditHead: query<{ writer: string }>()((p) =>
      db.selectFrom("audit_head").select("sealed").where("writer", "=", p.writer),
    ),
    setAuditHead: query<Row<AuditHeadTable>>()((p) =>
      db
        .insertInto("audit_head")
        .values({ writer: p.writer, sealed: p.sealed })
        .onConflict((conflict) => conflict.column("writer").doUpdateSet({ sealed: p.sealed })),
    ),
  }
}

export type UserKeyRow = Selectable<UserKeyTable>
export type ConnectionRow = Selectable<ConnectionTable>
export type GrantRow = Selectable<GrantTable>
export type ClaimRow = Pick<
  Selectable<ClaimTable>,
  "event_id" | "connection_id" | "repeat_key" | "event" | "received_at" | "verdict" | "answer"
>
export type NewApproval = Omit<NewRow<ApprovalTable>, "challenge" | "decided_at">
export type ApprovalRow = ClaimRow & Omit<Selectable<ApprovalTable>, "user_pubkey">
export type AuditRowStored = Selectable<AuditTable>
