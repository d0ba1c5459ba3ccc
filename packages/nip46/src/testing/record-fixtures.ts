import type { NostrEvent } from "../protocol/event.js"
import { NOSTR_CONNECT_KIND } from "../protocol/event.js"
import type { ApprovalEntry, AuditEntry, ClaimEntry, Connection, Grant } from "../signer/ports.js"

/** The moment at which every check begins, in unix seconds. */
export const START = 1_700_000_000

/** Makes what the checks write. A record looks at shapes and equality only, so nothing here is signed. */
export interface Fixtures {
  /** 64 hex digits that were not given before. */
  readonly hex: () => string
  readonly event: (createdAt?: number) => NostrEvent
  readonly grant: (fields?: Partial<Grant>) => Grant
  readonly offered: (fields?: Partial<Connection>) => Connection
  readonly active: (fields?: Partial<Connection>) => Connection
  /** A claim at the connection's revision, allowed, without charges or effect. */
  readonly entry: (connection: Connection, fields?: Partial<ClaimEntry>) => ClaimEntry
  /** What is recorded with a claim that waits for its owner; room for many. */
  readonly approval: (fields?: Partial<ApprovalEntry>) => ApprovalEntry
  /** A claim at the connection's revision that waits for its owner. */
  readonly waiting: (
    connection: Connection,
    approval?: Partial<ApprovalEntry>,
    fields?: Partial<ClaimEntry>,
  ) => ClaimEntry & { readonly approval: ApprovalEntry }
  readonly audit: (fields?: Partial<AuditEntry>) => AuditEntry
}

export function createFixtures(): Fixtures {
  let count = 0
  const hex = (): string => (++count).toString(16).padStart(64, "0")

  const event = (createdAt: number = START): NostrEvent => ({
    id: hex(),
    pubkey: hex(),
    kind: NOSTR_CONNECT_KIND,
    created_at: createdAt,
    tags: [["p", hex()]],
    content: "sealed \ud83d\udd11 \u0000",
    sig: hex() + hex(),
  })

  const audit = (fields: Partial<AuditEntry> = {}): AuditEntry => ({
    at: START,
    actor: "owner",
    connectionId: undefined,
    action: "owner.test",
    param: undefined,
    verdict: "allow",
    why: "the conformance suite does this",
    eventId: undefined,
    ...fields,
  })

  const grant = (fields: Partial<Grant> = {}): Grant => ({
    id: `grant-${hex()}`,
    method: "sign_event",
    param: "1",
    effect: "allow",
    expiresAt: undefined,
    usesLeft: undefined,
    rate: undefined,
    recentUses: [],
    conditions: {},
    ...fields,
  })

  const offered = (fields: Partial<Connection> = {}): Connection => ({
    id: `connection-${hex()}`,
    userPubkey: hex(),
    remoteSignerPubkey: hex(),
    sealedTransportKey: Uint8Array.of(0, 1, 2, 253, 254, 255),
    clientPubkey: undefined,
    state: "offered",
    secretHash: hex(),
    secretExpiresAt: START + 600,
    expiresAt: undefined,
    relays: ["wss://one.example", "wss://two.example"],
    clientRelays: ["wss://one.example", "wss://two.example"],
    guardedRelays: [],
    connectResponse: undefined,
    nip04Transport: false,
    style: "deny",
    app: {},
    requestedPerms: "",
    grants: [],
    createdAt: START,
    lastUsedAt: undefined,
    endedAt: undefined,
    revision: 1,
    ...fields,
  })

  const active = (fields: Partial<Connection> = {}): Connection =>
    offered({
      state: "active",
      clientPubkey: hex(),
      secretHash: undefined,
      secretExpiresAt: undefined,
      app: { name: "Notes", url: "https://notes.example" },
      requestedPerms: "sign_event:1",
      ...fields,
    })

  const entry = (connection: Connection, fields: Partial<ClaimEntry> = {}): ClaimEntry => {
    const request = fields.event ?? event(fields.receivedAt)
    return {
      eventId: request.id,
      connectionId: connection.id,
      repeatKey: hex(),
      event: request,
      receivedAt: START,
      verdict: { kind: "allow" },
      expectedRevision: connection.revision,
      charges: [],
      effect: undefined,
      approval: undefined,
      audit: audit({ actor: request.pubkey, connectionId: connection.id, action: "ping", eventId: request.id }),
      ...fields,
    }
  }

  const approval = (fields: Partial<ApprovalEntry> = {}): ApprovalEntry => ({
    id: hex().slice(-32),
    method: "sign_event",
    param: "1",
    scope: '["sign_event","1",null,null]',
    ask: hex(),
    deadline: START + 600,
    maxScopes: 100,
    maxOfConnection: 100,
    maxWaiting: 100,
    reserved: 0,
    ...fields,
  })

  const waiting: Fixtures["waiting"] = (connection, fields, rest) => {
    const asked = approval(fields)
    return { ...entry(connection, { verdict: { kind: "ask" }, ...rest }), approval: asked }
  }

  return { hex, event, grant, offered, active, entry, approval, waiting, audit }
}
