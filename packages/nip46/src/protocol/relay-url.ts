import { MAX_RELAY_URL_CHARS, MAX_RELAYS } from "./limits.js"
import { percentDecode } from "./percent.js"

/**
 * One spelling for a relay URL: lower-case scheme and host, no default port, no lone slash, no fragment.
 * Reads what real tokens carry (QUIRKS): percent-encoded twice, upper case, a trailing slash, spaces around.
 * Undefined for anything that is not a ws:// or wss:// URL or that carries a login.
 *
 * @example
 * normalizeRelayUrl("WSS://Relay.Example.com:443/") // "wss://relay.example.com"
 */
export function normalizeRelayUrl(text: string): string | undefined {
  const trimmed = text.trim()
  if (trimmed.length > MAX_RELAY_URL_CHARS) return undefined
  const url = parseUrl(/^wss?%3a/i.test(trimmed) ? percentDecode(trimmed) : trimmed)
  if (url === undefined || (url.protocol !== "wss:" && url.protocol !== "ws:")) return undefined
  if (url.hostname === "" || url.username !== "" || url.password !== "") return undefined
  url.hash = ""
  const path = url.pathname === "/" && url.search === "" ? "" : url.pathname
  const normalized = `${url.protocol}//${url.host}${path}${url.search}`
  // Escapes made it longer; it must still be readable when it comes back.
  return normalized.length > MAX_RELAY_URL_CHARS ? undefined : normalized
}

/** Normalises and drops what is invalid or said twice; a trailing slash makes no difference. */
export function normalizeRelayUrls(texts: readonly string[]): string[] {
  const relays = new Map<string, string>()
  for (const text of texts) {
    const url = normalizeRelayUrl(text)
    if (url !== undefined && !relays.has(relayKey(url))) relays.set(relayKey(url), url)
  }
  return [...relays.values()].slice(0, MAX_RELAYS)
}

/** The relays of a list that somebody else wrote: of what is no list none, and what is no text is left out. */
export function relayUrlsOf(list: unknown): string[] {
  return Array.isArray(list) ? normalizeRelayUrls(list.filter((url) => typeof url === "string")) : []
}

/** The same relays, in any order. */
export function sameRelays(a: readonly string[], b: readonly string[]): boolean {
  const keys = new Set(a.map(relayKey))
  return keys.size === new Set(b.map(relayKey)).size && b.every((url) => keys.has(relayKey(url)))
}

/** True when only programs on the same machine can dial it. */
export function isLoopbackRelay(url: string): boolean {
  return isLoopbackHost(parseUrl(url)?.hostname ?? "")
}

/** @param host as `URL.hostname` has it */
export function isLoopbackHost(host: string): boolean {
  return host === "localhost" || host.endsWith(".localhost") || host === "[::1]" || /^127(\.\d{1,3}){3}$/.test(host)
}

/** `URL.parse` needs Node 22. */
function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined
}

function relayKey(url: string): string {
  return url.replace(/\/+$/, "")
}
