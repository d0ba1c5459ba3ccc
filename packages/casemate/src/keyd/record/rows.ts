import type { NostrEvent } from "@casemate/nip46/protocol"
import type {
  Approval,
  ApprovalEntry,
  AuditEntry,
  Claim,
  ClaimVerdict,
  Conditions,
  Connection,
  Grant,
} from "@casemate/nip46/signer"
import type {
  ApprovalRow,
  AuditRowStored,
  ClaimRow,
  ConnectionRow,
  GrantRow,
  NewApproval,
  UserKeyRow,
} from "./queries.js"
import type { AuditRow, UserKey } from "./record.js"

/** Rows to values and back. What is `undefined` outside is `null` in SQL, and bytes are no Buffer. */

export function toUserKey(row: UserKeyRow): UserKey {
  return { name: row.name, pubkey: row.pubkey, sealed: Uint8Array.from(row.sealed), createdAt: row.created_at }
}

export function toConnection(row: ConnectionRow, grants: readonly GrantRow[]): Connection {
  return {
    id: row.id,
    userPubkey: row.user_pubkey,
    remoteSignerPubkey: row.remote_signer_pubkey,
    sealedTransportKey: Uint8Array.from(row.sealed_transport_key),
    clientPubkey: row.client_pubkey ?? undefined,
    state: row.state,
    secretHash: row.secret_hash ?? undefined,
    secretExpiresAt: row.secret_expires_at ?? undefined,
    expiresAt: row.expires_at ?? undefined,
    relays: JSON.parse(row.relays) as string[],
    clientRelays: JSON.parse(row.client_relays) as string[],
    guardedRelays: JSON.parse(row.guarded_relays) as string[],
    connectResponse: row.connect_response === null ? undefined : (JSON.parse(row.connect_response) as NostrEvent),
    nip04Transport: row.nip04_transport === 1,
    style: row.style,
    app: JSON.parse(row.app) as Connection["app"],
    requestedPerms: row.requested_perms,
    grants: grants.map(toGrant),
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at ?? undefined,
    endedAt: row.ended_at ?? undefined,
    revision: row.revision,
  }
}

export function fromConnection(connection: Connection): Omit<ConnectionRow, "seq"> {
  return {
    id: connection.id,
    user_pubkey: connection.userPubkey,
    remote_signer_pubkey: connection.remoteSignerPubkey,
    sealed_transport_key: connection.sealedTransportKey,
    client_pubkey: connection.clientPubkey ?? null,
    state: connection.state,
    secret_hash: connection.secretHash ?? null,
    secret_expires_at: connection.secretExpiresAt ?? null,
    expires_at: connection.expiresAt ?? null,
    relays: JSON.stringify(connection.relays),
    client_relays: JSON.stringify(connection.clientRelays),
    guarded_relays: JSON.stringify(connection.guardedRelays),
    connect_response: connection.connectResponse === undefined ? null : JSON.stringify(connection.connectResponse),
    nip04_transport: connection.nip04Transport ? 1 : 0,
    style: connection.style,
    app: JSON.stringify(connection.app),
    requested_perms: connection.requestedPerms,
    created_at: connection.createdAt,
    last_used_at: connection.lastUsedAt ?? null,
    ended_at: connection.endedAt ?? null,
    revision: connection.revision,
  }
}

export function toGrant(row: GrantRow): Grant {
  return {
    id: row.id,
    method: row.method,
    param: row.param ?? undefined,
    effect: row.effect,
    expiresAt: row.expires_at ?? undefined,
    usesLeft: row.uses_left ?? undefined,
    rate: toRate(row),
    recentUses: JSON.parse(row.recent_uses) as number[],
    conditions: JSON.parse(row.conditions) as Conditions,
  }
}

function toRate({ rate_uses: uses, rate_seconds: seconds }: GrantRow): Grant["rate"] {
  return uses === null || seconds === null ? undefined : { uses, seconds }
}

export function fromGrant(connectionId: string, grant: Grant, position: number): GrantRow {
  return {
    connection_id: connectionId,
    id: grant.id,
    position,
    method: grant.method,
    param: grant.param ?? null,
    effect: grant.effect,
    expires_at: grant.expiresAt ?? null,
    uses_left: grant.usesLeft ?? null,
    rate_uses: grant.rate?.uses ?? null,
    rate_seconds: grant.rate?.seconds ?? null,
    recent_uses: JSON.stringify(grant.recentUses),
    conditions: JSON.stringify(grant.conditions),
  }
}

export function toClaim(row: ClaimRow): Claim {
  return {
    eventId: row.event_id,
    connectionId: row.connection_id,
    event: JSON.parse(row.event) as NostrEvent,
    verdict: JSON.parse(row.verdict) as ClaimVerdict,
    receivedAt: row.received_at,
    answer: row.answer === null ? undefined : (JSON.parse(row.answer) as NostrEvent),
  }
}

export function toApproval(row: ApprovalRow): Approval {
  return {
    id: row.id,
    claim: toClaim(row),
    method: row.method,
    param: row.param ?? undefined,
    scope: row.scope,
    ask: row.ask,
    state: row.state,
    deadline: row.deadline,
    challenge: row.challenge === null ? undefined : (JSON.parse(row.challenge) as NostrEvent),
    decidedAt: row.decided_at ?? undefined,
  }
}

/** Pending, with what it repeats of its claim and connection. */
export function fromApproval(
  approval: ApprovalEntry,
  of: Pick<NewApproval, "event_id" | "connection_id" | "user_pubkey" | "received_at">,
): NewApproval {
  return {
    ...of,
    id: approval.id,
    method: approval.method,
    param: approval.param ?? null,
    scope: approval.scope,
    ask: approval.ask,
    state: "pending",
    deadline: approval.deadline,
  }
}

export function toAuditRow(row: AuditRowStored): AuditRow {
  return {
    seq: row.seq,
    at: row.at,
    actor: row.actor,
    connectionId: row.connection_id ?? undefined,
    action: row.action,
    param: row.param ?? undefined,
    verdict: row.verdict,
    why: row.why,
    eventId: row.event_id ?? undefined,
  }
}

export function fromAuditEntry(writer: string, seq: number, entry: AuditEntry): Omit<AuditRowStored, "mac"> {
  return {
    writer,
    seq,
    at: entry.at,
    actor: wellFormed(entry.actor),
    connection_id: entry.connectionId ?? null,
    action: wellFormed(entry.action),
    param: entry.param === undefined ? null : wellFormed(entry.param),
    verdict: entry.verdict,
    why: wellFormed(entry.why),
    event_id: entry.eventId ?? null,
  }
}

/**
 * Half a surrogate pair, which a client can send, does not survive UTF-8: what is stored must be what the
 * MAC covers, or the row would look altered.
 */
function wellFormed(text: string): string {
  return Buffer.from(text).toString()
}
