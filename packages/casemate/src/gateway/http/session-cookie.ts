import type { IncomingHttpHeaders } from "node:http"
import type { SessionKeys } from "../../channel/web-calls.js"
import type { Site } from "./sites.js"

/** As long as a session lasts. */
const MAX_AGE_SECONDS = 12 * 3_600

export const SESSION_HEADER = "x-casemate-session"

/**
 * The session of a request as keyd takes it. Both halves or none: a browser sends the cookie by itself, to every port
 * of localhost even; the header it does not, and the page that sends it has no way to the cookie.
 */
export function readSession(headers: IncomingHttpHeaders, { cookieName }: Site): string | undefined {
  const token = headers[SESSION_HEADER]
  const [cookie, ...others] = (headers.cookie ?? "").split(";").flatMap((pair) => {
    const [name, value] = splitAt(pair, "=")
    return name.trim() === cookieName ? [value.trim()] : []
  })
  // Two of a name: one was put there by somebody else, and nothing says which.
  return others.length === 0 && isKey(cookie) && isKey(token) ? `${cookie}.${token}` : undefined
}

/** @throws Error for keys that are none */
export function sessionCookie({ cookie, token }: SessionKeys, site: Site): string {
  if (!isKey(cookie) || !isKey(token)) throw new Error("keyd gave a session whose keys are of another shape")
  return cookieOf(site, cookie, MAX_AGE_SECONDS)
}

export function endedCookie(site: Site): string {
  return cookieOf(site, "", 0)
}

function cookieOf({ cookieName, isSecure }: Site, value: string, maxAge: number): string {
  const secure = isSecure ? "; Secure" : ""
  return `${cookieName}=${value}; Path=/; Max-Age=${maxAge}; HttpOnly; SameSite=Strict${secure}`
}

/** 128 bits at least, in base64url. */
function isKey(value: unknown): value is string {
  return typeof value === "string" && /^[\w-]{22,128}$/.test(value)
}

function splitAt(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator)
  return at === -1 ? [text, ""] : [text.slice(0, at), text.slice(at + separator.length)]
}
