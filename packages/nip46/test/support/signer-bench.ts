import { createNodeBackend } from "../../src/crypto/node/index.js"
import { parseBunkerToken } from "../../src/protocol/connection-token.js"
import { NOSTR_CONNECT_KIND, type NostrEvent } from "../../src/protocol/event.js"
import { parsePermissions } from "../../src/protocol/permission.js"
import {
  type Answer,
  type AuditEntry,
  type Connection,
  createMemoryKeys,
  createMemoryRecord,
  type Grant,
  type IgnoreReason,
  type MemoryKeys,
  type MemoryRecord,
  type Outcome,
  SignerEngine,
  type SignerKeys,
  type SignerOptions,
  type SignerRecord,
} from "../../src/signer/index.js"

export const RELAYS = ["wss://one.example", "wss://two.example"]
/** Unix seconds at which every bench begins. */
export const START = 1_700_000_000
export const crypto = createNodeBackend()

/** What a request came to, as the client reads it. */
export type Reading =
  | { readonly id: string | number; readonly result: string; readonly error?: string }
  | { readonly ignored: IgnoreReason }
  | { readonly waiting: string }

export interface RequestFields {
  readonly id?: string | number
  readonly createdAt?: number
  /** In place of the whole plaintext. */
  readonly plaintext?: string
  readonly tags?: string[][]
}

export interface TestClient {
  readonly pubkey: string
  request(method: string, params?: readonly unknown[], fields?: RequestFields): NostrEvent
  send(event: unknown): Promise<Reading>
  ask(method: string, params?: readonly unknown[], fields?: RequestFields): Promise<Reading>
  /** Checks the envelope of an answer and gives its message. */
  open(answer: Answer): Reading
  /** A client of the same keys at another connection. */
  at(remoteSignerPubkey: string): TestClient
}

export interface BenchOptions {
  readonly signer?: SignerOptions
  /** Wraps what the engine sees of the record and the keys. */
  readonly record?: (record: MemoryRecord) => SignerRecord
  readonly keys?: (keys: MemoryKeys) => SignerKeys
  readonly onSigned?: (event: NostrEvent) => void
}

/** An engine with a memory record, memory keys and a clock that stands still until it is told otherwise. */
export interface Bench {
  readonly record: MemoryRecord
  readonly keys: MemoryKeys
  readonly userPubkey: string
  readonly faults: unknown[]
  engine: SignerEngine
  /** The same record behind another engine, as after a restart; by default the plain record and keys. */
  restart(options?: BenchOptions): SignerEngine
  /** In ms. */
  advance(ms: number): void
  now(): number
  offer(perms?: string, ttl?: number): Promise<{ token: string; secret: string; connection: Connection }>
  /** A client with fresh keys that talks to this signer key. */
  client(remoteSignerPubkey: string): TestClient
  /** A client whose connection is active already. */
  connected(grants?: string | readonly Grant[], fields?: Partial<Connection>): Promise<TestClient>
  connectionOf(client: TestClient): Promise<Connection>
}

const auditEntry = (action: string): AuditEntry => ({
  at: START,
  actor: "owner",
  connectionId: undefined,
  action,
  param: undefined,
  verdict: "allow",
  why: "a test",
  eventId: undefined,
})

export const ownerDid = auditEntry("owner.test")

let grants = 0
export function grant(method: string, param?: string, fields: Partial<Grant> = {}): Grant {
  const id = `grant-${++grants}`
  return {
    id,
    method,
    param,
    effect: "allow",
    expiresAt: undefined,
    usesLeft: undefined,
    rate: undefined,
    recentUses: [],
    conditions: {},
    ...fields,
  }
}

export function createBench(options: BenchOptions = {}): Bench {
  let ms = START * 1000
  const record = createMemoryRecord()
  const keys = createMemoryKeys(crypto)
  const userPubkey = keys.addUserKey()
  const faults: unknown[] = []
  let requests = 0

  function engineOf({ signer, record: seenRecord, keys: seenKeys, onSigned }: BenchOptions): SignerEngine {
    const ports = {
      record: seenRecord?.(record) ?? record,
      keys: seenKeys?.(keys) ?? keys,
      crypto,
      clock: { now: () => ms },
      onFault: (fault: unknown) => faults.push(fault),
      ...(onSigned && { onSigned }),
    }
    return new SignerEngine(ports, signer)
  }

  function clientOf(secretKey: Uint8Array, remoteSignerPubkey: string): TestClient {
    const keypair = crypto.keypair(secretKey)
    const conversation = crypto.conversationKey(keypair, remoteSignerPubkey)
    const client: TestClient = {
      pubkey: keypair.pubkey,
      request(method, params = [], { id = `r${++requests}`, createdAt = Math.floor(ms / 1000), plaintext, tags } = {}) {
        const content = crypto.nip44Encrypt(plaintext ?? JSON.stringify({ id, method, params }), conversation)
        const template = { kind: NOSTR_CONNECT_KIND, content, tags: tags ?? [["p", remoteSignerPubkey]] }
        return crypto.signEvent({ ...template, created_at: createdAt }, keypair)
      },
      async send(event) {
        const outcome: Outcome = await bench.engine.handle(event)
        if (outcome.kind === "answered") return client.open(outcome.answer)
        return outcome.kind === "ignored" ? { ignored: outcome.why } : { waiting: outcome.approvalId }
      },
      ask: (method, params, fields) => client.send(client.request(method, params, fields)),
      open({ event }) {
        if (!crypto.verifyEvent(event)) throw new Error("the answer is not a genuine event")
        if (event.kind !== NOSTR_CONNECT_KIND) throw new Error(`the answer has kind ${event.kind}`)
        if (event.pubkey !== remoteSignerPubkey) throw new Error("the answer has another author")
        if (JSON.stringify(event.tags) !== JSON.stringify([["p", keypair.pubkey]]))
          throw new Error("not for this client")
        return JSON.parse(crypto.nip44Decrypt(event.content, conversation)) as Reading
      },
      at: (other) => clientOf(secretKey, other),
    }
    return client
  }

  const bench: Bench = {
    record,
    keys,
    userPubkey,
    faults,
    engine: engineOf(options),
    restart(again = {}) {
      bench.engine.close()
      bench.engine = engineOf(again)
      return bench.engine
    },
    advance(by) {
      ms += by
    },
    now: () => Math.floor(ms / 1000),
    async offer(perms = "", ttl = 600) {
      const permissions = parsePermissions(perms)
      const { token, connection } = await bench.engine.offer({ userPubkey, permissions, relays: RELAYS, ttl })
      const { secret } = parseBunkerToken(token)
      if (secret === undefined) throw new Error("an offered token has a secret")
      return { token, secret, connection }
    },
    client: (remoteSignerPubkey) => clientOf(crypto.generateSecretKey(), remoteSignerPubkey),
    async connected(given = [], fields = {}) {
      const transport = await keys.createTransportKey()
      const client = bench.client(transport.pubkey)
      const connection: Connection = {
        id: `connection-of-${client.pubkey}`,
        userPubkey,
        remoteSignerPubkey: transport.pubkey,
        sealedTransportKey: transport.sealed,
        clientPubkey: client.pubkey,
        state: "active",
        secretHash: undefined,
        secretExpiresAt: undefined,
        expiresAt: undefined,
        relays: RELAYS,
        clientRelays: RELAYS,
        guardedRelays: [],
        connectResponse: undefined,
        nip04Transport: false,
        style: "deny",
        app: {},
        requestedPerms: "",
        grants:
          typeof given === "string" ? parsePermissions(given).map(({ method, param }) => grant(method, param)) : given,
        createdAt: START,
        lastUsedAt: undefined,
        endedAt: undefined,
        revision: 1,
        ...fields,
      }
      await record.createConnection(connection, auditEntry("owner.test"))
      return client
    },
    async connectionOf(client) {
      const found = (await record.connections()).find(({ clientPubkey }) => clientPubkey === client.pubkey)
      if (found === undefined) throw new Error("this client has no connection")
      return found
    },
  }
  return bench
}

/** The param of `sign_event`. */
export function eventJson(kind = 1, content = "hello", more: Record<string, unknown> = {}): string {
  return JSON.stringify({ kind, content, tags: [], created_at: START, ...more })
}

/** The event that `sign_event` gave; fails when it gave none that is genuine. */
export function signedIn(reading: Reading): NostrEvent {
  if (!("result" in reading) || reading.error !== undefined) throw new Error(`not signed: ${JSON.stringify(reading)}`)
  const event = JSON.parse(reading.result) as NostrEvent
  if (!crypto.verifyEvent(event)) throw new Error("what was signed is not genuine")
  return event
}

/** A refusal that says this. */
export function errorOf(reading: Reading): string {
  if (!("error" in reading) || reading.error === undefined) throw new Error(`no error: ${JSON.stringify(reading)}`)
  if (reading.result !== "error") throw new Error("an error without the result that every client reads")
  return reading.error
}
