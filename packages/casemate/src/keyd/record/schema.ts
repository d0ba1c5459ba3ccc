import type { ApprovalState, ApprovalStyle, ConnectionState } from "@casemate/nip46/signer"
import type { Generated, Insertable } from "kysely"
import type { OwnerSession } from "./owners-record.js"

/**
 * The tables, as kysely checks queries against them. `null` is what `undefined` is outside of SQL, JSON
 * columns hold text, times are unix seconds.
 */
export interface Tables {
  user_key: UserKeyTable
  connection: ConnectionTable
  grant: GrantTable
  claim: ClaimTable
  approval: ApprovalTable
  audit: AuditTable
  audit_head: AuditHeadTable
  setting: SettingTable
  owner: OwnerTable
  owner_passkey: OwnerPasskeyTable
  owner_code: OwnerCodeTable
  owner_session: OwnerSessionTable
  owner_invitation: OwnerInvitationTable
  last_signed: LastSignedTable
}

/** A row to insert with all its columns. */
export type Row<T> = Required<Insertable<T>>
/** The same of a table that counts its rows by itself. */
export type NewRow<T> = Omit<Row<T>, "seq">

export interface UserKeyTable {
  seq: Generated<number>
  name: string
  pubkey: string
  sealed: Uint8Array
  created_at: number
}

export interface ConnectionTable {
  /** The order in which they were made. */
  seq: Generated<number>
  id: string
  user_pubkey: string
  remote_signer_pubkey: string
  sealed_transport_key: Uint8Array
  client_pubkey: string | null
  state: ConnectionState
  secret_hash: string | null
  secret_expires_at: number | null
  expires_at: number | null
  /** JSON. */
  relays: string
  /** JSON. */
  client_relays: string
  /** JSON. */
  guarded_relays: string
  /** JSON. */
  connect_response: string | null
  /** 0 or 1. */
  nip04_transport: number
  style: ApprovalStyle
  /** JSON. */
  app: string
  requested_perms: string
  created_at: number
  last_used_at: number | null
  ended_at: number | null
  revision: number
}

export interface GrantTable {
  connection_id: string
  id: string
  /** The order within the connection. */
  position: number
  method: string
  param: string | null
  effect: "allow" | "deny"
  expires_at: number | null
  uses_left: number | null
  /** Both or neither. */
  rate_uses: number | null
  rate_seconds: number | null
  /** JSON. */
  recent_uses: string
  /** JSON. */
  conditions: string
}

export interface ClaimTable {
  seq: Generated<number>
  event_id: string
  connection_id: string
  /** Null once the answer was purged: the same request is new again. */
  repeat_key: string | null
  /** JSON. */
  event: string
  /** The event's own. */
  created_at: number
  received_at: number
  /** JSON. */
  verdict: string
  /** JSON. */
  answer: string | null
  answered_at: number | null
}

export interface ApprovalTable {
  seq: Generated<number>
  id: string
  /** Its claim's. */
  event_id: string
  /** Its claim's. */
  connection_id: string
  /** Its connection's. */
  user_pubkey: string
  /** Its claim's. */
  received_at: number
  method: string
  param: string | null
  scope: string
  ask: string
  state: ApprovalState
  deadline: number
  /** JSON. */
  challenge: string | null
  decided_at: number | null
}

export interface AuditTable {
  /** One chain for each writer. */
  writer: string
  seq: number
  at: number
  actor: string
  connection_id: string | null
  action: string
  param: string | null
  verdict: "allow" | "ask" | "deny"
  why: string
  event_id: string | null
  mac: Uint8Array
}

export interface AuditHeadTable {
  writer: string
  sealed: Uint8Array
}

export interface SettingTable {
  name: string
  value: string
}

export interface OwnerTable {
  /** The order in which they joined. */
  seq: Generated<number>
  id: string
  name: string
  /** The name as names are compared. */
  name_key: string
  created_at: number
  /** Both or neither. */
  password_hash: string | null
  sealed_totp: Uint8Array | null
  totp_step: number
}

export interface OwnerPasskeyTable {
  seq: Generated<number>
  id: string
  owner_id: string
  public_key: Uint8Array
  counter: number
  /** JSON. */
  transports: string
  rp_id: string
  label: string
  created_at: number
  last_used_at: number | null
}

export interface OwnerCodeTable {
  hash: string
  owner_id: string
}

export interface OwnerSessionTable {
  /** The order in which they began. */
  seq: Generated<number>
  hash: string
  owner_id: string
  signed_in_by: OwnerSession["by"]
  created_at: number
  expires_at: number
}

export interface OwnerInvitationTable {
  hash: string
  created_at: number
  expires_at: number
}

export interface LastSignedTable {
  /** The order in which they were signed. */
  seq: Generated<number>
  slot: string
  user_pubkey: string
  /** The event's own. */
  created_at: number
  sealed: Uint8Array
}
