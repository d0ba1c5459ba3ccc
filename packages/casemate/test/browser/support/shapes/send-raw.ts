import { connect } from "node:net"
import type { RawRequest } from "./raw-shapes.js"

/** Writes a request byte by byte as it is said, and gives the status; undefined when it was hung up on. */
export function sendRaw(port: number, { method, path, headers, body }: RawRequest): Promise<number | undefined> {
  const lines = [
    `${method} ${path} HTTP/1.1`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
    `content-length: ${Buffer.byteLength(body)}`,
    "connection: close",
  ]
  return new Promise((resolve) => {
    let answer = ""
    const socket = connect(port, "127.0.0.1", () => socket.write(`${lines.join("\r\n")}\r\n\r\n${body}`))
    socket.setEncoding("latin1")
    socket.on("data", (text: string) => {
      answer += text
    })
    // A body that is too long is not read to its end, and what comes of that is no matter.
    socket.on("error", () => undefined)
    socket.on("close", () => {
      const status = /^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1]
      resolve(status === undefined ? undefined : Number(status))
    })
  })
}
