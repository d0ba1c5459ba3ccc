import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"

/** Pages of others, wherever a browser may open them. */
export interface Attackers {
  readonly hosts: readonly string[]
  /** By what they are; one of them holds its page in a frame. */
  readonly pages: Readonly<Record<string, string>>
  /** Answers whatever is sent here with a redirect there. */
  redirectTo(url: string): void
  readonly redirect: string
  close(): Promise<void>
}

const PAGE = "<!doctype html><meta charset=utf-8><title>You have won</title><body>"
const FRAMED = `${PAGE}<iframe src="data:text/html,${encodeURIComponent(PAGE)}"></iframe>`
const SANDBOXED = `${PAGE}<iframe sandbox="allow-scripts allow-forms allow-popups" srcdoc="<!doctype html><body>"></iframe>`

export async function startAttackers(): Promise<Attackers> {
  let target = ""
  const server = createServer((req, res) => {
    if (req.url === "/redirect") {
      res.writeHead(307, { location: target, "access-control-allow-origin": "*" }).end()
      return
    }
    const page = { "/sandboxed": SANDBOXED, "/framed": FRAMED }[req.url ?? ""] ?? PAGE
    res.writeHead(200, { "content-type": "text/html" }).end(page)
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as AddressInfo
  const folder = mkdtempSync(join(tmpdir(), "casemate-attacker-"))
  const file = join(folder, "page.html")
  writeFileSync(file, PAGE)
  const at = (host: string): string => `http://${host}:${port}`
  return {
    hosts: ["localhost", "127.0.0.1", "other.localhost"].map((host) => `${host}:${port}`),
    pages: {
      "another port": `${at("localhost")}/`,
      "another address of this machine": `${at("127.0.0.1")}/`,
      "a subdomain": `${at("other.localhost")}/`,
      "a file": pathToFileURL(file).href,
      // By itself it gets nowhere on this machine, in browsers that guard that.
      "a data URL in a frame": `${at("localhost")}/framed`,
      "a sandboxed frame": `${at("localhost")}/sandboxed`,
    },
    redirectTo(url) {
      target = url
    },
    redirect: `${at("127.0.0.1")}/redirect`,
    close: () =>
      new Promise((resolve) => {
        rmSync(folder, { recursive: true, force: true })
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
