import type { EventTemplate } from "../protocol/event.js"

/** An event that lets its holder in somewhere: where, and to do what. Both in lower case, as far as it says. */
export interface Login {
  readonly host: string | undefined
  readonly action: string | undefined
}

export const RELAY_LOGIN_KIND = 22242
export const MEDIA_LOGIN_KIND = 24242
export const HTTP_LOGIN_KIND = 27235

/** How far from its arrival a login may be dated, in seconds: a server takes them for about so long. */
export const LOGIN_SKEW = 60

/** @returns the sentence that says why this login is signed for nobody; undefined for one that is, and for other kinds */
export function flawOfLogin(
  template: EventTemplate,
  isOwnHost: (host: string) => boolean,
  arrivedAt: number,
): string | undefined {
  const { kind, created_at } = template
  if (kind !== RELAY_LOGIN_KIND && kind !== MEDIA_LOGIN_KIND && kind !== HTTP_LOGIN_KIND) return undefined
  const login = loginOf(template)
  if (login === undefined) return `a login of kind ${kind} must say once where it is for; ${SHAPES[kind]}`
  if (login.host !== undefined && isOwnHost(login.host)) return "a login to this signer itself is never signed"
  if (Math.abs(created_at - arrivedAt) > LOGIN_SKEW)
    return `a login of kind ${kind} must be dated within ${LOGIN_SKEW} s of the time it is asked for`
  return undefined
}

const SHAPES = {
  [RELAY_LOGIN_KIND]: "it has one relay tag with a ws:// or wss:// URL and one challenge tag",
  [MEDIA_LOGIN_KIND]: "it has one t tag, and at most one server tag",
  [HTTP_LOGIN_KIND]: "it has one u tag with an http:// or https:// URL and one method tag",
}

/**
 * Reads a login (NIP-42 kind 22242, NIP-98 kind 27235, Blossom kind 24242); undefined for what is none, or says
 * several things at once: a server might read the one and we the other.
 */
export function loginOf({ kind, tags }: EventTemplate): Login | undefined {
  switch (kind) {
    case RELAY_LOGIN_KIND: {
      const host = hostOf(only(tags, "relay"), ["ws:", "wss:"])
      return host === undefined || !only(tags, "challenge") ? undefined : { host, action: undefined }
    }
    case HTTP_LOGIN_KIND: {
      const host = hostOf(only(tags, "u"), ["http:", "https:"])
      const action = wordOf(only(tags, "method"))
      return host === undefined || action === undefined ? undefined : { host, action }
    }
    case MEDIA_LOGIN_KIND: {
      const action = wordOf(only(tags, "t"))
      if (action === undefined) return undefined
      // Not every server is named: such a login works anywhere.
      if (!tags.some(([name]) => name === "server")) return { host: undefined, action }
      const server = only(tags, "server")
      if (server === undefined) return undefined
      const host = hostOf(server.includes("://") ? server : `https://${server}`, ["http:", "https:"])
      return host === undefined ? undefined : { host, action }
    }
    default:
      return undefined
  }
}

/** The value of the only tag of this name. */
function only(tags: EventTemplate["tags"], name: string): string | undefined {
  const found = tags.filter((tag) => tag[0] === name)
  return found.length === 1 ? found[0]?.[1] : undefined
}

/** An HTTP method or a verb: no place for an app's own words. */
function wordOf(text: string | undefined): string | undefined {
  const word = text?.toLowerCase()
  return word !== undefined && /^[a-z][a-z_-]{0,31}$/.test(word) ? word : undefined
}

/** What every parser of URLs reads alike: no spaces, no backslash, nothing beyond ASCII, two slashes. */
const PLAIN_URL = /^[a-z]+:\/\/[!-[\]-~]+$/i

function hostOf(text: string | undefined, protocols: readonly string[]): string | undefined {
  if (text === undefined || !PLAIN_URL.test(text) || !URL.canParse(text)) return undefined
  const { protocol, host, hostname, username, password } = new URL(text)
  if (!protocols.includes(protocol) || hostname === "" || username !== "" || password !== "") return undefined
  // The same host with the root of the DNS spelt out.
  return host.replace(/\.(?=:|$)/, "")
}
