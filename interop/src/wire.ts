import { WebSocket } from "ws"

const subscriptions = new Map<string, number>()

/** How often a client has subscribed to what is addressed to it, over all of its connections. */
export function subscriptionsOf(pubkey: string): number {
  return subscriptions.get(pubkey) ?? 0
}

const open = new Set<WebSocket>()

/**
 * Ends every socket that a peer has left open. NDK dials relays again that it was told to leave, and loses sight of
 * those sockets; nobody hears of their end, so that they are not dialled once more.
 */
export function hangUp(): void {
  for (const socket of open) {
    socket.removeAllListeners()
    // A dial that is ended says so.
    socket.on("error", () => undefined)
    socket.terminate()
  }
  open.clear()
}

/** The WebSocket that every peer is given: a plain one, with the subscriptions counted that go out. */
export class WatchedWebSocket extends WebSocket {
  constructor(...args: ConstructorParameters<typeof WebSocket>) {
    super(...args)
    open.add(this)
    this.once("close", () => open.delete(this))
  }

  override send(data: Parameters<WebSocket["send"]>[0], ...rest: unknown[]): void {
    if (typeof data === "string") for (const pubkey of subscribers(data)) count(pubkey)
    super.send(data, ...(rest as []))
  }
}

function subscribers(text: string): string[] {
  const [label, , ...filters] = JSON.parse(text) as [string, string, ...{ "#p"?: string[] }[]]
  return label === "REQ" ? filters.flatMap((filter) => filter["#p"] ?? []) : []
}

function count(pubkey: string): void {
  subscriptions.set(pubkey, subscriptionsOf(pubkey) + 1)
}
