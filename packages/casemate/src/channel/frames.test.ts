import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { createConnection, createServer, type Server, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it, test, vi } from "vitest"
import { frame } from "./frames.js"

let folder: string
let server: Server
let peer: Socket
let mine: Socket
const received: unknown[] = []

beforeEach(async () => {
  received.length = 0
  folder = mkdtempSync(join(tmpdir(), "casemate-frames-"))
  server = createServer()
  server.listen(join(folder, "s"))
  await once(server, "listening")
  peer = createConnection(join(folder, "s"))
  peer.on("error", () => {})
  ;[mine] = (await once(server, "connection")) as [Socket]
})
afterEach(() => {
  peer.destroy()
  mine.destroy()
  server.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Frames our end; resolves with the reason once it has closed. */
function listen(maxFrameBytes?: number) {
  let onClose = (_reason: string): void => {}
  const closed = new Promise<string>((resolve) => {
    onClose = resolve
  })
  const framed = frame(mine, {
    onMessage: (message) => received.push(message),
    onClose,
    ...(maxFrameBytes === undefined ? {} : { maxFrameBytes }),
  })
  return { framed, closed }
}

/** Hands over the bytes in exactly these chunks. */
async function inChunks(...chunks: (string | Uint8Array)[]): Promise<void> {
  for (const chunk of chunks) mine.emit("data", Buffer.from(chunk as string))
}

describe("frames", () => {
  test.each([
    ["one a chunk", ['{"a":1}\n', '{"b":2}\n']],
    ["two in a chunk", ['{"a":1}\n{"b":2}\n']],
    ["split anywhere", ['{"a', '":1}', "\n{", '"b":2}\n']],
    ["the line feed alone", ['{"a":1}', "\n", '{"b":2}', "\n"]],
    ["empty lines between", ['\n\n{"a":1}\n\n{"b":2}\n']],
    ["one byte at a time", [...'{"a":1}\n{"b":2}\n']],
  ])("come whole: %s", async (_, chunks) => {
    listen()
    await inChunks(...chunks)
    expect(received).toEqual([{ a: 1 }, { b: 2 }])
  })

  it("keep a character that is split across chunks", async () => {
    listen()
    const bytes = Buffer.from('{"text":"é筆\u{1f511}"}\n')
    await inChunks(...Array.from(bytes, (_, i) => bytes.subarray(i, i + 1)))
    expect(received).toEqual([{ text: "é筆\u{1f511}" }])
  })

  it("carry line feeds and every other character inside a message", async () => {
    const { framed } = listen()
    const message = { text: 'a\nb\r\n\u2028"\\\u0000' }
    framed.send(message)
    const [chunk] = (await once(peer, "data")) as [Buffer]
    await inChunks(chunk)
    expect(received).toEqual([message])
  })

  it("that are no JSON end the connection, and nothing after them is read", async () => {
    const { closed } = listen()
    peer.write('{"a":1}\nnonsense\n{"b":2}\n')
    expect(await closed).toBe("a frame was not JSON")
    expect(received).toEqual([{ a: 1 }])
  })

  it("that never end, end the connection", async () => {
    const { closed } = listen(1_000)
    peer.write("x".repeat(1_001))
    expect(await closed).toBe("a frame was longer than 1000 bytes")
  })

  it("of just the size allowed are read", async () => {
    const text = "x".repeat(1_000 - 2)
    listen(1_000)
    await inChunks(`"${text}"`, "\n")
    expect(received).toEqual([text])
  })

  it("have 1 MiB unless told", async () => {
    const { closed } = listen()
    peer.write(Buffer.alloc(1_048_577, "x"))
    expect(await closed).toBe("a frame was longer than 1048576 bytes")
  })

  it("end when the other side does; half a frame is nothing", async () => {
    const { framed, closed } = listen()
    peer.end('{"a":1}\n{"b"')
    expect(await closed).toBe("the other side closed the connection")
    expect(received).toEqual([{ a: 1 }])
    expect(framed.send({})).toBe(false)
  })

  it("of one turn leave in one write, in order", async () => {
    const { framed } = listen()
    const writes = vi.spyOn(mine, "write")
    for (let i = 0; i < 100; i++) expect(framed.send({ i })).toBe(true)
    const [chunk] = (await once(peer, "data")) as [Buffer]
    expect(writes).toHaveBeenCalledTimes(1)
    const expected = Array.from({ length: 100 }, (_, i) => ({ i }))
    expect(chunk.toString()).toBe(expected.map((message) => `${JSON.stringify(message)}\n`).join(""))
    framed.send({ next: true })
    expect(String((await once(peer, "data"))[0])).toBe('{"next":true}\n')
  })

  it("that were sent before a socket is destroyed are written", async () => {
    const { framed } = listen()
    framed.send({ last: true })
    framed.destroy()
    expect(String((await once(peer, "data"))[0])).toBe('{"last":true}\n')
    expect(framed.send({ late: true })).toBe(false)
  })

  it("that were queued leave before an orderly end", async () => {
    const { framed } = listen()
    for (let i = 0; i < 1_000; i++) framed.send({ i })
    framed.end()
    expect(framed.send({ late: true })).toBe(false)
    let text = ""
    peer.on("data", (chunk) => {
      text += chunk.toString()
    })
    await once(peer, "end")
    expect(text.trim().split("\n")).toHaveLength(1_000)
    expect(text).not.toContain("late")
  })
})
