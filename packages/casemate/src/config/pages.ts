import type { Config } from "./config.js"

/** Names of this machine: what is fetched from them crosses no network. */
const LOOPBACK: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"])

/**
 * Under which owners reach their pages from elsewhere, without a trailing slash: the public URL, where it is one at
 * which a browser lets people sign in. Undefined: only at this machine.
 */
export function publicPages({ publicUrl }: Pick<Config, "publicUrl">): string | undefined {
  return publicUrl !== undefined && isSafe(new URL(publicUrl)) ? publicUrl : undefined
}

/** https, or this machine: elsewhere a password would cross the network in the clear, and there are no passkeys. */
export function isSafe({ protocol, hostname }: URL): boolean {
  return protocol === "https:" || LOOPBACK.has(hostname)
}

/**
 * The same at this machine: there are no passkeys for an address, so it is `localhost` whatever the server is bound to.
 *
 * @param http what the web server said of itself, once it did: of it the port is believed, and nothing else
 */
export function localPages(http: string | undefined): string | undefined {
  return http !== undefined && URL.canParse(http) ? new URL(`http://localhost:${new URL(http).port}`).origin : undefined
}

/** All that there are, the one for elsewhere first. */
export function pageUrls(config: Pick<Config, "publicUrl">, http: string | undefined): string[] {
  return [publicPages(config), localPages(http)].filter((url) => url !== undefined)
}

/** Where owners log in, as URLs name it. @param http what the web server said of itself, once it did */
export function ownHosts({ publicUrl }: Pick<Config, "publicUrl">, http: string | undefined): ReadonlySet<string> {
  const urls = [publicUrl, http].flatMap((url) => (url === undefined ? [] : [new URL(url)]))
  const loopback = [...LOOPBACK].flatMap((hostname) =>
    http === undefined ? [] : [Object.assign(new URL(http), { hostname })],
  )
  return new Set([...urls, ...loopback].map(({ host }) => host))
}
