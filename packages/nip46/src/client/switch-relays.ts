import { parseJson } from "../protocol/json.js"
import { normalizeRelayUrls, sameRelays } from "../protocol/relay-url.js"

/**
 * Reads the answer to `switch_relays` (NIP-46 §Switching relays): new relays, or undefined for "stay". Signers
 * say "stay" as null, "null", "", "ack", an empty list or the same list in another order, and a list as an
 * array or as its JSON. A list never leads from encrypted relays to plain ones.
 */
export function readSwitch(answer: unknown, current: readonly string[]): string[] | undefined {
  const list = typeof answer === "string" ? parseJson(answer) : answer
  if (!Array.isArray(list)) return undefined
  const urls = normalizeRelayUrls(list.filter((url) => typeof url === "string"))
  const isPlainKnown = current.some((url) => url.startsWith("ws:"))
  const relays = urls.filter((url) => isPlainKnown || url.startsWith("wss:"))
  return relays.length === 0 || sameRelays(relays, current) ? undefined : relays
}
