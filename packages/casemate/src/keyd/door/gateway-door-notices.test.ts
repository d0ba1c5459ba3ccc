import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { createConnection, createServer, type Server, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Outcome } from "@casemate/nip46/signer"
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { type FramedSocket, frame } from "../../channel/frames.js"
import type { GatewayMessage, KeydMessage, Notice } from "../../channel/gateway-channel.js"
import { createLogger } from "../../config/log.js"
import { GatewayDoor } from "./gateway-door.js"

let folder: string
let server: Server
let door: GatewayDoor
let outcome: Outcome = { kind: "ignored", why: "garbage" }
let waiting: string[][]
let events = 0
const gateways: FramedSocket[] = []

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "casemate-notices-"))
  waiting = []
  door = new GatewayDoor({
    engine: { handle: async () => outcome },
    watches: async () => [],
    prove: async () => undefined,
    call: async () => ({ ok: false, code: "unknown_call", message: "" }),
    onServed: () => undefined,
    onWaiting: (approvalId, connectionId) => void waiting.push([approvalId, connectionId]),
    log: createLogger("test", "silent"),
  })
  server = createServer((socket: Socket) => door.accept(socket)).listen(join(folder, "door"))
  await once(server, "listening")
})
afterEach(() => {
  for (const gateway of gateways.splice(0)) gateway.destroy()
  server.close()
  rmSync(folder, { recursive: true, force: true })
})

/** A gateway that has said hello, and what it was told to post. Once `asks` resolves, what it said before was heard. */
async function connect(): Promise<{ told: () => string[]; say(message: GatewayMessage): void; asks(): Promise<void> }> {
  const inbox: KeydMessage[] = []
  const socket = createConnection(join(folder, "door"))
  await once(socket, "connect")
  const framed = frame(socket, { onMessage: (message) => void inbox.push(message as KeydMessage), onClose: () => {} })
  gateways.push(framed)
  framed.send({ t: "hello", relays: [], http: "http://localhost:1" } satisfies GatewayMessage)
  await vi.waitFor(() => expect(inbox.some(({ t }) => t === "welcome")).toBe(true))
  return {
    told: () => inbox.flatMap((message) => (message.t === "notify" ? [`${message.n} ${message.notice.body}`] : [])),
    say: (message) => void framed.send(message),
    async asks() {
      const n = ++events
      framed.send({ t: "event", n, event: {}, via: [] } satisfies GatewayMessage)
      await vi.waitFor(() => expect(inbox).toContainEqual({ t: "done", n }))
    },
  }
}

const notice = (body: string): Notice => ({ headers: {}, body })

describe("a notice", () => {
  it("goes to the gateway, and is settled by what became of it", async () => {
    const gateway = await connect()
    const taken = door.notify(notice("a"))
    const failed = door.notify(notice("b"))
    await vi.waitFor(() => expect(gateway.told()).toEqual(["1 a", "2 b"]))
    gateway.say({ t: "notified", n: 2, failure: "it answered 404" })
    gateway.say({ t: "notified", n: 1 })
    gateway.say({ t: "notified", n: 99 })
    expect(await failed).toBe("it answered 404")
    expect(await taken).toBeUndefined()
  })

  it("is posted by the next gateway when one ended before it was out, and no more once it is", async () => {
    const first = await connect()
    const settled = door.notify(notice("a"))
    void door.notify(notice("b"))
    await vi.waitFor(() => expect(first.told()).toEqual(["1 a", "2 b"]))
    first.say({ t: "notified", n: 2 })
    await first.asks()
    const next = await connect()
    await vi.waitFor(() => expect(next.told()).toEqual(["1 a"]))
    next.say({ t: "notified", n: 1 })
    expect(await settled).toBeUndefined()
    const last = await connect()
    void door.notify(notice("c"))
    await vi.waitFor(() => expect(last.told()).toEqual(["3 c"]))
  })

  it("waits for a gateway, and of more than twenty the newest do", async () => {
    const settled = Array.from({ length: 25 }, (_, n) => door.notify(notice(String(n))))
    expect(await Promise.all(settled.slice(0, 5))).toEqual(Array(5).fill("too many others came after it"))
    const gateway = await connect()
    await vi.waitFor(() => expect(gateway.told()).toHaveLength(20))
    expect(gateway.told()[0]).toBe("6 5")
  })
})

it("a request that waits is told of, and one that is answered is not", async () => {
  const gateway = await connect()
  outcome = { kind: "waiting", approvalId: "a1", connectionId: "c1", challenge: undefined }
  await gateway.asks()
  expect(waiting).toEqual([["a1", "c1"]])
  outcome = { kind: "ignored", why: "garbage" }
  await gateway.asks()
  expect(waiting).toHaveLength(1)
})
