import type { AddressInfo } from "node:net"
import { type WebSocket, WebSocketServer } from "ws"
import { ready } from "./part.js"

/**
 * The same relay for all: it takes every event and hands it to whoever asked for its p tag. It checks nothing and
 * keeps nothing, so that it has the least share in what is measured.
 */

interface Event {
  readonly id: string
  readonly tags: readonly (readonly string[])[]
}

interface Filter {
  readonly "#p"?: readonly string[]
}

/** By pubkey, who listens for it and under which names. */
const listeners = new Map<string, Map<WebSocket, Set<string>>>()

function subscribe(socket: WebSocket, name: string, filters: readonly Filter[]): void {
  unsubscribe(socket, name)
  for (const pubkey of filters.flatMap((filter) => filter["#p"] ?? [])) {
    const sockets = listeners.get(pubkey) ?? new Map<WebSocket, Set<string>>()
    listeners.set(pubkey, sockets)
    sockets.set(socket, (sockets.get(socket) ?? new Set()).add(name))
  }
  socket.send(JSON.stringify(["EOSE", name]))
}

/** One of a socket's subscriptions, or all of them. */
function unsubscribe(socket: WebSocket, name?: string): void {
  for (const sockets of listeners.values()) {
    const names = sockets.get(socket)
    if (name !== undefined) names?.delete(name)
    if (name === undefined || names?.size === 0) sockets.delete(socket)
  }
}

function publish(from: WebSocket, event: Event): void {
  from.send(JSON.stringify(["OK", event.id, true, ""]))
  const text = JSON.stringify(event)
  for (const [label, pubkey = ""] of event.tags) {
    if (label !== "p") continue
    for (const [socket, names] of listeners.get(pubkey) ?? []) {
      for (const name of names) socket.send(`["EVENT",${JSON.stringify(name)},${text}]`)
    }
  }
}

const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false })
server.on("connection", (socket) => {
  socket.on("close", () => unsubscribe(socket))
  socket.on("message", (data) => {
    const message = JSON.parse((data as Buffer).toString("utf8")) as unknown[]
    const [label, first, ...rest] = message
    if (label === "EVENT") publish(socket, first as Event)
    if (label === "REQ") subscribe(socket, String(first), rest as Filter[])
    if (label === "CLOSE") unsubscribe(socket, String(first))
  })
})
server.on("listening", () => ready({ url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}` }))
