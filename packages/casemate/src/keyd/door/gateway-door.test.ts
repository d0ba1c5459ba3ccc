import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import type { Server, Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { NostrEvent } from "@casemate/nip46/protocol"
import type { Answer, Outcome } from "@casemate/nip46/signer"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { type FramedSocket, frame } from "../../channel/frames.js"
import type { GatewayMessage, KeydMessage, ProofAsk, Watch } from "../../channel/gateway-channel.js"
import { connectTo, GATEWAY_SOCKET, listenOn } from "../../channel/sockets.js"
import { createLogger } from "../../config/log.js"
import { GatewayDoor } from "./gateway-door.js"

const home = process.cwd()
let folder: string
let server: Server
let door: GatewayDoor
let watches: () => Promise<readonly Watch[]>
let handle: (event: unknown) => Promise<Outcome>
let prove: (ask: ProofAsk) => Promise<NostrEvent | undefined>
const served: string[] = []

/** A gateway that does nothing by itself. */
interface Peer {
  readonly framed: FramedSocket
  say(message: GatewayMessage): void
  /** The next message of that kind that was not asked for before. */
  next<T extends KeydMessage["t"]>(kind: T): Promise<Extract<KeydMessage, { t: T }>>
  readonly closed: Promise<string>
}
const peers: Peer[] = []

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "casemate-door-"))
  process.chdir(folder)
  served.length = 0
  watches = async () => []
  handle = async () => ({ kind: "ignored", why: "malformed" })
  prove = async () => undefined
  door = new GatewayDoor({
    engine: { handle: (event) => handle(event) },
    watches: () => watches(),
    prove: (ask) => prove(ask),
    call: async () => ({ ok: false, code: "unknown_call", message: "" }),
    onServed: (id) => void served.push(id),
    log: createLogger("test", "silent"),
  })
  server = await listenOn(GATEWAY_SOCKET, (socket: Socket) => door.accept(socket))
})
afterEach(() => {
  for (const { framed } of peers.splice(0)) framed.destroy()
  server.close()
  process.chdir(home)
  rmSync(folder, { recursive: true, force: true })
})

async function connect(): Promise<Peer> {
  const inbox: KeydMessage[] = []
  let look = (): void => {}
  let onClose: (reason: string) => void = () => {}
  const closed = new Promise<string>((resolve) => {
    onClose = resolve
  })
  const framed = frame(await connectTo(GATEWAY_SOCKET), {
    onMessage(message) {
      inbox.push(message as KeydMessage)
      look()
    },
    onClose,
  })
  const peer: Peer = {
    framed,
    say: (message) => void framed.send(message),
    next: (kind) =>
      new Promise((resolve) => {
        look = () => {
          const at = inbox.findIndex(({ t }) => t === kind)
          if (at === -1) return
          look = () => {}
          resolve(inbox.splice(at, 1)[0] as never)
        }
        look()
      }),
    closed,
  }
  peers.push(peer)
  return peer
}

async function greet(name = "one"): Promise<Peer> {
  const peer = await connect()
  peer.say({ t: "hello", relays: [`wss://${name}.example`], http: "http://localhost:1" })
  await peer.next("welcome")
  return peer
}

const watch = (id: string): Watch => ({ connectionId: id, remoteSignerPubkey: id, relays: [], guarded: [] })
const answer = (content: string): Answer => ({
  event: { content } as NostrEvent,
  relays: ["wss://relay.example"],
  connectionId: content,
})

describe("GatewayDoor", () => {
  it("lets the newest gateway win, and hangs up on the one before", async () => {
    const old = await greet("old")
    const young = await greet("young")
    expect(await old.closed).toBe("the other side closed the connection")
    expect(door.info?.relays).toEqual(["wss://young.example"])
    door.watch(watch("a"))
    expect(await young.next("watch")).toEqual({ t: "watch", watch: watch("a") })
  })

  it("lets the newest hello win, though the list for an older one comes later", async () => {
    const lists: ((list: readonly Watch[]) => void)[] = []
    watches = () => new Promise((resolve) => lists.push(resolve))
    const old = await connect()
    old.say({ t: "hello", relays: ["wss://old.example"], http: "" })
    const young = await connect()
    young.say({ t: "hello", relays: ["wss://young.example"], http: "" })
    await old.closed
    lists[1]?.([])
    await young.next("welcome")
    lists[0]?.([])
    door.watch(watch("a"))
    await young.next("watch")
    expect(door.info?.relays).toEqual(["wss://young.example"])
  })

  it("tells a gateway of what is offered while its list is being read", async () => {
    let finish: (watches: readonly Watch[]) => void = () => {}
    const asked = new Promise<void>((asked) => {
      watches = () => {
        asked()
        return new Promise((resolve) => {
          finish = resolve
        })
      }
    })
    const peer = await connect()
    peer.say({ t: "hello", relays: [], http: "" })
    await asked
    door.watch(watch("late"))
    finish([watch("early")])
    expect((await peer.next("welcome")).watches).toEqual([watch("early"), watch("late")])
  })

  it("hangs up when the list cannot be read, so that the gateway asks again", async () => {
    watches = async () => {
      throw new Error("database is locked")
    }
    const peer = await connect()
    peer.say({ t: "hello", relays: [], http: "" })
    await peer.closed
    watches = async () => [watch("a")]
    const again = await connect()
    again.say({ t: "hello", relays: [], http: "" })
    expect((await again.next("welcome")).watches).toEqual([watch("a")])
  })

  it("lets the gateway forget what is listed no more, once, and nothing that is offered meanwhile", async () => {
    watches = async () => [watch("old"), watch("live")]
    const peer = await greet()
    door.watch(watch("offer"))
    let finish: (watches: readonly Watch[]) => void = () => {}
    watches = () =>
      new Promise((resolve) => {
        finish = resolve
      })
    const sweeping = door.sweep()
    door.watch(watch("new"))
    finish([watch("live")])
    await sweeping
    watches = async () => [watch("live"), watch("new")]
    await door.sweep()
    const told = [await peer.next("unwatch"), await peer.next("unwatch")]
    expect(told.map(({ connectionId }) => connectionId)).toEqual(["old", "offer"])
    watches = async () => []
    await door.sweep()
    const rest = [await peer.next("unwatch"), await peer.next("unwatch")]
    expect(rest.map(({ connectionId }) => connectionId)).toEqual(["live", "new"])
  })

  it("keeps all watches when the list cannot be read", async () => {
    watches = async () => [watch("a")]
    const peer = await greet()
    watches = async () => {
      throw new Error("database is locked")
    }
    await expect(door.sweep()).rejects.toThrow("database is locked")
    watches = async () => []
    await door.sweep()
    expect(await peer.next("unwatch")).toEqual({ t: "unwatch", connectionId: "a" })
  })

  it("sends an answer again to each new gateway until one has it out", async () => {
    door.publish(answer("kept"))
    const first = await greet()
    const { n } = await first.next("answer")
    const second = await greet()
    expect(await second.next("answer")).toMatchObject({ n, event: { content: "kept" }, again: true })
    second.say({ t: "settled", n })
    door.publish(answer("new"))
    await second.next("answer")
    const third = await greet()
    expect(await third.next("answer")).toMatchObject({ event: { content: "new" } })
  })

  it("is done with an event whose request failed, and takes the next", async () => {
    handle = async (event) => {
      if (event === "bad") throw new Error("disk full")
      return { kind: "answered", answer: answer("good") }
    }
    const peer = await greet()
    peer.say({ t: "event", n: 1, event: "bad", via: [] })
    expect(await peer.next("done")).toEqual({ t: "done", n: 1 })
    peer.say({ t: "event", n: 2, event: "good", via: [] })
    expect(await peer.next("answer")).toMatchObject({ event: { content: "good" } })
    expect(await peer.next("done")).toEqual({ t: "done", n: 2 })
    expect(served).toEqual(["good"])
  })

  it("sends the challenge of a request that waits for its owner, and is done with it either way", async () => {
    handle = async (event) => ({
      kind: "waiting",
      approvalId: "a",
      connectionId: String(event),
      challenge: event === "told" ? answer("challenge") : undefined,
    })
    const peer = await greet()
    for (const [n, event] of ["held", "told"].entries()) {
      peer.say({ t: "event", n, event, via: [] })
      expect(await peer.next("done")).toEqual({ t: "done", n })
    }
    expect(await peer.next("answer")).toMatchObject({ n: 1, event: { content: "challenge" } })
    expect(served).toEqual(["held", "told"])
  })

  it("is settled and drained only once what an owner decided is out, however that ends", async () => {
    const peer = await greet()
    for (const end of ["resolve", "reject"] as const) {
      const ends: { resolve(answers: readonly Answer[]): void; reject(error: Error): void }[] = []
      const work = door.publishAll(new Promise((resolve, reject) => ends.push({ resolve, reject })))
      const waited: string[] = []
      const waits = [door.settled().then(() => waited.push("settled")), door.drain().then(() => waited.push("drained"))]
      await new Promise((resolve) => setImmediate(resolve))
      expect(waited).toEqual([])
      if (end === "resolve") ends[0]?.resolve([answer("decided")])
      else ends[0]?.reject(new Error("disk full"))
      if (end === "resolve") await work
      else await expect(work).rejects.toThrow("disk full")
      await Promise.all(waits)
    }
    expect(await peer.next("answer")).toMatchObject({ event: { content: "decided" } })
  })

  it("drains what is under way, and what comes in meanwhile", async () => {
    const finish: ((outcome: Outcome) => void)[] = []
    handle = () => new Promise((resolve) => finish.push(resolve))
    const peer = await greet()
    peer.say({ t: "event", n: 1, event: 1, via: [] })
    peer.say({ t: "event", n: 2, event: 2, via: [] })
    while (finish.length < 2) await new Promise((resolve) => setImmediate(resolve))
    let drained = false
    const drain = door.drain().then(() => {
      drained = true
    })
    finish[0]?.({ kind: "ignored", why: "malformed" })
    await peer.next("done")
    expect(drained).toBe(false)
    finish[1]?.({ kind: "ignored", why: "malformed" })
    await drain
    expect(await peer.next("done")).toEqual({ t: "done", n: 2 })
  })

  it("listens once a relay of the gateway's has the watch, and hears why when none has", async () => {
    const peer = await greet()
    const listens = door.listen(watch("a"), ["wss://theirs.example"])
    const asked = await peer.next("listen")
    expect(asked).toMatchObject({ watch: watch("a"), relays: ["wss://theirs.example"] })
    peer.say({ t: "listening", n: asked.n + 1, failures: [] })
    const failures = [{ relay: "wss://theirs.example", reason: "socket error" }]
    peer.say({ t: "listening", n: asked.n, failures })
    expect(await listens).toEqual(failures)

    const again = door.listen(watch("a"), [])
    peer.say({ t: "listening", n: (await peer.next("listen")).n, failures: [] })
    expect(await again).toEqual([])
    door.unwatch("a")
    expect(await peer.next("unwatch")).toEqual({ t: "unwatch", connectionId: "a" })
  })

  it("gives up listening without a gateway, or with one that goes away or is replaced", async () => {
    const notUp = /network side is not up/
    await expect(door.listen(watch("a"), [])).rejects.toThrow(notUp)
    const peer = await greet()
    const listens = expect(door.listen(watch("a"), [])).rejects.toThrow(notUp)
    await peer.next("listen")
    peer.framed.destroy()
    await listens
    const old = await greet()
    const replaced = expect(door.listen(watch("a"), [])).rejects.toThrow(notUp)
    await old.next("listen")
    await greet()
    await replaced
  })

  it("answers each question for a proof by its number, with nothing when it declines or cannot", async () => {
    prove = async ({ challenge }) => {
      if (challenge === "bad") throw new Error("disk full")
      return challenge === "good" ? answer("proof").event : undefined
    }
    const peer = await greet()
    for (const [n, challenge] of ["bad", "odd", "good"].entries()) {
      peer.say({ t: "prove", n, ask: { remoteSignerPubkey: "a", relay: "wss://relay.example", challenge } })
      const event = challenge === "good" ? { event: { content: "proof" } } : {}
      expect(await peer.next("proof")).toEqual({ t: "proof", n, ...event })
    }
  })

  it("a revocation and the end wait for a proof that is being made", async () => {
    let finish: (proof: NostrEvent | undefined) => void = () => {}
    const asked = new Promise<void>((asked) => {
      prove = () => {
        asked()
        return new Promise((resolve) => {
          finish = resolve
        })
      }
    })
    const peer = await greet()
    peer.say({ t: "prove", n: 1, ask: { remoteSignerPubkey: "a", relay: "wss://relay.example", challenge: "x" } })
    await asked
    let ended = 0
    const ends = [door.settled(), door.drain()].map((end) => end.then(() => ended++))
    // A turn of the pipe, in which a door that did not wait would have come to its end.
    peer.say({ t: "event", n: 1, event: 1, via: [] })
    await peer.next("done")
    expect(ended).toBe(0)
    finish(undefined)
    await Promise.all(ends)
    expect(await peer.next("proof")).toEqual({ t: "proof", n: 1 })
  })

  it("ignores messages that it does not know", async () => {
    const peer = await greet()
    for (const message of [null, 7, [], {}, { t: 7 }, { t: "nonsense" }, { t: "settled", n: "x" }]) {
      peer.framed.send(message as object)
    }
    door.watch(watch("a"))
    expect(await peer.next("watch")).toEqual({ t: "watch", watch: watch("a") })
  })
})

it("a gateway that is gone is not written to", async () => {
  const peer = await greet()
  const closed = once(server, "connection").then(() => undefined)
  peer.framed.destroy()
  await peer.closed
  door.publish(answer("kept"))
  const next = await greet()
  await closed
  expect(await next.next("answer")).toMatchObject({ event: { content: "kept" } })
})
