import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo, Socket } from "node:net"
import { RelayConnection, type RelayState, type WebSocketLike } from "@casemate/nip46/transport"
import { afterEach, expect, test, vi } from "vitest"
import { type WebSocket, WebSocketServer } from "ws"
import { createWsFactory } from "./ws-factory.js"

const cleanups: (() => void | Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function serve(onConnection: (socket: WebSocket, extensions: string) => void): Promise<string> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: true })
  server.on("connection", (socket, req) => onConnection(socket, req.headers["sec-websocket-extensions"] ?? ""))
  await once(server, "listening")
  cleanups.push(async () => {
    for (const client of server.clients) client.terminate()
    await new Promise((resolve) => server.close(resolve))
  })
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test("pongs, and pings of the relay, reach onpong; compression is not offered", async () => {
  let offered: string | undefined
  const url = await serve((socket, extensions) => {
    offered = extensions
    socket.ping()
  })
  const socket = createWsFactory()(url)
  let pongs = 0
  socket.onpong = () => pongs++
  await vi.waitFor(() => expect(pongs).toBe(1))
  socket.ping!()
  await vi.waitFor(() => expect(pongs).toBe(2))
  expect(offered).toBe("")
  socket.terminate!()
})

test("a message beyond the cap ends the socket", async () => {
  const url = await serve((socket) => socket.send("x".repeat(500_000)))
  const states: RelayState[] = []
  const relay = new RelayConnection({ url, webSocket: createWsFactory(), onState: (state) => states.push(state) })
  relay.open()
  await vi.waitFor(() => expect(states.map((s) => s.kind)).toEqual(["connecting", "connected", "waiting"]))
  relay.close()
})

test("a redirect is a failed dial, and nothing goes to where it points", async () => {
  let reached = 0
  const target = await serve(() => reached++)
  const server = createServer()
  server.on("upgrade", (_, socket) =>
    socket.end(`HTTP/1.1 302 Found\r\nLocation: ${target}\r\nConnection: close\r\n\r\n`),
  )
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  cleanups.push(() => new Promise<void>((resolve) => server.close(() => resolve())))
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
  const relay = new RelayConnection({ url, webSocket: createWsFactory() })
  relay.open()
  await vi.waitFor(() => expect(relay.state).toMatchObject({ kind: "waiting", reason: expect.stringContaining("302") }))
  relay.close()
  expect(reached).toBe(0)
})

test("what one turn sends leaves in one write, in order", async () => {
  const received: string[] = []
  const url = await serve((socket) => socket.on("message", (data) => received.push((data as Buffer).toString("utf8"))))
  const socket = createWsFactory()(url) as WebSocketLike & WebSocket
  let wire: Socket | undefined
  socket.once("upgrade", (response) => {
    wire = response.socket
  })
  await once(socket, "open")
  const writes = vi.spyOn(wire as Socket & { _writev(...args: unknown[]): void }, "_writev")
  const texts = Array.from({ length: 100 }, (_, i) => `message ${i}`)
  for (const text of texts) socket.send(text)
  await vi.waitFor(() => expect(received).toEqual(texts))
  expect(writes).toHaveBeenCalledTimes(1)
  socket.send("the next turn")
  await vi.waitFor(() => expect(received.at(-1)).toBe("the next turn"))
  socket.terminate()
})
