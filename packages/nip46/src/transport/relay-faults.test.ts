import { once } from "node:events"
import { type AddressInfo, createServer } from "node:net"
import { finalizeEvent, generateSecretKey } from "nostr-tools/pure"
import { afterEach, expect, test, vi } from "vitest"
import { WebSocket, WebSocketServer } from "ws"
import { checkLeaks } from "../../test/support/leaks.js"
import type { NostrEvent } from "../protocol/event.js"
import { RelayConnection, type RelayConnectionOptions, type RelayState } from "./relay-connection.js"

const FILTERS = [{ kinds: [24133], "#p": ["a".repeat(64)] }]
const TIMING = {
  connectTimeoutMs: 2_000,
  deadAfterMs: 600,
  checkTimeoutMs: 200,
  answerPatienceMs: 200,
  backoffBaseMs: 20,
  minDialIntervalMs: 20,
}

checkLeaks()

const cleanups: (() => void | Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** A relay whose every connection is handled by `behave`; `n` counts them from 1. */
async function faultyRelay(
  behave: (socket: WebSocket, n: number) => void,
): Promise<{ url: string; count: () => number }> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" })
  let count = 0
  server.on("connection", (socket) => {
    socket.on("error", () => {})
    count += 1
    behave(socket, count)
  })
  await once(server, "listening")
  cleanups.push(async () => {
    // Every socket of ours is gone by now, because connections are closed first.
    await vi.waitFor(() =>
      expect([...server.clients].filter((s) => s.readyState !== s.CLOSED && !s.isPaused)).toEqual([]),
    )
    for (const client of server.clients) client.terminate()
    await new Promise((resolve) => server.close(resolve))
  })
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`, count: () => count }
}

function connect(url: string, options: Partial<RelayConnectionOptions> = {}): RelayConnection {
  // A plain `ws` socket, as an application would hand in.
  const relay = new RelayConnection({ url, webSocket: (u) => new WebSocket(u), timing: TIMING, ...options })
  cleanups.push(() => relay.close())
  return relay
}

function answer(socket: WebSocket, reply: (message: unknown[]) => unknown[] | undefined): void {
  socket.on("message", (data) => {
    const message = reply(JSON.parse((data as Buffer).toString()) as unknown[])
    if (message !== undefined) socket.send(JSON.stringify(message))
  })
}

function honest([label, first]: unknown[]): unknown[] | undefined {
  if (label === "REQ") return ["EOSE", first]
  if (label === "EVENT") return ["OK", (first as NostrEvent).id, true, ""]
  return undefined
}

function signed(): NostrEvent {
  return finalizeEvent({ kind: 24133, content: "x", tags: [], created_at: 1 }, generateSecretKey())
}

test("a relay that answers everything but OK: the publish fails in time, the connection stays", async () => {
  const { url, count } = await faultyRelay((socket) =>
    answer(socket, (message) => (message[0] === "EVENT" ? undefined : honest(message))),
  )
  const relay = connect(url)
  expect(await relay.publish(signed(), { timeoutMs: 900 })).toEqual({ kind: "failed", reason: "no OK" })
  expect(relay.state.kind).toBe("connected")
  expect(count()).toBe(1)
})

test("a relay that goes deaf: found by the missing OK, and the event is sent again on the next connection", async () => {
  const { url, count } = await faultyRelay((socket, n) => (n === 1 ? socket.pause() : answer(socket, honest)))
  const relay = connect(url)
  expect(await relay.publish(signed(), { timeoutMs: 10_000 })).toEqual({ kind: "accepted", message: "" })
  expect(count()).toBe(2)
})

test("a half-open socket is found by its silence", async () => {
  const open: WebSocket[] = []
  const states: RelayState[] = []
  const { url, count } = await faultyRelay((socket) => {
    open.push(socket)
    answer(socket, honest)
  })
  let eoses = 0
  const relay = connect(url, { onState: (state) => states.push(state) })
  relay.subscribe(FILTERS, { onEvent: () => {}, onEose: () => eoses++ })
  await vi.waitFor(() => expect(eoses).toBe(1))
  open[0]!.pause()
  await vi.waitFor(() => expect(eoses).toBe(2), 10_000)
  expect(count()).toBe(2)
  expect(states.filter((state) => state.kind === "waiting").map((state) => state.reason)).toEqual(["silent"])
})

test("a relay that closes on the event: sent again until one keeps the socket", async () => {
  const { url, count } = await faultyRelay((socket, n) => {
    if (n > 3) answer(socket, honest)
    else socket.on("message", () => (n === 2 ? socket.terminate() : socket.close(1011)))
  })
  expect(await connect(url).publish(signed())).toEqual({ kind: "accepted", message: "" })
  expect(count()).toBe(4)
})

test("nobody there: the publish fails in time", async () => {
  const { url } = await faultyRelay(() => {})
  await cleanups.pop()!()
  const relay = connect(url)
  expect(await relay.publish(signed(), { timeoutMs: 300 })).toEqual({ kind: "failed", reason: "not connected" })
})

test("a server that never upgrades: dials end, and close ends the last", async () => {
  let dials = 0
  const server = createServer((socket) => {
    socket.on("error", () => {})
    // Read, so that the end of the other side is noticed.
    socket.resume()
    dials += 1
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
  const relay = connect(url, { timing: { ...TIMING, connectTimeoutMs: 100 } })
  relay.open()
  await vi.waitFor(() => expect(dials).toBeGreaterThanOrEqual(3), 10_000)
  relay.close()
  // Resolves only when no socket is left.
  await new Promise((resolve) => server.close(resolve))
  expect(relay.state.kind).toBe("closed")
})

test("garbage of every sort does no harm to what follows it", async () => {
  const event = signed()
  const { url } = await faultyRelay((socket) => {
    for (const text of ["", "{", "null", "[]", '["EVENT"]', '["EVENT","s1",{"__proto__":1}]', "[".repeat(100_000)]) {
      socket.send(text)
    }
    socket.send(Buffer.from([0xff, 0x00]))
    socket.send(JSON.stringify(["NOTICE", "x".repeat(200_000)]))
    answer(socket, (message) => {
      if (message[0] === "REQ") socket.send(JSON.stringify(["EVENT", message[1], event]))
      return honest(message)
    })
  })
  const got: NostrEvent[] = []
  const relay = connect(url)
  relay.subscribe(FILTERS, { onEvent: (e) => got.push(e) })
  await vi.waitFor(() => expect(got).toEqual([JSON.parse(JSON.stringify(event))]))
  expect(relay.state.kind).toBe("connected")
})
