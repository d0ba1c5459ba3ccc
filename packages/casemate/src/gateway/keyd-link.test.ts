import { mkdtempSync, rmSync } from "node:fs"
import type { Server } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { MAX_EVENT_BYTES, type NostrEvent } from "@casemate/nip46/protocol"
import { pino } from "pino"
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { type FramedSocket, frame } from "../channel/frames.js"
import type { GatewayMessage, KeydMessage, Watch } from "../channel/gateway-channel.js"
import { GATEWAY_SOCKET, listenOn } from "../channel/sockets.js"
import { KeydLink, type KeydLinkOptions } from "./keyd-link.js"

const VIA = ["wss://relay.example"]

const home = process.cwd()
const logged: string[] = []
let folder: string
let server: Server
let keyd: FramedSocket
let inbox: GatewayMessage[]
let link: KeydLink
let onAnswer: (event: NostrEvent) => Promise<boolean>
let onListen: KeydLinkOptions["onListen"]
let watched: (readonly Watch[])[]

/** A keyd that says only what a test tells it to. */
async function startKeyd(): Promise<void> {
  inbox = []
  server = await listenOn(GATEWAY_SOCKET, (socket) => {
    keyd = frame(socket, { onMessage: (message) => inbox.push(message as GatewayMessage), onClose: () => undefined })
  })
}

function stopKeyd(): Promise<void> {
  keyd?.destroy()
  return new Promise((resolve) => server.close(() => resolve()))
}

async function welcome(credit: number, watches: readonly Watch[] = []): Promise<void> {
  await vi.waitFor(() => expect(inbox).toContainEqual(expect.objectContaining({ t: "hello" })))
  keyd.send({ t: "welcome", watches, credit } satisfies KeydMessage)
}

const say = (message: KeydMessage): void => void keyd.send(message)
const sent = (): number[] => inbox.flatMap((message) => (message.t === "event" ? [message.n] : []))
const settled = (): number[] => inbox.flatMap((message) => (message.t === "settled" ? [message.n] : []))

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "casemate-link-"))
  process.chdir(folder)
  logged.length = 0
  watched = []
  onAnswer = async () => true
  onListen = async () => []
  await startKeyd()
  link = new KeydLink({
    hello: { relays: ["wss://relay.example"], http: "http://localhost:4646" },
    onWatches: (watches) => void watched.push(watches),
    onWatch: (watch) => void watched.push([watch]),
    onUnwatch: (id) => void watched.push([{ connectionId: id, remoteSignerPubkey: "", relays: [], guarded: [] }]),
    onListen: (watch, relays) => onListen(watch, relays),
    onAnswer: (event) => onAnswer(event),
    onNotice: async () => undefined,
    log: pino({ level: "warn" }, { write: (line: string) => void logged.push(line) }),
  })
  link.open()
})
afterEach(async () => {
  link.close()
  await stopKeyd()
  process.chdir(home)
  rmSync(folder, { recursive: true, force: true })
})

function event(content = "x"): NostrEvent {
  return { id: "1", pubkey: "2", created_at: 3, kind: 24133, tags: [["p", "4"]], content, sig: "5" }
}

describe("KeydLink", () => {
  it("sends nothing before it is welcome, and no more than it has credit for", async () => {
    for (let i = 0; i < 5; i++) link.forward(event(), VIA)
    await vi.waitFor(() => expect(inbox).toHaveLength(1))
    await welcome(2)
    await vi.waitFor(() => expect(sent()).toEqual([1, 2]))
    say({ t: "done", n: 2 })
    await vi.waitFor(() => expect(sent()).toEqual([1, 2, 3]))
    // A number that is not under way gives no credit.
    say({ t: "done", n: 2 })
    say({ t: "done", n: 99 })
    say({ t: "done", n: 1 })
    await vi.waitFor(() => expect(sent()).toEqual([1, 2, 3, 4]))
    say({ t: "done", n: 3 })
    await vi.waitFor(() => expect(sent()).toEqual([1, 2, 3, 4, 5]))
  })

  it("sends again, and first, what a keyd that died had not finished", async () => {
    for (let i = 0; i < 4; i++) link.forward(event(), VIA)
    await welcome(3)
    await vi.waitFor(() => expect(sent()).toEqual([1, 2, 3]))
    say({ t: "done", n: 2 })
    await vi.waitFor(() => expect(sent()).toEqual([1, 2, 3, 4]))
    await stopKeyd()
    await startKeyd()
    await welcome(10)
    await vi.waitFor(() => expect(sent()).toEqual([1, 3, 4]))
  })

  it("tells keyd when a relay has a watch, or why none has", async () => {
    const one: Watch = { connectionId: "c1", remoteSignerPubkey: "p1", relays: ["wss://a.example"], guarded: [] }
    const asked: unknown[] = []
    const failures = [{ relay: "wss://a.example", reason: "socket error" }]
    onListen = async (...args) => {
      asked.push(args)
      return asked.length === 1 ? [] : failures
    }
    await welcome(1)
    say({ t: "listen", n: 1, watch: one, relays: one.relays })
    await vi.waitFor(() => expect(inbox).toContainEqual({ t: "listening", n: 1, failures: [] }))
    say({ t: "listen", n: 2, watch: one, relays: one.relays })
    await vi.waitFor(() => expect(inbox).toContainEqual({ t: "listening", n: 2, failures }))
    expect(asked).toEqual([
      [one, one.relays],
      [one, one.relays],
    ])
  })

  it("hears of every watch, anew from each keyd", async () => {
    const one: Watch = { connectionId: "c1", remoteSignerPubkey: "p1", relays: ["wss://a.example"], guarded: [] }
    await welcome(1, [one])
    say({ t: "watch", watch: one })
    say({ t: "unwatch", connectionId: "c1" })
    await vi.waitFor(() => expect(watched).toEqual([[one], [one], [expect.objectContaining({ connectionId: "c1" })]]))
    await stopKeyd()
    await startKeyd()
    await welcome(1, [])
    await vi.waitFor(() => expect(watched.at(-1)).toEqual([]))
  })

  it("tells when an answer is out, also when that failed, and goes on", async () => {
    onAnswer = async ({ content }) => {
      if (content === "bad") throw new Error("socket hang up")
      return true
    }
    await welcome(1)
    say({ t: "answer", n: 1, event: event("bad"), relays: [], again: false })
    say({ t: "answer", n: 2, event: event("good"), relays: [], again: false })
    await vi.waitFor(() => expect(settled().toSorted((a, b) => a - b)).toEqual([1, 2]))
    expect(logged.join("")).toContain("socket hang up")
  })

  it("tells only the keyd that numbered an answer", async () => {
    let finish: (isOut: boolean) => void = () => {}
    onAnswer = () => new Promise((resolve) => (finish = resolve))
    await welcome(1)
    say({ t: "answer", n: 7, event: event(), relays: [], again: false })
    link.forward(event(), VIA)
    await vi.waitFor(() => expect(sent()).toEqual([1]))
    await stopKeyd()
    await startKeyd()
    await welcome(5)
    await vi.waitFor(() => expect(sent()).toEqual([1]))
    finish(true)
    link.forward(event(), VIA)
    await vi.waitFor(() => expect(sent()).toEqual([1, 2]))
    expect(settled()).toEqual([])
  })

  it("carries the fields that NIP-01 names and no others", async () => {
    await welcome(1)
    link.forward({ ...event(), extra: "x".repeat(1_000) } as NostrEvent, VIA)
    await vi.waitFor(() => expect(sent()).toEqual([1]))
    expect(inbox.at(-1)).toEqual({ t: "event", n: 1, event: event(), via: VIA })
  })

  it("keeps 20,000 events for a keyd that is away and drops what comes after them", async () => {
    for (let i = 0; i < 20_010; i++) link.forward(event(), VIA)
    expect(logged).toHaveLength(10)
    expect(logged[0]).toContain("too many events")
    await welcome(30_000)
    await vi.waitFor(() => expect(sent()).toHaveLength(20_000), { timeout: 10_000 })
  })

  it("keeps 32 Mi characters at most, in content or tags", async () => {
    const big = { ...event("x".repeat(30_000)), tags: [["p", "y".repeat(30_000)]] }
    const fit = Math.ceil(33_554_432 / 60_001)
    for (let i = 0; i < fit + 5; i++) link.forward(big, VIA)
    expect(logged).toHaveLength(5)
  })

  it("takes no event that keyd would not", async () => {
    await welcome(5)
    link.forward(event("x".repeat(MAX_EVENT_BYTES + 1)), VIA)
    link.forward(event("small"), VIA)
    await vi.waitFor(() => expect(sent()).toEqual([1]))
    expect(inbox.at(-1)).toMatchObject({ event: { content: "small" } })
  })

  describe("relay proofs", () => {
    const ask = { remoteSignerPubkey: "p1", relay: "wss://relay.example", challenge: "abc" }
    const asked = () => inbox.filter((message) => message.t === "prove")

    it("come back to whoever asked, whatever their order", async () => {
      await welcome(1)
      await vi.waitFor(() => expect(watched).toHaveLength(1))
      const proofs = ["a", "b", "c"].map((challenge) => link.prove({ ...ask, challenge }))
      await vi.waitFor(() => expect(asked()).toHaveLength(3))
      expect(asked()[0]).toEqual({ t: "prove", n: 1, ask: { ...ask, challenge: "a" } })
      say({ t: "proof", n: 3, event: event("third") })
      say({ t: "proof", n: 99, event: event("of nobody") })
      say({ t: "proof", n: 2 })
      say({ t: "proof", n: 1, event: event("first") })
      expect(await Promise.all(proofs)).toEqual([event("first"), undefined, event("third")])
    })

    it("are declined at once without a keyd", async () => {
      expect(await link.prove(ask)).toBeUndefined()
      await welcome(1)
      await vi.waitFor(() => expect(watched).toHaveLength(1))
      expect(asked()).toEqual([])
    })

    it("end with the keyd that was asked, and the next one is not asked by itself", async () => {
      await welcome(1)
      await vi.waitFor(() => expect(watched).toHaveLength(1))
      const proof = link.prove(ask)
      await vi.waitFor(() => expect(asked()).toHaveLength(1))
      await stopKeyd()
      expect(await proof).toBeUndefined()
      await startKeyd()
      await welcome(1)
      await vi.waitFor(() => expect(watched).toHaveLength(2))
      expect(asked()).toEqual([])
      const again = link.prove(ask)
      await vi.waitFor(() => expect(asked()).toHaveLength(1))
      // An answer to the first question, had it been numbered alike, would be taken for this one.
      say({ t: "proof", n: 1, event: event("old") })
      say({ t: "proof", n: 2, event: event("new") })
      expect(await again).toEqual(event("new"))
    })

    it("have a deadline, after which an answer is nobody's", async () => {
      await welcome(1)
      await vi.waitFor(() => expect(watched).toHaveLength(1))
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
      try {
        const proof = link.prove(ask)
        await vi.advanceTimersByTimeAsync(5_000)
        expect(await proof).toBeUndefined()
        expect(vi.getTimerCount()).toBe(0)
      } finally {
        vi.useRealTimers()
      }
    })
  })

  it("drains once all is done and out, and takes nothing more", async () => {
    let finish: (isOut: boolean) => void = () => {}
    onAnswer = () => new Promise((resolve) => (finish = resolve))
    link.forward(event(), VIA)
    await welcome(5)
    await vi.waitFor(() => expect(sent()).toEqual([1]))
    const drained = vi.fn()
    const drain = link.drain().then(drained)
    link.forward(event(), VIA)
    say({ t: "answer", n: 1, event: event(), relays: [], again: false })
    say({ t: "done", n: 1 })
    say({ t: "watch", watch: { connectionId: "c", remoteSignerPubkey: "p", relays: [], guarded: [] } })
    await vi.waitFor(() => expect(watched).toHaveLength(2))
    expect(drained).not.toHaveBeenCalled()
    finish(true)
    await drain
    expect(sent()).toEqual([1])
  })

  it("drains at once when there is nothing", async () => {
    await link.drain()
  })
})
