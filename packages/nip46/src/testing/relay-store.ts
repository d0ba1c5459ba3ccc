import type { NostrEvent } from "../protocol/event.js"
import { matchesFilter } from "../transport/matches-filter.js"
import type { RelayFilter } from "../transport/relay-message.js"

export interface StoreQuery {
  filters: readonly RelayFilter[]
  ignoreTime: boolean
}

interface Stored {
  event: NostrEvent
  receivedAtMs: number
}

/** What a relay keeps (NIP-01 §Kinds). Whether ephemeral events get here is the caller's choice. */
export class RelayStore {
  readonly #byKey = new Map<string, Stored>()

  has(event: NostrEvent): boolean {
    return this.#byKey.get(keyOf(event))?.event.id === event.id
  }

  /** Keeps the newest of a replaceable event. */
  put(event: NostrEvent, receivedAtMs: number): void {
    const key = keyOf(event)
    const kept = this.#byKey.get(key)
    if (kept === undefined || kept.event.created_at < event.created_at) this.#byKey.set(key, { event, receivedAtMs })
  }

  /** Drops ephemeral events that came up to this time, in Unix milliseconds. */
  forgetEphemerals(upToMs: number): void {
    for (const [key, { event, receivedAtMs }] of this.#byKey) {
      if (isEphemeral(event.kind) && receivedAtMs <= upToMs) this.#byKey.delete(key)
    }
  }

  /** Newest first, each once, `limit` of every filter honoured. */
  query({ filters, ignoreTime }: StoreQuery): NostrEvent[] {
    const events = [...this.#byKey.values()].map((stored) => stored.event)
    events.sort((a, b) => b.created_at - a.created_at)
    const found = filters.flatMap((filter) =>
      events.filter((event) => matchesFilter(event, filter, { ignoreTime })).slice(0, filter.limit),
    )
    return [...new Set(found)]
  }
}

export function isEphemeral(kind: number): boolean {
  return kind >= 20_000 && kind < 30_000
}

function keyOf({ kind, pubkey, tags, id }: NostrEvent): string {
  if (kind === 0 || kind === 3 || (kind >= 10_000 && kind < 20_000)) return `${kind}:${pubkey}`
  if (kind >= 30_000 && kind < 40_000) return `${kind}:${pubkey}:${tags.find(([name]) => name === "d")?.[1] ?? ""}`
  return id
}
