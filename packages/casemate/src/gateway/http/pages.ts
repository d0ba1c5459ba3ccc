import { createHash } from "node:crypto"
import { readdir, readFile } from "node:fs/promises"
import { extname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { Hono } from "hono"
import { type Logger, reasonOf } from "../../config/log.js"
import type { WebEnv } from "./web-env.js"

/** Where the build of the pages leaves them. */
const BUILT = fileURLToPath(new URL("../../web", import.meta.url))

const TYPES: Readonly<Record<string, string>> = {
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
  ".webmanifest": "application/manifest+json",
}

/** One page, whose script shows what its path is about. */
const SHELL = /^\/(?:requests(?:\/[\w-]{1,128})?|join|sign-in|account)?\/?$/
const HASHED = /-[\w]{8,}\.\w+$/

export interface Asset {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly type: string
  readonly etag: string
}

export interface Pages {
  /** HTML with `{{base}}` for what stands before its paths. */
  readonly shell: string
  /** By path: what is not here is not served, whatever a path looks like. */
  readonly assets: ReadonlyMap<string, Asset>
}

/** Reads the pages, once. Undefined when they were not built. */
export async function loadPages(log: Logger, folder: string = BUILT): Promise<Pages | undefined> {
  try {
    const shell = await readFile(join(folder, "index.html"), "utf8")
    const assets = new Map<string, Asset>()
    for (const entry of await readdir(join(folder, "assets"), { withFileTypes: true })) {
      const type = TYPES[extname(entry.name)]
      if (!entry.isFile() || type === undefined) continue
      const bytes = new Uint8Array(await readFile(join(folder, "assets", entry.name)))
      assets.set(`/assets/${entry.name}`, { bytes, type, etag: etagOf(bytes) })
    }
    return { shell, assets }
  } catch (error) {
    log.info({ reason: reasonOf(error) }, "there are no pages to show")
    return undefined
  }
}

export function createPages(pages: Pages | undefined, log: Logger): Hono<WebEnv> {
  const app = new Hono<WebEnv>()
  let isMissed = false
  const shells = new Map<string, Asset>()
  const shellAt = ({ shell }: Pages, base: string): Asset => {
    const bytes = new TextEncoder().encode(shell.replaceAll("{{base}}", () => escaped(base)))
    return { bytes, type: "text/html; charset=utf-8", etag: etagOf(bytes) }
  }

  app.all("*", (c) => {
    const { path, method } = c.req
    const isShell = SHELL.test(path)
    const asset = pages?.assets.get(path)
    if (!isShell && asset === undefined) return c.text("There is nothing here.\n", 404, { "cache-control": "no-store" })
    if (method !== "GET" && method !== "HEAD") {
      return c.text("This takes GET and HEAD alone.\n", 405, { allow: "GET, HEAD", "cache-control": "no-store" })
    }
    if (pages === undefined) {
      // Once, and not before anybody looked: a bunker works without them.
      if (!isMissed) log.warn("the pages were not built, and somebody opened one; run: npm run build")
      isMissed = true
      const sentence = "The pages of this bunker were not built; run `npm run build` and start it again.\n"
      return c.text(sentence, 503, { "cache-control": "no-store" })
    }
    const { base } = c.get("site")
    if (isShell && !shells.has(base)) shells.set(base, shellAt(pages, base))
    const { bytes, type, etag } = asset ?? (shells.get(base) as Asset)
    // What a hash names never changes; anything else is asked for again, and is mostly the same.
    const cache = asset !== undefined && HASHED.test(path) ? "public, max-age=31536000, immutable" : "no-cache"
    const headers = { "cache-control": cache, etag }
    if (c.req.header("if-none-match") === etag) return c.body(null, 304, headers)
    return c.body(bytes, 200, { ...headers, "content-type": type })
  })
  return app
}

function etagOf(bytes: Uint8Array): string {
  return `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`)
}
