import { WebSocket } from "ws"

const subscriptions = new Map<string, number>()

/** How often a client has subscribed to what is addressed to it, over all of its connections. */
export function subscriptionsOf(pubkey: string): number {
  return subscriptions.get(pubkey) ?? 0
}

/** The WebSocket that every peer is given: a plain one, with the subscriptions counted that go out. */
export class WatchedWebSocket extends WebSocket {
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
