import { once } from "node:events"
import type { AddressInfo } from "node:net"
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { WebSocket, WebSocketServer } from "ws"
import { checkLeaks } from "../../test/support/leaks.js"
import { BOB, crypto, KEYS, proof, RawPeer, START, signed } from "../../test/support/raw-peer.js"
import type { NostrEvent } from "../protocol/event.js"
import { RelayConnection, type RelayState } from "../transport/relay-connection.js"
import { FaultRelay, type FaultRelayOptions } from "./fault-relay.js"

const FILTERS = [{ kinds: [24133], "#p": [BOB] }]
const relays: FaultRelay[] = []
const connections: RelayConnection[] = []

checkLeaks()

function closeAll(): void {
  for (const connection of connections.splice(0)) connection.close()
  for (const relay of relays.splice(0)) relay.close()
}

function create(options: FaultRelayOptions = {}): FaultRelay {
  const relay = new FaultRelay({ verifyEvent: (event) => crypto.verifyEvent(event), ...options })
  relays.push(relay)
  return relay
}

describe("in memory", () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: START * 1000 })
  })

  afterEach(() => {
    closeAll()
    expect(vi.getTimerCount()).toBe(0)
    vi.useRealTimers()
  })

  async function settled(): Promise<void> {
    await vi.advanceTimersByTimeAsync(0)
  }

  async function dial(relay: FaultRelay): Promise<RawPeer> {
    const peer = RawPeer.dial(relay)
    await settled()
    return peer
  }

  test("a dial opens later, never within the call, and sending before that throws", async () => {
    const relay = create()
    const peer = RawPeer.dial(relay)
    expect([peer.opened, peer.socket.readyState]).toEqual([false, 0])
    expect(() => peer.say("REQ")).toThrow("not open yet")
    await settled()
    expect([peer.opened, peer.socket.readyState]).toEqual([true, 1])
    peer.say("REQ", "sub", {})
    expect(peer.texts).toEqual([])
    await settled()
    expect(peer.heard).toEqual([["EOSE", "sub"]])
    expect([relay.dials, relay.sockets]).toEqual([1, 1])
  })

  test("defer: frames arrive when it says, here with timers", async () => {
    const relay = create({ defer: (task) => setTimeout(task, 0) })
    const peer = RawPeer.dial(relay)
    await Promise.resolve()
    expect(peer.opened).toBe(false)
    await vi.runAllTimersAsync()
    expect(peer.opened).toBe(true)
    peer.socket.close(1000)
    await vi.runAllTimersAsync()
    expect(peer.closes).toEqual([1000])
  })

  test("both sides can close, with a code, and only once", async () => {
    const relay = create()
    const [mine, theirs] = [await dial(relay), await dial(relay)]
    mine.socket.close(4001, "bye")
    expect(mine.socket.readyState).toBe(2)
    await settled()
    expect([mine.socket.readyState, mine.closes, relay.sockets]).toEqual([3, [4001], 1])
    relay.closeAll(1013)
    await settled()
    expect([theirs.socket.readyState, theirs.closes, relay.sockets]).toEqual([3, [1013], 0])
    theirs.socket.close()
    theirs.socket.terminate!()
    await settled()
    expect(theirs.closes).toEqual([1013])
    expect((await dial(relay)).opened).toBe(true)
  })

  test("terminate cuts both sides without a handshake", async () => {
    const relay = create()
    const peer = await dial(relay)
    peer.socket.terminate!()
    await settled()
    expect([peer.closes, relay.sockets]).toEqual([[1006], 0])
  })

  test("stop: sockets are cut and dials fail; start: they open", async () => {
    const relay = create()
    const before = await dial(relay)
    relay.stop()
    const during = await dial(relay)
    expect([before.closes, before.errors]).toEqual([[1006], 0])
    expect([during.opened, during.closes, during.errors]).toEqual([false, [1006], 1])
    relay.start()
    expect((await dial(relay)).opened).toBe(true)
    expect(relay.dials).toBe(3)
  })

  test("hangDials: neither open nor failed, until the client gives up", async () => {
    const relay = create({ faults: { hangDials: true } })
    const [patient, impatient] = [await dial(relay), await dial(relay)]
    impatient.socket.close()
    await vi.advanceTimersByTimeAsync(3_600_000)
    expect([patient.opened, patient.closes, patient.socket.readyState]).toEqual([false, [], 0])
    expect([impatient.opened, impatient.closes]).toEqual([false, [1006]])
    expect(relay.sockets).toBe(0)
    relay.faults.hangDials = false
    expect((await dial(relay)).opened).toBe(true)
  })

  test("dieSilently: open, deaf and mute, no pong, no end of a close; a new dial is served", async () => {
    const relay = create({ faults: { delayMs: 100 } })
    const peer = await dial(relay)
    peer.socket.ping!()
    await settled()
    expect(peer.pongs).toBe(1)
    peer.say("REQ", "sub", {})
    await settled()
    relay.dieSilently()
    relay.publish(signed())
    relay.notice("anyone?")
    peer.socket.ping!()
    peer.say("EVENT", signed())
    await vi.advanceTimersByTimeAsync(3_600_000)
    expect([peer.texts, peer.pongs, peer.closes, peer.socket.readyState]).toEqual([[], 1, [], 1])
    expect(relay.events).toEqual([])
    expect(peer.socket.bufferedAmount).toBe(JSON.stringify(["EVENT", signed()]).length)
    peer.socket.close()
    await settled()
    expect([peer.socket.readyState, relay.sockets]).toEqual([2, 1])
    relay.beHonest()
    const next = await dial(relay)
    next.say("REQ", "sub", {})
    await settled()
    expect(next.heard).toEqual([["EOSE", "sub"]])
    peer.socket.terminate!()
    await settled()
    expect([peer.closes, relay.sockets]).toEqual([[1006], 1])
  })

  test("pingFrames false: sockets like a browser's", async () => {
    expect((await dial(create({ pingFrames: false }))).socket.ping).toBeUndefined()
  })

  test("RelayConnection lives through a death, an outage and a restart", async () => {
    const relay = create()
    const got: NostrEvent[] = []
    const reasons: string[] = []
    const connection = new RelayConnection({
      url: relay.url,
      webSocket: relay.webSocket,
      random: () => 0,
      onState: (state: RelayState) => state.kind === "waiting" && reasons.push(state.reason),
    })
    connections.push(connection)
    connection.subscribe(FILTERS, { onEvent: (event) => got.push(event) })
    await settled()
    const [first, second] = [signed(), signed({ content: "second" })]
    expect(await connection.publish(first)).toEqual({ kind: "accepted", message: "" })
    relay.dieSilently()
    await vi.advanceTimersByTimeAsync(31_000)
    expect([reasons, relay.sockets]).toEqual([["silent"], 1])
    relay.stop()
    await vi.advanceTimersByTimeAsync(10_000)
    relay.start()
    await vi.advanceTimersByTimeAsync(5_000)
    expect(await connection.publish(second)).toEqual({ kind: "accepted", message: "" })
    await settled()
    expect(got).toEqual([first, second])
  })
})

describe("behind a ws server", () => {
  let server: WebSocketServer
  let url: string

  beforeEach(async () => {
    server = new WebSocketServer({ port: 0, host: "127.0.0.1" })
    await once(server, "listening")
    url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
  })

  afterEach(async () => {
    closeAll()
    for (const client of server.clients) client.terminate()
    await new Promise((resolve) => server.close(resolve))
  })

  test("RelayConnection: authenticates late, subscribes, hears every event twice", async () => {
    const relay = create({ faults: { authRequired: "late", duplicates: 1 } })
    server.on("connection", (socket) => relay.accept(socket, url))
    const got: NostrEvent[] = []
    let eoses = 0
    const connection = new RelayConnection({
      url,
      webSocket: (address) => new WebSocket(address),
      authenticate: async (challenge, address) =>
        proof(challenge, address, KEYS[1], { created_at: Math.floor(Date.now() / 1000) }),
    })
    connections.push(connection)
    connection.subscribe(FILTERS, { onEvent: (event) => got.push(event), onEose: () => eoses++ })
    await vi.waitFor(() => expect(eoses).toBe(1))
    expect(relay.authenticated).toEqual([[BOB]])
    const event = signed({}, KEYS[1])
    expect(await connection.publish(event)).toEqual({ kind: "accepted", message: "" })
    await vi.waitFor(() => expect(got).toEqual([event, event]))
  })

  test("dieSilently: no pong either; before it there is one", async () => {
    const relay = create()
    server.on("connection", (socket) => relay.accept(socket, url))
    const socket = new WebSocket(url)
    await once(socket, "open")
    socket.ping()
    await once(socket, "pong")
    relay.dieSilently()
    let heard = 0
    for (const name of ["pong", "message", "close"]) socket.on(name, () => heard++)
    socket.ping()
    socket.send(JSON.stringify(["REQ", "sub", {}]))
    // Another socket asks and is answered afterwards, so that an answer to the first had its time.
    const other = new WebSocket(url)
    await once(other, "open")
    for (let i = 0; i < 20; i++) {
      other.ping()
      await once(other, "pong")
    }
    other.send(JSON.stringify(["REQ", "sub", {}]))
    await once(other, "message")
    expect(heard).toBe(0)
    expect(socket.readyState).toBe(WebSocket.OPEN)
    socket.terminate()
    other.terminate()
  })

  test("hangDials: a socket that was accepted stays open and mute", async () => {
    const relay = create({ faults: { hangDials: true } })
    server.on("connection", (socket) => relay.accept(socket, url))
    const connection = new RelayConnection({
      url,
      webSocket: (address) => new WebSocket(address),
      timing: { answerPatienceMs: 50, checkTimeoutMs: 50, backoffBaseMs: 10, minDialIntervalMs: 10 },
    })
    connections.push(connection)
    const result = connection.publish(signed(), { timeoutMs: 20_000 })
    await vi.waitFor(() => expect(relay.sockets).toBeGreaterThanOrEqual(2), 10_000)
    expect(relay.received).toEqual([])
    relay.beHonest()
    expect(await result).toEqual({ kind: "accepted", message: "" })
  })

  test("stop drops the sockets, and those that come after", async () => {
    const relay = create()
    server.on("connection", (socket) => relay.accept(socket, url))
    const before = new WebSocket(url)
    await once(before, "open")
    await vi.waitFor(() => expect(relay.sockets).toBe(1))
    relay.stop()
    expect((await once(before, "close"))[0]).toBe(1006)
    const after = new WebSocket(url)
    expect((await once(after, "close"))[0]).toBe(1006)
    expect(relay.sockets).toBe(0)
  })
})
