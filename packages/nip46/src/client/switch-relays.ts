import { readJson } from "../protocol/json.js"
import { relayUrlsOf, sameRelays } from "../protocol/relay-url.js"

/**
 * Reads the answer to `switch_relays` (NIP-46 §Switching relays): new relays, or undefined for "stay". Signers
 * say "stay" as null, "null", "", "ack", an empty list or the same list in another order, and a list as an
 * array or as its JSON. A list never leads from encrypted relays to plain ones.
 */
export function readSwitch(answer: unknown, current: readonly string[]): string[] | undefined {
  const isPlainKnown = current.some((url) => url.startsWith("ws:"))
  const relays = relayUrlsOf(readJson(answer)).filter((url) => isPlainKnown || url.startsWith("wss:"))
  return relays.length === 0 || sameRelays(relays, current) ? undefined : relays
}
