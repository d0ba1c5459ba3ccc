import { createServer } from "node:http"
import type { AddressInfo } from "node:net"

/** All the world, as far as the browser can tell: a proxy that lets nothing through and remembers what was asked. */
export interface Outside {
  readonly url: string
  /** `GET http://host/path`, or `CONNECT host:443`. */
  readonly asked: readonly string[]
  close(): Promise<void>
}

/** The browser's own errands, which no flag ends. No page of ours and no payload names these. */
const ERRANDS = /^CONNECT [a-z0-9.-]+\.(?:google|googleapis|gstatic)\.com:443$/

export async function startOutside(): Promise<Outside> {
  const asked: string[] = []
  const note = (what: string): void => {
    if (!ERRANDS.test(what)) asked.push(what)
  }
  const server = createServer((req, res) => {
    note(`${req.method} ${req.url}`)
    res.writeHead(403).end()
  })
  server.on("connect", (req, socket) => {
    note(`CONNECT ${req.url}`)
    socket.on("error", () => undefined)
    socket.end("HTTP/1.1 403 Forbidden\r\n\r\n")
  })
  server.on("upgrade", (req, socket) => {
    note(`UPGRADE ${req.url}`)
    socket.on("error", () => undefined)
    socket.end("HTTP/1.1 403 Forbidden\r\n\r\n")
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
