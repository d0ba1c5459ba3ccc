import { isLoopbackHost } from "../protocol/relay-url.js"

const MAX_URL_CHARS = 2_048

/**
 * Reads the URL of an auth challenge (NIP-46 §Auth Challenges): https, or http on this computer. Undefined for
 * anything that an app must not open: other schemes, a login in the URL, text that is no URL.
 */
export function readAuthUrl(text: string, { loopback = true } = {}): URL | undefined {
  if (text.length > MAX_URL_CHARS || !URL.canParse(text)) return undefined
  const url = new URL(text)
  if (url.username !== "" || url.password !== "") return undefined
  if (url.protocol === "https:") return url
  return loopback && url.protocol === "http:" && isLoopbackHost(url.hostname) ? url : undefined
}
