import { once } from "node:events"
import { createServer, type Server } from "node:http"
import type { AddressInfo, Socket } from "node:net"
import type { NostrEvent } from "@casemate/nip46/protocol"
import {
  RelayConnection,
  type RelayConnectionOptions,
  type RelayState,
  type WebSocketFactory,
} from "@casemate/nip46/transport"
import { finalizeEvent, generateSecretKey, getPublicKey, verifyEvent } from "nostr-tools/pure"
import { afterEach, expect, test, vi } from "vitest"
import type { WebSocket } from "ws"
import { createWsFactory } from "../relays/ws-factory.js"
import { createRelayServer, type RelayServer } from "./relay-server.js"

const SIGNER = getPublicKey(generateSecretKey())
const FILTERS = [{ kinds: [24133], "#p": [SIGNER] }]

const cleanups: (() => void | Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** A relay that can be taken down and brought back on the same port. */
class RestartableRelay {
  relay!: RelayServer
  #server: Server | undefined
  port = 0

  async up(): Promise<void> {
    const verify = (event: NostrEvent) => verifyEvent(JSON.parse(JSON.stringify(event)) as NostrEvent)
    const relay = createRelayServer({ verifyEvent: verify })
    const server = createServer()
    server.on("upgrade", (req, socket, head) => relay.handleUpgrade(req, socket, head))
    server.listen(this.port, "127.0.0.1")
    await once(server, "listening")
    this.port = (server.address() as AddressInfo).port
    this.relay = relay
    this.#server = server
  }

  async down(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (server === undefined) return
    await this.relay.close()
    await new Promise((resolve) => server.close(resolve))
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}/relay`
  }
}

async function start(): Promise<RestartableRelay> {
  const server = new RestartableRelay()
  await server.up()
  cleanups.push(() => server.down())
  return server
}

function connect(url: string, options: Partial<RelayConnectionOptions> = {}): RelayConnection {
  const timing = { minDialIntervalMs: 20, backoffBaseMs: 20, backoffFastMaxMs: 100, ...options.timing }
  const relay = new RelayConnection({ url, webSocket: createWsFactory(), ...options, timing })
  cleanups.push(() => relay.close())
  return relay
}

function sign(content: string): NostrEvent {
  const template = { kind: 24133, content, tags: [["p", SIGNER]], created_at: Math.floor(Date.now() / 1000) }
  return JSON.parse(JSON.stringify(finalizeEvent(template, generateSecretKey()))) as NostrEvent
}

test("an event goes from one connection to another through the built-in relay", async () => {
  const server = await start()
  const got: NostrEvent[] = []
  const receiver = connect(server.url)
  await new Promise<void>((resolve) => {
    receiver.subscribe(FILTERS, { onEvent: (event) => got.push(event), onEose: () => resolve() })
  })
  const event = sign("hello")
  const sender = connect(server.url)
  expect(await sender.publish(event)).toEqual({ kind: "accepted", message: "" })
  await vi.waitFor(() => expect(got).toEqual([event]))
  expect(await sender.publish(event)).toMatchObject({
    kind: "accepted",
    message: expect.stringMatching(/^duplicate: /),
  })
  const forged = { ...event, content: "forged" }
  expect(await sender.publish(forged)).toMatchObject({ kind: "refused", message: expect.stringMatching(/^invalid: /) })
  expect(got).toEqual([event])
})

test("a restart of the relay costs nothing that is published meanwhile", async () => {
  const server = await start()
  const got: string[] = []
  let eoses = 0
  const receiver = connect(server.url)
  receiver.subscribe(FILTERS, { onEvent: (event) => got.push(event.content), onEose: () => eoses++ })
  await vi.waitFor(() => expect(eoses).toBe(1))
  const sender = connect(server.url)
  expect((await sender.publish(sign("before"))).kind).toBe("accepted")
  await server.down()
  await vi.waitFor(() => expect([receiver.state.kind, sender.state.kind]).not.toContain("connected"))
  const during = sender.publish(sign("during"), { timeoutMs: 10_000 })
  await server.up()
  expect((await during).kind).toBe("accepted")
  await vi.waitFor(() => expect(eoses).toBe(2))
  expect((await sender.publish(sign("after"))).kind).toBe("accepted")
  await vi.waitFor(() => expect(got).toContain("after"))
  expect(got[0]).toBe("before")
})

test("ping frames keep an idle connection alive", async () => {
  const server = await start()
  const states: RelayState[] = []
  let pongs = 0
  const webSocket: WebSocketFactory = (url) => {
    const socket = createWsFactory()(url)
    ;(socket as WebSocket).on("pong", () => pongs++)
    return socket
  }
  const onState = (state: RelayState) => states.push(state)
  connect(server.url, { webSocket, timing: { deadAfterMs: 300 }, onState }).open()
  await vi.waitFor(() => expect(pongs).toBeGreaterThan(5), 10_000)
  expect(states.map((state) => state.kind)).toEqual(["connecting", "connected"])
})

test("close leaves no socket on either side", async () => {
  const server = createServer()
  const relay = createRelayServer({ verifyEvent: () => true })
  const sockets = new Set<Socket>()
  server.on("connection", (socket) => sockets.add(socket))
  server.on("upgrade", (req, socket, head) => relay.handleUpgrade(req, socket, head))
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const connection = connect(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/relay/`)
  connection.subscribe(FILTERS, { onEvent: () => {} })
  await vi.waitFor(() => expect(relay.stats().subscriptions).toBe(1))
  connection.close()
  await vi.waitFor(() => expect(relay.stats()).toMatchObject({ connections: 0, subscriptions: 0 }))
  await new Promise((resolve) => server.close(resolve))
  expect([...sockets].map((socket) => socket.destroyed)).toEqual([true])
  await relay.close()
})
