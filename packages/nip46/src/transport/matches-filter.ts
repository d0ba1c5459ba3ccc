import type { NostrEvent } from "../protocol/event.js"
import type { RelayFilter } from "./relay-message.js"

/** True when an event is what a filter asks for (NIP-01 §Communication between clients and relays). `limit` is the caller's. */
export function matchesFilter(event: NostrEvent, filter: RelayFilter): boolean {
  const { ids, authors, kinds, since, until } = filter
  if (ids !== undefined && !ids.includes(event.id)) return false
  if (authors !== undefined && !authors.includes(event.pubkey)) return false
  if (kinds !== undefined && !kinds.includes(event.kind)) return false
  if (since !== undefined && event.created_at < since) return false
  if (until !== undefined && event.created_at > until) return false
  return Object.entries(filter).every(([name, values]) => {
    if (!name.startsWith("#") || !Array.isArray(values)) return true
    return event.tags.some(([tag, value]) => tag === name.slice(1) && value !== undefined && values.includes(value))
  })
}
