import { isEventShape, NOSTR_CONNECT_KIND, type NostrEvent } from "../protocol/event.js"
import { MAX_EVENT_BYTES } from "../protocol/limits.js"

/**
 * Gate 1, the part that needs no record: an event of our kind and of NIP-01's shape within the size that
 * relays carry, without the fields that nobody signed. Undefined for everything else.
 */
export function prefilter(raw: unknown): NostrEvent | undefined {
  if (!isEventShape(raw) || raw.kind !== NOSTR_CONNECT_KIND) return undefined
  // Only p is read of the tags, but all of them are hashed: their size counts too, with brackets and quotes.
  let size = raw.content.length
  for (const tag of raw.tags) {
    size += 3
    for (const value of tag) size += value.length + 3
  }
  if (size > MAX_EVENT_BYTES) return undefined
  // Nobody signed what is beside these seven: it would go into the record unseen.
  const { id, pubkey, created_at, kind, tags, content, sig } = raw
  return { id, pubkey, created_at, kind, tags, content, sig }
}
