import { connect, createServer, type Socket } from "node:net"

/** Stands before a server, changes nothing, and keeps the head of every request that came by. */
export interface Tap {
  readonly port: number
  /** Request line and headers, as they were sent. */
  readonly heads: readonly string[]
  close(): Promise<void>
}

const HEAD = /^[A-Z]+ \S+ HTTP\/1\.1\r\n/

/** @param port to listen on; @param target of the server */
export async function startTap(port: number, target: () => number): Promise<Tap> {
  const heads: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    const onward = connect(target(), "127.0.0.1")
    for (const [one, other] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      sockets.add(one)
      one.on("error", () => undefined)
      one.on("close", () => {
        sockets.delete(one)
        other.destroy()
      })
      one.pipe(other)
    }
    // Browsers write a head at once, before anything of its body.
    socket.on("data", (chunk: Buffer) => {
      const text = chunk.toString("latin1")
      if (HEAD.test(text)) heads.push(text.split("\r\n\r\n", 1)[0] ?? "")
    })
  })
  await new Promise<void>((resolve) => server.listen(port, "localhost", resolve))
  return {
    port,
    heads,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}
