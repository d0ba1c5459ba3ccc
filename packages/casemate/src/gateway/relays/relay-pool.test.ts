import { once } from "node:events"
import type { AddressInfo } from "node:net"
import type { NostrEvent } from "@casemate/nip46/protocol"
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { type WebSocket, WebSocketServer } from "ws"
import type { Watch } from "../../channel/gateway-channel.js"
import { createLogger } from "../../config/log.js"
import { RelayPool } from "./relay-pool.js"
import { createWsFactory } from "./ws-factory.js"

type Message = [string, ...unknown[]]
interface Filter {
  kinds: number[]
  "#p": string[]
  since: number
}

interface Relay {
  readonly url: string
  readonly got: Message[]
  readonly sockets: Set<WebSocket>
  /** The pubkeys of the subscription that stands. */
  listensFor(): string[]
  send(event: NostrEvent): void
}

const closing: (() => void)[] = []
let pool: RelayPool
let events: NostrEvent[]

beforeEach(() => {
  events = []
  pool = new RelayPool({
    webSocket: createWsFactory(),
    onEvent: (event) => void events.push(event),
    prove: async () => undefined,
    log: createLogger("test", "silent"),
  })
})
afterEach(() => {
  pool.close()
  for (const close of closing.splice(0)) close()
})

/** Without a verdict it says nothing. */
async function startRelay(verdict: () => [boolean, string] | undefined = () => [true, ""]): Promise<Relay> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" })
  const got: Message[] = []
  let standing: { id: string; filters: Filter[] } | undefined
  server.on("connection", (socket) => {
    socket.on("message", (data) => {
      const message = JSON.parse((data as Buffer).toString()) as Message
      got.push(message)
      const [label, first, ...rest] = message
      if (label === "REQ") {
        standing = { id: first as string, filters: rest as Filter[] }
        socket.send(JSON.stringify(["EOSE", first]))
      }
      if (label === "CLOSE") standing = undefined
      const said = label === "EVENT" ? verdict() : undefined
      if (said !== undefined) socket.send(JSON.stringify(["OK", (first as NostrEvent).id, ...said]))
    })
  })
  await once(server, "listening")
  closing.push(() => {
    for (const socket of server.clients) socket.terminate()
    server.close()
  })
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    got,
    sockets: server.clients,
    listensFor: () => standing?.filters.flatMap((filter) => filter["#p"]) ?? [],
    send(event) {
      for (const socket of server.clients) socket.send(JSON.stringify(["EVENT", standing?.id, event]))
    },
  }
}

const DAY = 86_400
const NOW = Math.floor(Date.now() / 1000)
const watch = (pubkey: string): Watch => ({ connectionId: pubkey, remoteSignerPubkey: pubkey, relays: [], guarded: [] })
const pubkey = (n: number): string => n.toString(16).padStart(64, "0")
const event = (id: number): NostrEvent => ({
  id: pubkey(id),
  pubkey: pubkey(1),
  created_at: NOW,
  kind: 24133,
  tags: [["p", pubkey(2)]],
  content: "x",
  sig: "0".repeat(128),
})

/** Relays apply it to live events, so a client whose clock is behind is heard so far. */
function expectOfADay(since: number): void {
  expect(Date.now() / 1000 - since).toBeGreaterThanOrEqual(DAY)
  expect(Date.now() / 1000 - since).toBeLessThan(DAY + 60)
}

describe("RelayPool", () => {
  it("listens with one socket and one subscription a relay, 500 pubkeys a filter, from a day ago", async () => {
    const relay = await startRelay()
    for (let n = 0; n < 1_200; n++) pool.watch(watch(pubkey(n)), [relay.url])
    await vi.waitFor(() => expect(relay.listensFor()).toHaveLength(1_200))
    expect(relay.sockets.size).toBe(1)
    const [req, ...more] = relay.got.filter(([label]) => label === "REQ")
    expect(more).toEqual([])
    const filters = req?.slice(2) as Filter[]
    expect(filters.map((filter) => filter["#p"].length)).toEqual([500, 500, 200])
    for (const { kinds, since } of filters) {
      expect(kinds).toEqual([24133])
      expectOfADay(since)
    }
  })

  it("hands on what relays send, as it came", async () => {
    const [a, b] = [await startRelay(), await startRelay()]
    pool.watch(watch(pubkey(2)), [a.url, b.url])
    await vi.waitFor(() => expect([...a.listensFor(), ...b.listensFor()]).toEqual([pubkey(2), pubkey(2)]))
    a.send(event(1))
    b.send(event(1))
    b.send(event(2))
    await vi.waitFor(() => expect(events.map(({ id }) => id).sort()).toEqual([pubkey(1), pubkey(1), pubkey(2)]))
    expect(events).toContainEqual(event(2))
  })

  it("listens anew when watches come and go, and no longer where nothing is watched", async () => {
    const [a, b] = [await startRelay(), await startRelay()]
    pool.watch(watch(pubkey(1)), [a.url])
    pool.watch(watch(pubkey(2)), [a.url])
    await vi.waitFor(() => expect(a.listensFor()).toEqual([pubkey(1), pubkey(2)]))
    pool.watch(watch(pubkey(1)), [b.url])
    await vi.waitFor(() => expect(b.listensFor()).toEqual([pubkey(1)]))
    await vi.waitFor(() => expect(a.listensFor()).toEqual([pubkey(2)]))
    pool.watch(watch(pubkey(2)), [])
    await vi.waitFor(() => expect([a.sockets.size, b.sockets.size]).toEqual([0, 1]))
    // Whoever comes back is listened for again.
    pool.watch(watch(pubkey(2)), [a.url])
    await vi.waitFor(() => expect(a.sockets.size).toBe(1))
    await vi.waitFor(() => expect(a.listensFor()).toEqual([pubkey(2)]))
  })

  it("keeps the socket of a watch that moves away and back in one turn", async () => {
    const relay = await startRelay()
    pool.watch(watch(pubkey(1)), [relay.url])
    await vi.waitFor(() => expect(relay.listensFor()).toEqual([pubkey(1)]))
    const [socket] = relay.sockets
    pool.watch(watch(pubkey(1)), [])
    pool.watch(watch(pubkey(1)), [relay.url])
    expect(await pool.publish(event(9), [relay.url])).toBe(true)
    expect([...relay.sockets]).toEqual([socket])
    expect(relay.listensFor()).toEqual([pubkey(1)])
  })

  it("hangs up where nobody is listened for once its answers are out, not before", async () => {
    const relay = await startRelay(() => undefined)
    const published = pool.publish(event(1), [relay.url])
    pool.watch(watch(pubkey(1)), [relay.url])
    await vi.waitFor(() => expect(relay.listensFor()).toEqual([pubkey(1)]))
    await vi.waitFor(() => expect(relay.got.map(([label]) => label)).toContain("EVENT"))
    pool.watch(watch(pubkey(1)), [])
    await vi.waitFor(() => expect(relay.listensFor()).toEqual([]))
    const [socket] = relay.sockets
    socket?.send(JSON.stringify(["OK", event(1).id, true, ""]))
    expect(await published).toBe(true)
    await vi.waitFor(() => expect(relay.sockets.size).toBe(0))
  })

  it("dials a relay that is down no more once nobody is listened for there", async () => {
    vi.useFakeTimers()
    closing.push(() => vi.useRealTimers())
    let dials = 0
    const webSocket = (): never => {
      dials += 1
      throw new Error("down")
    }
    const log = createLogger("test", "silent")
    const lost = new RelayPool({ webSocket, onEvent: () => undefined, prove: async () => undefined, log })
    closing.push(() => lost.close())
    lost.watch(watch(pubkey(1)), ["ws://down.example"])
    await vi.advanceTimersByTimeAsync(60_000)
    expect(dials).toBeGreaterThan(1)
    lost.watch(watch(pubkey(1)), [])
    await vi.advanceTimersByTimeAsync(0)
    const before = dials
    await vi.advanceTimersByTimeAsync(600_000)
    expect(dials).toBe(before)
    expect(vi.getTimerCount()).toBe(0)
  })

  it("asks nothing again for a watch that is known", async () => {
    const relay = await startRelay()
    pool.watch(watch(pubkey(1)), [relay.url])
    await vi.waitFor(() => expect(relay.listensFor()).toEqual([pubkey(1)]))
    pool.watch(watch(pubkey(1)), [relay.url])
    expect(await pool.publish(event(9), [relay.url])).toBe(true)
    expect(relay.got.filter(([label]) => label === "REQ")).toHaveLength(1)
  })

  it("listens again after a relay was lost", async () => {
    const relay = await startRelay()
    pool.watch(watch(pubkey(1)), [relay.url])
    await vi.waitFor(() => expect(relay.got).toHaveLength(1))
    for (const socket of relay.sockets) socket.terminate()
    await vi.waitFor(() => expect(relay.got.filter(([label]) => label === "REQ")).toHaveLength(2), { timeout: 10_000 })
    expect(relay.listensFor()).toEqual([pubkey(1)])
    const again = relay.got.filter(([label]) => label === "REQ")[1] as Message
    expectOfADay((again[2] as Filter).since)
  })

  it("QUIRKS signer 15: is listening once one relay has the watch: its REQ is there before any event of ours", async () => {
    const [good, silent] = [await startRelay(), await startRelay()]
    pool.watch(watch(pubkey(7)), [good.url, silent.url, "ws://127.0.0.1:1"])
    expect(await pool.listening(watch(pubkey(7)), [good.url, silent.url, "ws://127.0.0.1:1"])).toEqual([])
    await pool.publish(event(1), [good.url])
    const isReq = (message: Message): boolean =>
      message[0] === "REQ" && (message[2] as Filter)["#p"].includes(pubkey(7))
    const at = good.got.findIndex(([label]) => label === "EVENT")
    expect(good.got.slice(0, at).some(isReq)).toBe(true)
    // What it asked by is closed again, and what listens stays.
    await vi.waitFor(() => expect(good.got.filter(([label]) => label === "CLOSE")).toHaveLength(1))
    expect(good.got.filter(isReq)).toHaveLength(2)
  })

  it("says of each relay why it cannot listen there", { timeout: 20_000 }, async () => {
    const urls = ["ws://127.0.0.1:1", "ws://127.0.0.1:2"]
    pool.watch(watch(pubkey(7)), urls)
    const failures = await pool.listening(watch(pubkey(7)), urls)
    expect(failures.map(({ relay }) => relay).sort()).toEqual(urls)
    for (const { reason } of failures) expect(reason).toMatch(/ECONNREFUSED/)
  })

  it("has published once one relay took the event, however the others fare", async () => {
    const [good, bad] = [await startRelay(), await startRelay(() => [false, "blocked: no"])]
    expect(await pool.publish(event(1), [bad.url, "ws://127.0.0.1:1", good.url])).toBe(true)
    expect(good.got).toEqual([["EVENT", event(1)]])
  })

  it("says so when no relay took it", async () => {
    const bad = await startRelay(() => [false, "blocked: no"])
    expect(await pool.publish(event(1), [bad.url])).toBe(false)
    expect(await pool.publish(event(1), [])).toBe(false)
  })

  it("hangs up on all relays, and what was on its way has failed", async () => {
    const silent = await startRelay()
    pool.watch(watch(pubkey(1)), [silent.url])
    await vi.waitFor(() => expect(silent.sockets.size).toBe(1))
    const published = pool.publish(event(1), ["ws://127.0.0.1:1"])
    pool.close()
    expect(await published).toBe(false)
    await vi.waitFor(() => expect(silent.sockets.size).toBe(0))
  })
})
