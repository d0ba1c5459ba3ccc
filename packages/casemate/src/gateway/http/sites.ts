import type { Config } from "../../config/config.js"
import { publicPages } from "../../config/pages.js"

/** One name under which browsers reach the pages and the API. */
export interface Site {
  /** What a browser calls it: `https://bunker.example`. */
  readonly origin: string
  /** What stands before every path in a browser, and what a reverse proxy takes off: `/bunker`, or nothing. */
  readonly base: string
  /** Of the cookie of a session. */
  readonly cookieName: string
  readonly isSecure: boolean
}

export interface Place {
  readonly site: Site
  /** Passkeys need a host name: pages are shown here instead, under another name of the same machine. */
  readonly pagesAt: string | undefined
}

/** The names that are ours. A page of another one that leads here was sent by somebody else (DNS rebinding). */
export interface Sites {
  /** @param hosts the `Host` headers of a request, which has one */
  find(hosts: readonly string[]): Place | undefined
  /** Where a person may open the pages. */
  readonly addresses: readonly string[]
}

const ADDRESSES: readonly string[] = ["127.0.0.1", "[::1]"]

/** @param url of the HTTP server, as it listens: `http://localhost:4646` */
export function sitesOf(url: string, config: Pick<Config, "publicUrl">): Sites {
  const own = new URL(url)
  const local = siteOf(new URL(`http://localhost:${portOf(own)}`))
  const places = new Map<string, Place>()
  const add = (address: string, site: Site, pagesAt?: string): void => {
    for (const host of hostsOf(new URL(address))) places.set(host, { site, pagesAt })
  }

  add(local.origin, local)
  const pages = publicPages(config)
  if (pages !== undefined) add(pages, siteOf(new URL(pages)))
  for (const host of ADDRESSES) add(`http://${host}:${portOf(own)}`, local, local.origin)
  const isHere = own.hostname === "localhost" || ADDRESSES.includes(own.hostname)
  return {
    find: ([host, ...others]) => (host === undefined || others.length > 0 ? undefined : places.get(host.toLowerCase())),
    addresses: [...(pages === undefined ? [] : [pages]), ...(isHere ? [local.origin] : [])],
  }
}

function siteOf(url: URL): Site {
  const isSecure = url.protocol === "https:"
  return {
    origin: url.origin,
    base: url.pathname.replace(/\/+$/, ""),
    // Cookies of localhost go to every port of it, so their name says whose they are; __Host- binds one to its host.
    cookieName: isSecure ? "__Host-casemate" : `casemate-${portOf(url)}`,
    isSecure,
  }
}

/** A browser leaves the port of its scheme out, and some proxies put it in. */
function hostsOf(url: URL): string[] {
  const all = [`${url.hostname}:${portOf(url)}`]
  return url.port === "" ? [url.hostname, ...all] : all
}

function portOf({ port, protocol }: URL): string {
  if (port !== "") return port
  return protocol === "https:" ? "443" : "80"
}
