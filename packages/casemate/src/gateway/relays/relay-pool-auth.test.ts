import { once } from "node:events"
import type { AddressInfo } from "node:net"
import { createNodeBackend } from "@casemate/nip46/crypto/node"
import type { NostrEvent } from "@casemate/nip46/protocol"
import { FaultRelay, type RelayFaults } from "@casemate/nip46/testing"
import type { WebSocketFactory } from "@casemate/nip46/transport"
import { pino } from "pino"
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { WebSocketServer } from "ws"
import type { ProofAsk, Watch } from "../../channel/gateway-channel.js"
import { RelayPool } from "./relay-pool.js"
import { createWsFactory } from "./ws-factory.js"

const crypto = createNodeBackend()
const makeKey = () => crypto.keypair(crypto.generateSecretKey())
const KEYS = Array.from({ length: 52 }, makeKey)
const PUBKEYS = KEYS.map(({ pubkey }) => pubkey)
const THREE = PUBKEYS.slice(0, 3)
const [A, B, C, D] = PUBKEYS as [string, string, string, string]
const app = makeKey()

const closing: (() => void)[] = []
let pool: RelayPool
let events: NostrEvent[]
let asks: ProofAsk[]
let logged: string[]
/** Pubkeys for which the keyd of these tests declines. */
let declined: Set<string>

beforeEach(() => {
  events = []
  asks = []
  logged = []
  declined = new Set()
  pool = openPool(createWsFactory())
})
afterEach(() => {
  for (const close of closing.splice(0).reverse()) close()
})

function openPool(webSocket: WebSocketFactory): RelayPool {
  const opened = new RelayPool({
    webSocket,
    onEvent: (event) => void events.push(event),
    prove,
    log: pino({ level: "info" }, { write: (line: string) => void logged.push(line) }),
  })
  closing.push(() => opened.close())
  return opened
}

const now = (): number => Math.floor(Date.now() / 1000)

async function prove(ask: ProofAsk): Promise<NostrEvent | undefined> {
  asks.push(ask)
  const key = KEYS.find(({ pubkey }) => pubkey === ask.remoteSignerPubkey)
  if (key === undefined || declined.has(key.pubkey)) return undefined
  const tags = [
    ["relay", ask.relay],
    ["challenge", ask.challenge],
  ]
  return crypto.signEvent({ kind: 22242, content: "", tags, created_at: now() }, key)
}

async function startRelay(faults: Partial<RelayFaults>): Promise<FaultRelay> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" })
  await once(server, "listening")
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
  const relay = new FaultRelay({ url, faults, verifyEvent: (event) => crypto.verifyEvent(event) })
  server.on("connection", (socket) => relay.accept(socket))
  closing.push(() => {
    relay.close()
    server.close()
  })
  return relay
}

const watch = (relay: FaultRelay, ...pubkeys: readonly string[]): void => {
  for (const pubkey of pubkeys) pool.watch(watchOf(pubkey), [relay.url])
}
const watchOf = (pubkey: string): Watch => ({
  connectionId: pubkey,
  remoteSignerPubkey: pubkey,
  relays: [],
  guarded: [],
})

let content = 0
const from = (author: { pubkey: string }, to: string): NostrEvent => {
  const key = [app, ...KEYS].find(({ pubkey }) => pubkey === author.pubkey) as (typeof KEYS)[number]
  return crypto.signEvent({ kind: 24133, content: `${++content}`, tags: [["p", to]], created_at: now() }, key)
}

/** From now on, a request to each of them reaches the pool. */
async function expectServed(relay: FaultRelay, ...pubkeys: readonly string[]): Promise<void> {
  events.length = 0
  const unheard = () => pubkeys.filter((pubkey) => !events.some(({ tags }) => tags[0]?.[1] === pubkey))
  await vi.waitFor(
    () => {
      // What came while nobody listened is gone: another one.
      for (const pubkey of unheard()) relay.publish(from(app, pubkey))
      expect(unheard()).toEqual([])
    },
    { timeout: 10_000 },
  )
}

const reqs = (relay: FaultRelay): number => relay.of("REQ").length

describe.each(["early", "late", "prefixed"] as const)("a relay that asks for proofs: %s", (authRequired) => {
  it("and keeps all of them: one socket, one proof for each key, and all are served and published for", async () => {
    const relay = await startRelay({ authRequired })
    watch(relay, ...THREE)
    await vi.waitFor(() => expect(relay.subscriptions).toHaveLength(1), { timeout: 10_000 })
    expect(relay.authenticated).toEqual([THREE])
    await expectServed(relay, ...THREE)
    expect(await Promise.all(KEYS.slice(0, 3).map((key) => pool.publish(from(key, app.pubkey), [relay.url])))).toEqual([
      true,
      true,
      true,
    ])
    expect(asks.map(({ remoteSignerPubkey }) => remoteSignerPubkey)).toEqual(THREE)
    expect(new Set(asks.map((ask) => ask.relay))).toEqual(new Set([relay.url]))
    expect([relay.sockets, relay.of("AUTH").length, reqs(relay)]).toEqual([1, 3, 2])
  })

  it("and keeps one: a socket for each key, and answers leave by the socket of their author", async () => {
    const relay = await startRelay({ authRequired, authPubkeys: "one" })
    watch(relay, ...THREE)
    await vi.waitFor(() => expect(relay.subscriptions).toHaveLength(3), { timeout: 10_000 })
    await vi.waitFor(() => expect(relay.sockets).toBe(3))
    expect(relay.authenticated.flat().toSorted()).toEqual(THREE.toSorted())
    await expectServed(relay, ...THREE)
    const answers = KEYS.slice(0, 3).map((key) => from(key, app.pubkey))
    expect(await Promise.all(answers.map((answer) => pool.publish(answer, [relay.url])))).toEqual([true, true, true])
    // Once each, so on the right socket at the first try.
    expect(relay.events.map(({ id }) => id).toSorted()).toEqual(answers.map(({ id }) => id).toSorted())
    expect(asks).toHaveLength(6)
    expect(logged.join("")).toContain("knows one pubkey a socket")
  })

  it("a key that comes later is proven before the relay is asked to serve it", async () => {
    const relay = await startRelay({ authRequired })
    watch(relay, A)
    await expectServed(relay, A)
    watch(relay, B)
    await expectServed(relay, A, B)
    watch(relay, C, D)
    await expectServed(relay, A, B, C, D)
    expect(relay.authenticated).toEqual([[A, B, C, D]])
    // Only the very first was refused: nobody was unheard meanwhile.
    expect([relay.sockets, relay.of("AUTH").length, reqs(relay)]).toEqual([1, 4, 4])
  })

  it("a key that comes later to a relay that keeps one: both are served, each on its own socket", async () => {
    const relay = await startRelay({ authRequired, authPubkeys: "one" })
    watch(relay, A)
    await expectServed(relay, A)
    watch(relay, B)
    await expectServed(relay, A, B)
    expect(relay.sockets).toBe(2)
    watch(relay, C)
    await expectServed(relay, A, B, C)
    pool.watch(watchOf(B), [])
    await vi.waitFor(() => expect(relay.authenticated.flat().toSorted()).toEqual([A, C].toSorted()))
    await expectServed(relay, A, C)
  })

  it("an answer that goes out first is what it refuses, and goes out again", async () => {
    const relay = await startRelay({ authRequired, authPubkeys: "one", refuseSubscriptions: "restricted: write only" })
    watch(relay, ...THREE)
    const answers = KEYS.slice(0, 3).map((key) => from(key, app.pubkey))
    expect(await Promise.all(answers.map((answer) => pool.publish(answer, [relay.url])))).toEqual([true, true, true])
  })

  it("a new connection is asked anew", async () => {
    const relay = await startRelay({ authRequired })
    watch(relay, A, B)
    await expectServed(relay, A, B)
    relay.closeAll()
    await expectServed(relay, A, B)
    expect(asks.map(({ remoteSignerPubkey }) => remoteSignerPubkey)).toEqual([A, B, A, B])
    expect(new Set(asks.map(({ challenge }) => challenge)).size).toBe(2)
  })
})

it("nothing is signed for a relay that refuses nothing, whatever it says", async () => {
  const relay = await startRelay({})
  watch(relay, A)
  await expectServed(relay, A)
  relay.challenge()
  watch(relay, B)
  await expectServed(relay, A, B)
  expect(asks).toEqual([])
})

it("a connection for which keyd declines costs the others nothing", async () => {
  declined.add(B)
  const relay = await startRelay({ authRequired: "early" })
  watch(relay, ...THREE)
  await expectServed(relay, A, C)
  expect(relay.authenticated).toEqual([[A, C]])
  expect(logged.filter((line) => line.includes("a relay lets some connections not in"))).toHaveLength(1)
  expect(JSON.parse(logged.at(-1) as string)).toMatchObject({ relay: relay.url, connections: 1 })
})

it("a keyd that was away when a relay asked is asked again once it is back, and names its watches", async () => {
  for (const pubkey of THREE) declined.add(pubkey)
  const relay = await startRelay({ authRequired: "late" })
  watch(relay, ...THREE)
  await vi.waitFor(() => expect(logged.join("")).toContain("a relay lets some connections not in"))
  expect(asks).toHaveLength(3)
  declined.clear()
  watch(relay, ...THREE)
  await expectServed(relay, ...THREE)
  expect(asks).toHaveLength(6)
  expect(reqs(relay)).toBe(2)
})

describe("in memory", () => {
  let relay: FaultRelay

  function start(faults: Partial<RelayFaults>): void {
    vi.useFakeTimers()
    relay = new FaultRelay({ faults, verifyEvent: (event) => crypto.verifyEvent(event) })
    pool = openPool(relay.webSocket)
    closing.push(() => {
      pool.close()
      relay.close()
      expect(vi.getTimerCount()).toBe(0)
      vi.useRealTimers()
    })
  }

  it("a relay that lets nobody in is asked again after 30 s, then ever more rarely", async () => {
    start({ authRequired: "early", refuseAuth: "restricted: not yet" })
    watch(relay, A)
    await vi.advanceTimersByTimeAsync(29_999)
    expect(asks).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(1)
    expect(asks).toHaveLength(2)
    await vi.advanceTimersByTimeAsync(24 * 3_600_000)
    expect(asks.length).toBeGreaterThan(24)
    expect(asks.length).toBeLessThan(40)
    expect(relay.dials).toBe(1)
    relay.faults.refuseAuth = undefined
    await vi.advanceTimersByTimeAsync(3_600_000)
    expect(relay.authenticated).toEqual([[A]])
    expect(relay.subscriptions).toHaveLength(1)
  })

  it("a relay that keeps one gets 50 sockets; a log line says that it cannot serve more, and one that is free is used", async () => {
    start({ authRequired: "late", authPubkeys: "one" })
    watch(relay, ...PUBKEYS)
    await vi.advanceTimersByTimeAsync(100)
    expect(relay.sockets).toBe(50)
    expect(relay.authenticated.flat()).toEqual(PUBKEYS.slice(0, 50))
    const full = logged.filter((line) => line.includes("cannot serve more connections"))
    expect(full.map((line) => JSON.parse(line) as object)).toEqual([
      expect.objectContaining({ relay: relay.url, served: 50, connections: 52 }),
    ])
    expect(await pool.publish(from(KEYS[51] as { pubkey: string }, app.pubkey), [relay.url])).toBe(false)
    pool.watch(watchOf(A), [])
    await vi.advanceTimersByTimeAsync(100)
    expect(relay.authenticated.flat()).toEqual(PUBKEYS.slice(1, 51))
    expect(relay.sockets).toBe(50)
  })

  it("hangs up on every socket where nobody is listened for any more", async () => {
    start({ authRequired: "late", authPubkeys: "one" })
    watch(relay, ...THREE)
    await vi.advanceTimersByTimeAsync(100)
    expect(relay.sockets).toBe(3)
    for (const pubkey of THREE) pool.watch(watchOf(pubkey), [])
    await vi.advanceTimersByTimeAsync(0)
    expect(relay.sockets).toBe(0)
    expect(vi.getTimerCount()).toBe(0)
  })
})
