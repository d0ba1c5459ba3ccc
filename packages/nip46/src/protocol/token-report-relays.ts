import { MAX_RELAYS } from "./limits.js"
import { isPrivateAddress } from "./private-address.js"
import { isLoopbackRelay, normalizeRelayUrl, sameRelays } from "./relay-url.js"
import type { TokenFinding } from "./token-finding.js"
import type { TokenQuery } from "./token-query.js"

const SHOWN_CHARS = 80

export function inspectRelays(query: TokenQuery, errors: TokenFinding[], warnings: TokenFinding[]): void {
  const warn = (code: TokenFinding["code"], message: string): void => {
    warnings.push({ code, field: "relay", message })
  }
  const given = query.all("relay")
  const seen: string[] = []
  for (const text of given) {
    const url = normalizeRelayUrl(text)
    if (url === undefined) warn("RELAY_INVALID", `${shown(text)} is no ws:// or wss:// URL, and is left out`)
    else if (seen.some((other) => sameRelays([other], [url]))) warn("RELAY_REPEATED", `${url} is there more than once`)
    else {
      seen.push(url)
      if (seen.length > MAX_RELAYS) continue
      if (url !== text) warn("SPELLING", `${shown(text)} is written ${url}`)
      for (const [code, message] of weaknesses(url)) warn(code, message)
    }
  }
  if (seen.length > MAX_RELAYS) {
    warn("RELAYS_TOO_MANY", `it names ${seen.length} relays; a reader takes the first ${MAX_RELAYS}`)
  }
  if (seen.length > 0) return
  const message =
    given.length === 0
      ? "it names no relay, so there is nowhere to meet"
      : "none of its relays is a ws:// or wss:// URL"
  errors.push({ code: "RELAY_MISSING", field: "relay", message })
}

function weaknesses(url: string): [TokenFinding["code"], string][] {
  if (isLoopbackRelay(url)) return [["RELAY_LOCAL", `${url} is reached by programs on the same computer alone`]]
  const found: [TokenFinding["code"], string][] = []
  if (isPrivateAddress(new URL(url).hostname)) {
    found.push(["RELAY_LOCAL", `${url} is reached from its own network alone`])
  }
  if (url.startsWith("ws:")) {
    found.push([
      "RELAY_UNENCRYPTED",
      `${url} is not encrypted, so the network sees who meets there; use wss:// if the relay has it`,
    ])
  }
  return found
}

/** A login in a URL is a secret. */
function shown(text: string): string {
  return JSON.stringify(text.replace(/^.*@/s, "…@").slice(0, SHOWN_CHARS))
}
