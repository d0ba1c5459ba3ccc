import { startCasemateRelay } from "./casemate.js"
import { startNostrRelay } from "./nostr-relay.js"

/**
 * The relays under test: whether each keeps the tag filters of live events, and whether it closes its WebSockets
 * properly when it ends.
 */
export const RELAYS = {
  "the built-in relay": { start: startCasemateRelay, keepsTags: true, saysGoodbye: false },
  "@nostr-relay/core as shipped": {
    start: () => startNostrRelay({ mended: false }),
    keepsTags: false,
    saysGoodbye: true,
  },
  "@nostr-relay/core mended": { start: () => startNostrRelay({ mended: true }), keepsTags: true, saysGoodbye: true },
} as const

export type RelayName = keyof typeof RELAYS
export const relayNames = Object.keys(RELAYS) as RelayName[]
