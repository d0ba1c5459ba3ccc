import { once } from "node:events"
import type { AddressInfo } from "node:net"
import type { Event } from "nostr-tools/pure"
import { type WebSocket, WebSocketServer } from "ws"

export interface NaiveRelay {
  readonly url: string
  /** Every event that a socket sent, in order. */
  readonly received: Event[]
  /** Sockets with a subscription to events for this pubkey. */
  listeners(pubkey: string): number
  /** Hands anything to every subscription that names the pubkey, as an event. */
  inject(pubkey: string, event: unknown): void
  /** The same with a message as it is, to every socket that subscribed for the pubkey. */
  injectRaw(pubkey: string, text: string): void
  /** Bytes that were sent and that nobody has read yet. */
  backlog(): number
  close(): Promise<void>
}

export interface NaiveRelayOptions {
  /** Keeps what it received, and sends it again to every new subscription, `since` or not. */
  readonly stores?: boolean
  /** Holds live events against `since`, as relays do. */
  readonly appliesSince?: boolean
  /** Sends every event so many times. */
  readonly copies?: number
}

type Filter = { "#p"?: string[]; since?: number }

/** A relay that verifies nothing, judges nothing, and takes any event for what it says it is. */
export async function startNaiveRelay({
  stores = false,
  appliesSince = false,
  copies = 1,
}: NaiveRelayOptions = {}): Promise<NaiveRelay> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false })
  const subscriptions = new Map<WebSocket, Map<string, Filter[]>>()
  const received: Event[] = []

  const matches = (filters: readonly Filter[], pubkeys: readonly (string | undefined)[]): boolean =>
    filters.some((filter) => filter["#p"]?.some((pubkey) => pubkeys.includes(pubkey)) === true)
  const subscribersOf = (pubkeys: readonly (string | undefined)[]): [WebSocket, string][] =>
    [...subscriptions].flatMap(([socket, own]) =>
      [...own].filter(([, filters]) => matches(filters, pubkeys)).map(([id]): [WebSocket, string] => [socket, id]),
    )
  const pTags = (event: Event): (string | undefined)[] => event.tags.filter(([name]) => name === "p").map(([, v]) => v)

  const isSince = (filters: readonly Filter[], { created_at }: Event): boolean =>
    filters.some(({ since = 0 }) => created_at >= since)

  server.on("connection", (socket) => {
    const own = new Map<string, Filter[]>()
    subscriptions.set(socket, own)
    socket.on("error", () => undefined)
    socket.on("close", () => subscriptions.delete(socket))
    socket.on("message", (data) => {
      const [label, first, ...rest] = JSON.parse((data as Buffer).toString("utf8")) as [string, unknown, ...unknown[]]
      if (label === "REQ") {
        const id = first as string
        const filters = rest as Filter[]
        own.set(id, filters)
        for (const event of stores ? received : []) {
          if (matches(filters, pTags(event))) socket.send(JSON.stringify(["EVENT", id, event]))
        }
        socket.send(JSON.stringify(["EOSE", id]))
      } else if (label === "CLOSE") own.delete(first as string)
      else if (label === "EVENT") {
        const event = first as Event
        received.push(event)
        socket.send(JSON.stringify(["OK", event.id, true, ""]))
        for (const [to, id] of subscribersOf(pTags(event))) {
          if (appliesSince && !isSince(subscriptions.get(to)?.get(id) ?? [], event)) continue
          const text = JSON.stringify(["EVENT", id, event])
          for (let n = 0; n < copies; n++) to.send(text)
        }
      }
    })
  })
  await once(server, "listening")

  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    listeners: (pubkey) => subscribersOf([pubkey]).length,
    inject(pubkey, event) {
      for (const [to, id] of subscribersOf([pubkey])) to.send(JSON.stringify(["EVENT", id, event]))
    },
    injectRaw(pubkey, text) {
      for (const [to] of subscribersOf([pubkey])) to.send(text)
    },
    backlog: () => [...server.clients].reduce((sum, socket) => sum + socket.bufferedAmount, 0),
    async close() {
      for (const socket of server.clients) socket.terminate()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
