import { NOSTR_CONNECT_KIND } from "../protocol/event.js"

/**
 * Kinds that no wildcard covers: a `sign_event` grant without a kind leaves them out, and they are
 * signed only where they are named. Each can cost the user more than a post.
 */
export const SENSITIVE_KINDS: ReadonlySet<number> = new Set([
  0, // profile
  3, // follow list
  5, // deletion
  62, // request to vanish
  10002, // relay list
  10050, // relays for direct messages
  13194, // wallet service
  17375, // wallet with its keys
  22242, // login at a relay
  23194, // wallet request: spends money
  24242, // login at a media server
  27235, // login over HTTP
  30078, // an app's private data
])

/** A user key never speaks NIP-46 itself: whoever got such an event signed could pose as a client or a signer. */
export const FORBIDDEN_KINDS: ReadonlySet<number> = new Set([NOSTR_CONNECT_KIND])
