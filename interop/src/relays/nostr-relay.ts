import { once } from "node:events"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import {
  type Client,
  type Event,
  EventRepository,
  type Filter,
  type IncomingMessage,
  LogLevel,
} from "@nostr-relay/common"
import { NostrRelay } from "@nostr-relay/core"
import { matchFilters, type Filter as NostrFilter } from "nostr-tools/filter"
import { type WebSocket, WebSocketServer } from "ws"
import type { RelayUnderTest, Restart } from "../relay.js"
import { versionOf } from "../version.js"

/** RFC 6455, section 7.4.1. */
const GOING_AWAY = 1001

export interface NostrRelayOptions {
  /** Keep back the live events whose tags no filter of the subscription asks for. */
  readonly mended: boolean
}

/** `@nostr-relay/core` behind a WebSocket server. */
export async function startNostrRelay({ mended }: NostrRelayOptions): Promise<RelayUnderTest> {
  let running = await listen(0, mended)
  const { port } = running.server.address() as AddressInfo
  return {
    name: `@nostr-relay/core ${versionOf("@nostr-relay/core")}, ${mended ? "mended" : "as shipped"}`,
    url: `ws://127.0.0.1:${port}`,
    closesProperly: true,
    async restart(how) {
      await stop(running, how)
      running = await listen(port, mended)
    },
    close: () => stop(running, "cutting"),
  }
}

/** NIP-46 needs nothing stored. */
class NothingStored extends EventRepository {
  isSearchSupported(): boolean {
    return false
  }
  upsert(): { isDuplicate: boolean } {
    return { isDuplicate: false }
  }
  find(): Event[] {
    return []
  }
  async destroy(): Promise<void> {}
}

interface Running {
  readonly server: Server
  readonly sockets: WebSocketServer
  readonly relay: NostrRelay
}

async function listen(port: number, mended: boolean): Promise<Running> {
  const server = createServer()
  const sockets = new WebSocketServer({ server, perMessageDeflate: false })
  const relay = new NostrRelay(new NothingStored(), { logLevel: LogLevel.ERROR })
  sockets.on("connection", (socket) => {
    const subscriptions = new Map<string, Filter[]>()
    const client: Client = mended ? onlyWhatMatches(socket, subscriptions) : socket
    relay.handleConnection(client)
    socket.on("message", (data: Buffer) => {
      const message = JSON.parse(data.toString("utf8")) as IncomingMessage
      if (message[0] === "REQ") subscriptions.set(message[1], message.slice(2) as Filter[])
      if (message[0] === "CLOSE") subscriptions.delete(message[1])
      void relay.handleMessage(client, message)
    })
    socket.on("close", () => relay.handleDisconnect(client))
  })
  server.listen(port, "127.0.0.1")
  await once(server, "listening")
  return { server, sockets, relay }
}

async function stop({ server, sockets, relay }: Running, how: Restart): Promise<void> {
  // First of all: who dials again at once must not find it still listening.
  const closed = once(server, "close")
  server.close()
  const gone = Promise.all([...sockets.clients].map((socket) => once(socket, "close")))
  for (const socket of sockets.clients) {
    if (how === "stopping") socket.close(GOING_AWAY)
    else socket.terminate()
  }
  await gone
  sockets.close()
  server.closeAllConnections()
  for (const socket of sockets.clients) socket.terminate()
  await closed
  await relay.destroy()
}

/** The mending lies between the relay and the socket, so that the relay itself stays as it was installed. */
function onlyWhatMatches(socket: WebSocket, subscriptions: ReadonlyMap<string, Filter[]>): Client {
  return {
    get readyState() {
      return socket.readyState
    },
    send(text: string) {
      const [label, subscription, event] = JSON.parse(text) as [string, string, Event]
      const filters = (subscriptions.get(subscription) ?? []) as NostrFilter[]
      if (label !== "EVENT" || matchFilters(filters, event)) socket.send(text)
    },
  }
}
