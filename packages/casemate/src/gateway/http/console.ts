import type { IncomingMessage, ServerResponse } from "node:http"
import { getRequestListener } from "@hono/node-server"
import { type Context, Hono } from "hono"
import { type ApiOptions, createApi } from "./api/api.js"
import { createPages, type Pages } from "./pages.js"
import { securityHeaders } from "./security-headers.js"
import type { Sites } from "./sites.js"
import type { WebEnv } from "./web-env.js"

export interface ConsoleOptions extends ApiOptions {
  readonly sites: Sites
  /** Undefined: they were not built. */
  readonly pages: Pages | undefined
}

const NO_REQUEST = "This is no request for here.\n"
const NO_STORE = { "cache-control": "no-store" } as const

/** The owner's pages and the API that they use: takes every request that it is given. */
export function createConsole(options: ConsoleOptions): (req: IncomingMessage, res: ServerResponse) => true {
  const { sites, pages, log } = options
  const app = new Hono<WebEnv>()

  app.use(async (c, next) => {
    const place = sites.find(c.env.incoming.headersDistinct["host"] ?? [])
    if (place !== undefined) c.set("site", place.site)
    // A proxy's first line names a host of its own, past the one that is judged here.
    if (c.env.incoming.url?.startsWith("/") !== true) c.res = c.text(NO_REQUEST, 400, NO_STORE)
    else if (place === undefined) c.res = refuse(c, elsewhere(sites.addresses))
    else if (place.pagesAt !== undefined && isPage(c)) c.res = c.redirect(`${place.pagesAt}${pathOf(c.req.url)}`, 302)
    else await next()
    for (const [name, value] of Object.entries(securityHeaders(place?.site.isSecure ?? false))) {
      c.res.headers.set(name, value)
    }
  })
  app.route("/api", createApi(options))
  app.route("/", createPages(pages, log))
  app.onError((error, c) => {
    // Its message may hold what was sent.
    log.error({ error: error.name }, "the pages failed")
    return c.text("This failed; the log says more.\n", 500, NO_STORE)
  })

  const listener = getRequestListener((request, env) => app.fetch(request, env), {
    overrideGlobalObjects: false,
    errorHandler: () => new Response(NO_REQUEST, { status: 400, headers: securityHeaders(false) }),
  })
  return (req, res) => {
    void listener(req, res)
    return true
  }
}

function isApi({ req }: Context<WebEnv>): boolean {
  return /^\/api(?:\/|$)/.test(req.path)
}

function isPage(c: Context<WebEnv>): boolean {
  return (c.req.method === "GET" || c.req.method === "HEAD") && !isApi(c)
}

function refuse(c: Context<WebEnv>, sentence: string): Response {
  if (isApi(c)) return c.json({ error: { code: "forbidden", message: sentence } }, 403, NO_STORE)
  return c.text(`${sentence}\n`, 403, NO_STORE)
}

function elsewhere(addresses: readonly string[]): string {
  if (addresses.length === 0) {
    return "These pages are not shown under this name; set --public-url to the https:// address that they have"
  }
  return `These pages are not shown under this name; open ${addresses.join(", or on the bunker's machine ")}`
}

function pathOf(url: string): string {
  const { pathname, search } = new URL(url)
  return `${pathname}${search}`
}
