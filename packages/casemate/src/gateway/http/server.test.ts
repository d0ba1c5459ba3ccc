import { once } from "node:events"
import { request } from "node:http"
import type { AddressInfo } from "node:net"
import { connect, createServer } from "node:net"
import { networkInterfaces } from "node:os"
import { afterEach, describe, expect, it, test } from "vitest"
import { UserError } from "../../config/user-error.js"
import { type HttpHandlers, type HttpServer, serveHttp } from "./server.js"

const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === "::1"))
const handlers: HttpHandlers = {
  request(req, res) {
    if (req.url !== "/") return false
    res.end("here")
    return true
  },
  upgrade: () => false,
}

const opened: { close(): unknown }[] = []
afterEach(async () => {
  for (const server of opened.splice(0)) await server.close()
})

async function serve(host: string, port = 0): Promise<HttpServer> {
  const server = await serveHttp({ host, port }, handlers)
  opened.push(server)
  return server
}

function get(host: string, port: number, path = "/", headers = {}): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const req = request({ host, port, path, headers }, (res) => {
      let text = ""
      res.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk
      })
      res.on("end", () => resolve({ status: res.statusCode ?? 0, text }))
    })
    req.on("error", reject).end()
  })
}

/** Another program's listener. */
async function occupy(host: string, port = 0): Promise<number> {
  const other = createServer().listen(port, host)
  await once(other, "listening")
  opened.push(other)
  return (other.address() as AddressInfo).port
}

const portOf = ({ url }: HttpServer): number => Number(new URL(url).port)

describe("serveHttp", () => {
  it("takes both loopback addresses for localhost, on one port", async () => {
    const server = await serve("localhost")
    expect(server.url).toMatch(/^http:\/\/localhost:\d+$/)
    expect(await get("127.0.0.1", portOf(server))).toEqual({ status: 200, text: "here" })
    if (hasIpv6) expect(await get("::1", portOf(server))).toEqual({ status: 200, text: "here" })
    else console.log("skipped: ::1, because this machine has no IPv6")
  })

  it.each([
    ["127.0.0.1", /^http:\/\/127\.0\.0\.1:\d+$/],
    // Nobody can dial "every address".
    ["0.0.0.0", /^http:\/\/localhost:\d+$/],
  ])("says where %s is to be found", async (host, url) => {
    expect((await serve(host)).url).toMatch(url)
  })

  it.runIf(hasIpv6).each([
    ["::1", /^http:\/\/\[::1\]:\d+$/],
    ["::", /^http:\/\/localhost:\d+$/],
  ])("says where %s is to be found", async (host, url) => {
    expect((await serve(host)).url).toMatch(url)
  })

  it("refuses a port that another program has, and keeps neither address", async () => {
    const port = await occupy("127.0.0.1")
    await expect(serveHttp({ host: "localhost", port }, handlers)).rejects.toThrow(
      new UserError(`localhost:${port} is already in use by another program; choose another with --http HOST:PORT`),
    )
    if (hasIpv6) await occupy("::1", port)
  })

  it.runIf(hasIpv6)("refuses a port that another program has on ::1 alone: it could pose as our relay", async () => {
    const port = await occupy("::1")
    await expect(serveHttp({ host: "localhost", port }, handlers)).rejects.toThrow(/is already in use/)
    await occupy("127.0.0.1", port)
  })

  test.each([
    ["192.0.2.1", /^192\.0\.2\.1 is no address of this machine/],
    ["fe80::1", /^it is not possible to listen on fe80::1:0|^fe80::1 is no address/],
    ["no-such-host.invalid", /^no-such-host\.invalid is no address|^the name no-such-host\.invalid could not/],
  ])("says in a sentence that it cannot listen on %s", async (host, sentence) => {
    const refused = serveHttp({ host, port: 0 }, handlers)
    await expect(refused).rejects.toBeInstanceOf(UserError)
    await expect(refused).rejects.toThrow(sentence)
  })

  it("answers 404 where nothing is", async () => {
    const server = await serve("127.0.0.1")
    expect(await get("127.0.0.1", portOf(server), "/nothing")).toMatchObject({ status: 404 })
    const socket = connect(portOf(server), "127.0.0.1")
    socket.write("GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
    const [chunk] = (await once(socket, "data")) as [Buffer]
    expect(chunk.toString()).toMatch(/^HTTP\/1\.1 404 /)
    await once(socket, "close")
  })

  it("outlives a caller who asks for an upgrade and is gone", async () => {
    let sockets = 0
    const gone: Promise<unknown>[] = []
    const server = await serveHttp(
      { host: "127.0.0.1", port: 0 },
      {
        ...handlers,
        upgrade(_, socket) {
          sockets++
          gone.push(new Promise((resolve) => socket.once("close", resolve)))
          socket.destroy(Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" }))
          return false
        },
      },
    )
    opened.push(server)
    const socket = connect(portOf(server), "127.0.0.1")
    socket.on("error", () => {})
    socket.write("GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
    await once(socket, "close")
    await Promise.all(gone)
    expect(sockets).toBe(1)
    expect(await get("127.0.0.1", portOf(server))).toMatchObject({ status: 200 })
  })

  it("closes at once, with callers on the line", async () => {
    const server = await serve("127.0.0.1")
    const socket = connect(portOf(server), "127.0.0.1")
    socket.on("error", () => {})
    await once(socket, "connect")
    socket.write("GET / HTTP/1.1\r\n")
    await server.close()
    await expect(get("127.0.0.1", portOf(server))).rejects.toThrow(/ECONNREFUSED/)
    socket.destroy()
  })
})
