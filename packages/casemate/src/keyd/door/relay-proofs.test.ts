import { createNodeBackend } from "@casemate/nip46/crypto/node"
import {
  type AuditEntry,
  type Connection,
  createMemoryKeys,
  createMemoryRecord,
  type SignerKeys,
} from "@casemate/nip46/signer"
import { pino } from "pino"
import { beforeEach, describe, expect, it } from "vitest"
import { RelayProofs } from "./relay-proofs.js"

const crypto = createNodeBackend()
const START = 1_800_000_000
const RELAY = "wss://relay.example"
const CHALLENGE = "b3f1c2a4-challenge"

let now: number
let record: ReturnType<typeof createMemoryRecord>
let keys: ReturnType<typeof createMemoryKeys>
let userPubkey: string
let connection: Connection
let proofs: RelayProofs
let logged: string[]

const audit: AuditEntry = {
  at: START,
  actor: "owner",
  connectionId: undefined,
  action: "owner.test",
  param: undefined,
  verdict: "allow",
  why: "a test",
  eventId: undefined,
}

/** One more connection of the same user. */
async function offer(fields: Partial<Connection> = {}): Promise<Connection> {
  const { pubkey, sealed } = await keys.createTransportKey()
  const made: Connection = {
    id: pubkey.slice(0, 16),
    userPubkey,
    remoteSignerPubkey: pubkey,
    sealedTransportKey: sealed,
    clientPubkey: undefined,
    state: "offered",
    secretHash: "0".repeat(64),
    secretExpiresAt: START + 600,
    expiresAt: undefined,
    relays: [RELAY, "wss://other.example/path"],
    clientRelays: [],
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
    revision: 0,
    ...fields,
  }
  await record.createConnection(made, audit)
  return made
}

beforeEach(async () => {
  now = START * 1000
  logged = []
  record = createMemoryRecord()
  keys = createMemoryKeys(crypto)
  userPubkey = keys.addUserKey(crypto.generateSecretKey())
  connection = await offer()
  const transportOnly: SignerKeys = {
    ...keys,
    userKey: () => Promise.reject(new Error("a user key was asked for")),
  }
  proofs = new RelayProofs({
    record,
    keys: transportOnly,
    crypto,
    now: () => now,
    log: pino({ level: "debug" }, { write: (line: string) => void logged.push(line) }),
  })
})

const prove = (challenge: unknown = CHALLENGE, relay: unknown = RELAY, key: unknown = connection.remoteSignerPubkey) =>
  proofs.prove({ remoteSignerPubkey: key, relay, challenge })

describe("door 2, relay proofs", () => {
  it("signs for a relay that the client has not left yet", async () => {
    connection = await offer({ clientRelays: ["wss://theirs.example"] })
    expect((await prove(CHALLENGE, "wss://theirs.example"))?.tags[0]).toEqual(["relay", "wss://theirs.example"])
  })

  it("signs for a connection that is about to be recorded, while somebody waits for it", async () => {
    const { pubkey, sealed } = await keys.createTransportKey()
    const prospect: Connection = { ...connection, id: "soon", remoteSignerPubkey: pubkey, sealedTransportKey: sealed }
    expect(await prove(CHALLENGE, RELAY, pubkey)).toBeUndefined()
    const proof = await proofs.during(prospect, () => prove(CHALLENGE, RELAY, pubkey))
    expect(proof?.pubkey).toBe(pubkey)
    expect(await prove(CHALLENGE, RELAY, pubkey)).toBeUndefined()
    await expect(proofs.during(prospect, () => Promise.reject(new Error("no relay")))).rejects.toThrow("no relay")
    expect(await prove(CHALLENGE, RELAY, pubkey)).toBeUndefined()
  })

  it("signs the challenge of a relay with the transport key, and nothing more", async () => {
    const event = await prove()
    expect(event).toMatchObject({
      kind: 22242,
      pubkey: connection.remoteSignerPubkey,
      content: "",
      created_at: START,
      tags: [
        ["relay", RELAY],
        ["challenge", CHALLENGE],
      ],
    })
    expect(event !== undefined && crypto.verifyEvent(event)).toBe(true)
  })

  it.each([
    ["WSS://Relay.Example:443/", RELAY],
    ["wss://other.example/path/", "wss://other.example/path"],
  ])("knows %s as a relay of the connection, and names it as the connection does", async (asked, named) => {
    expect((await prove(CHALLENGE, asked))?.tags[0]).toEqual(["relay", named])
  })

  it.each([
    ["wss://relay.example.evil"],
    ["wss://relay.example/other"],
    ["ws://relay.example"],
    ["wss://relay.example:444"],
    ["wss://user:pass@relay.example"],
    ["https://relay.example"],
    ["relay.example"],
    [""],
    ["x".repeat(5_000)],
    [undefined],
    [[RELAY]],
  ])("declines for a relay that is not the connection's: %j", async (relay) => {
    expect(await prove(CHALLENGE, relay ?? null)).toBeUndefined()
  })

  it("declines an invalid relay though the connection has an invalid one too", async () => {
    const odd = await offer({ relays: ["not a relay"] })
    expect(await prove(CHALLENGE, "not a relay", odd.remoteSignerPubkey)).toBeUndefined()
    expect(await prove(CHALLENGE, "", odd.remoteSignerPubkey)).toBeUndefined()
  })

  it("declines for keys that are no connection's, the user's own first of all", async () => {
    const stranger = crypto.keypair(crypto.generateSecretKey()).pubkey
    const { remoteSignerPubkey } = connection
    for (const key of [userPubkey, stranger, "", "__proto__", remoteSignerPubkey.toUpperCase(), 7, null, {}]) {
      expect(await prove(CHALLENGE, RELAY, key)).toBeUndefined()
    }
    expect(await prove()).toBeDefined()
  })

  it.each([
    ["revoked", { state: "revoked", endedAt: START }],
    ["logged out", { state: "logged_out", endedAt: START }],
    ["an offer whose token has expired", { secretExpiresAt: START }],
    ["expired", { state: "active", clientPubkey: "c".repeat(64), expiresAt: START }],
  ] as const)("declines for a connection that has ended: %s", async (_, fields) => {
    const ended = await offer(fields)
    expect(await prove(CHALLENGE, RELAY, ended.remoteSignerPubkey)).toBeUndefined()
  })

  it.each(["active", "paused"] as const)("proves for a connection that is %s, until it is revoked", async (state) => {
    const live = await offer({ state, clientPubkey: "c".repeat(64) })
    expect(await prove(CHALLENGE, RELAY, live.remoteSignerPubkey)).toBeDefined()
    expect(await record.setState(live.id, "revoked", audit)).toBe(true)
    expect(await prove(CHALLENGE, RELAY, live.remoteSignerPubkey)).toBeUndefined()
  })

  it.each([
    ["empty", ""],
    ["too long", "x".repeat(513)],
    ["a line feed", "abc\ndef"],
    ["a NUL", "\u0000"],
    ["an escape", "\u001b[2J"],
    ["a C1 control", "\u0085"],
    ["half a surrogate pair", "\ud83d"],
    ["a number", 7],
    ["an array", ["abc"]],
    ["null", null],
  ])("declines an odd challenge: %s", async (_, challenge) => {
    expect(await prove(challenge)).toBeUndefined()
  })

  it.each([
    ["as long as it may be", "x".repeat(512)],
    ["JSON", '["challenge","x"],["p","y"]],"content"'],
    ["an event", JSON.stringify({ kind: 0, content: "{}", tags: [], created_at: START, pubkey: "a".repeat(64) })],
    ["a serialised event", JSON.stringify([0, "a".repeat(64), START, 1, [], "hello"])],
    ["a hash", "f".repeat(64)],
    ["beyond ASCII", "\u{1f511}\u2028"],
  ])("a challenge is one value of one tag, whatever it looks like: %s", async (_, challenge) => {
    const event = await prove(challenge)
    expect(event).toMatchObject({ kind: 22242, content: "", pubkey: connection.remoteSignerPubkey })
    expect(event?.tags).toEqual([
      ["relay", RELAY],
      ["challenge", challenge],
    ])
    expect(event !== undefined && crypto.verifyEvent(event)).toBe(true)
  })

  it("takes nothing else from the question", async () => {
    const event = await proofs.prove({
      remoteSignerPubkey: connection.remoteSignerPubkey,
      relay: RELAY,
      challenge: CHALLENGE,
      kind: 1,
      content: "hello",
      created_at: 1,
      tags: [["p", userPubkey]],
    })
    expect(event).toMatchObject({ kind: 22242, content: "", created_at: START })
    expect(event?.tags).toHaveLength(2)
  })

  it("declines what is no question", async () => {
    for (const ask of [undefined, null, 7, "x", [], {}, { relay: RELAY, challenge: CHALLENGE }]) {
      expect(await proofs.prove(ask)).toBeUndefined()
    }
  })

  it("signs five at once for a relay and one every two seconds, and other relays and connections are not charged", async () => {
    const made = async (relay = RELAY, key = connection.remoteSignerPubkey): Promise<number> => {
      let count = 0
      for (let n = 0; n < 100; n++) if ((await prove(`c${n}`, relay, key)) !== undefined) count += 1
      return count
    }
    expect(await made()).toBe(5)
    // Another spelling is the same relay.
    expect(await made("wss://RELAY.example/")).toBe(0)
    expect(await made("wss://other.example/path")).toBe(5)
    expect(await made(RELAY, (await offer()).remoteSignerPubkey)).toBe(5)
    now += 4_000
    expect(await made()).toBe(2)
  })

  it("questions that are declined are not charged, and the log says why without the challenge", async () => {
    for (let n = 0; n < 20; n++) await prove("secret\nchallenge")
    expect(await prove()).toBeDefined()
    expect(logged).toHaveLength(20)
    expect(logged[0]).toContain("the challenge is empty, too long or not plain text")
    expect(logged.join()).not.toContain("secret")
  })
})
