import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import type { Duplex } from "node:stream"
import type { HttpAddress } from "../../config/config.js"
import { UserError } from "../../config/user-error.js"

export interface HttpHandlers {
  /** True when it has answered. */
  readonly request: (req: IncomingMessage, res: ServerResponse) => boolean
  /** True when it has taken the socket. */
  readonly upgrade: (req: IncomingMessage, socket: Duplex, head: Buffer) => boolean
}

export interface HttpServer {
  /** As a person would type it: `http://localhost:4646`. */
  readonly url: string
  close(): Promise<void>
}

class AddressInUse extends UserError {}

/**
 * Listens on the address. `localhost` means both loopback addresses on one port, so that whichever a
 * program tries first it finds us and nobody else.
 *
 * @throws UserError when the port is taken or not allowed
 */
export async function serveHttp({ host, port }: HttpAddress, handlers: HttpHandlers): Promise<HttpServer> {
  const servers = host === "localhost" ? await listenOnBoth(port, handlers) : [await listen(host, port, handlers)]
  const actual = ((servers[0] as Server).address() as AddressInfo).port
  return {
    url: `http://${nameOf(host)}:${actual}`,
    async close() {
      await Promise.all(servers.map(closeServer))
    },
  }
}

/** A port that the system picked for one loopback address may be taken on the other: then it picks again. */
async function listenOnBoth(port: number, handlers: HttpHandlers, triesLeft = 10): Promise<Server[]> {
  const first = await listen("127.0.0.1", port, handlers)
  try {
    return [first, await listen("::1", (first.address() as AddressInfo).port, handlers)]
  } catch (error) {
    // A machine without IPv6 has nobody else on ::1 either; taken by another program, it could pose as our
    // relay to whoever tries ::1 first.
    if (!(error instanceof AddressInUse)) return [first]
    await closeServer(first)
    if (port === 0 && triesLeft > 1) return listenOnBoth(port, handlers, triesLeft - 1)
    throw error
  }
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

function isLoopback(host: string): boolean {
  return host === "127.0.0.1" || host === "::1"
}

/** Nobody can dial "every address"; this machine answers at its own name. */
function nameOf(host: string): string {
  if (host === "0.0.0.0" || /^[0:]+$/.test(host)) return "localhost"
  return host.includes(":") ? `[${host}]` : host
}

async function listen(host: string, port: number, { request, upgrade }: HttpHandlers): Promise<Server> {
  const server = createServer((req, res) => {
    if (request(req, res)) return
    res.writeHead(404, { "content-type": "text/plain; charset=utf-8" }).end("There is nothing here.\n")
  })
  server.on("upgrade", (req, socket, head) => {
    // From here on node:http listens no more, and a caller who hangs up would end the process.
    socket.on("error", () => socket.destroy())
    if (!upgrade(req, socket, head)) socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n")
  })
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      reject(explain(error, isLoopback(host) ? "localhost" : host, port)),
    )
    server.listen(port, host, resolve)
  })
  return server
}

function explain(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const address = `${host}:${port}`
  switch (error.code) {
    case "EADDRINUSE":
      return new AddressInUse(`${address} is already in use by another program; choose another with --http HOST:PORT`)
    case "EACCES":
      return new UserError(`this account may not listen on ${address}; choose a port above 1023 with --http HOST:PORT`)
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return new UserError(`${host} is no address of this machine; choose another with --http HOST:PORT`)
    case "EAI_AGAIN":
      return new UserError(`the name ${host} could not be looked up; choose an address with --http HOST:PORT`)
    default:
      return new UserError(
        `it is not possible to listen on ${address} (${error.code ?? error.message}); choose another with --http HOST:PORT`,
      )
  }
}
