import { once } from "node:events"
import { createServer, type IncomingMessage } from "node:http"
import type { AddressInfo } from "node:net"
import type { EventTemplate, NostrEvent } from "@casemate/nip46/protocol"
import fc from "fast-check"
import { SimplePool, useWebSocketImplementation } from "nostr-tools/pool"
import { finalizeEvent, generateSecretKey, getPublicKey, verifyEvent } from "nostr-tools/pure"
import { afterEach, describe, expect, test, vi } from "vitest"
import { type ClientOptions, WebSocket } from "ws"
import { createRelayServer, type RelayServer, type RelayServerOptions } from "./relay-server.js"

useWebSocketImplementation(WebSocket)

const cleanups: (() => void | Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

interface Running {
  relay: RelayServer
  url: string
  http: string
}

interface StartOptions extends Partial<RelayServerOptions> {
  /** Where the next sockets seem to come from. */
  remoteAddress?: () => string
}

async function start({ remoteAddress, ...options }: StartOptions = {}): Promise<Running> {
  const verify = (event: NostrEvent) => verifyEvent(JSON.parse(JSON.stringify(event)) as NostrEvent)
  const relay = createRelayServer({ verifyEvent: verify, ...options })
  const server = createServer((req, res) => {
    if (!relay.handleRequest(req, res)) res.writeHead(404).end()
  })
  server.on("upgrade", (req: IncomingMessage, socket, head) => {
    if (remoteAddress !== undefined) Object.defineProperty(req.socket, "remoteAddress", { get: remoteAddress })
    if (!relay.handleUpgrade(req, socket, head)) socket.destroy()
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  cleanups.push(async () => {
    await relay.close()
    expect(relay.stats()).toMatchObject({ connections: 0, subscriptions: 0 })
    server.closeIdleConnections()
    // Resolves only when no socket is left.
    await new Promise((resolve) => server.close(resolve))
  })
  return { relay, url: `ws://${host}/relay`, http: `http://${host}/relay` }
}

/** A client that sends what it likes and reads one message after the other. */
class Peer {
  readonly socket: WebSocket
  readonly #inbox: unknown[][] = []
  readonly #readers: ((message: unknown[]) => void)[] = []
  readonly closed: Promise<number>

  constructor(url: string, options: ClientOptions = {}) {
    this.socket = new WebSocket(url, options)
    this.socket.on("error", () => {})
    this.socket.on("message", (data) => {
      const message = JSON.parse((data as Buffer).toString()) as unknown[]
      const reader = this.#readers.shift()
      if (reader === undefined) this.#inbox.push(message)
      else reader(message)
    })
    this.closed = new Promise((resolve) => this.socket.on("close", resolve))
    cleanups.push(() => this.socket.terminate())
  }

  static async dial(url: string, options?: ClientOptions): Promise<Peer> {
    const peer = new Peer(url, options)
    await once(peer.socket, "open")
    return peer
  }

  send(...message: unknown[]): this {
    this.socket.send(JSON.stringify(message))
    return this
  }

  next(): Promise<unknown[]> {
    const message = this.#inbox.shift()
    if (message !== undefined) return Promise.resolve(message)
    return new Promise((resolve) => this.#readers.push(resolve))
  }

  ask(...message: unknown[]): Promise<unknown[]> {
    return this.send(...message).next()
  }

  /** Everything that is on its way: the answer to a void REQ comes last. */
  async drain(): Promise<unknown[][]> {
    const fence = `fence${Math.random()}`
    this.send("REQ", fence, { kinds: [0] })
    const all: unknown[][] = []
    for (;;) {
      const message = await this.next()
      if (message[0] === "EOSE" && message[1] === fence) break
      all.push(message)
    }
    this.send("CLOSE", fence)
    return all
  }
}

const CLIENT = generateSecretKey()
const SIGNER = getPublicKey(generateSecretKey())
const seconds = () => Math.floor(Date.now() / 1000)

function sign(template: Partial<EventTemplate> = {}, secretKey = CLIENT): NostrEvent {
  const base = { kind: 24133, content: `${Math.random()}`, tags: [["p", SIGNER]], created_at: seconds() }
  return JSON.parse(JSON.stringify(finalizeEvent({ ...base, ...template }, secretKey))) as NostrEvent
}

async function listener(url: string, ...filters: object[]): Promise<Peer> {
  const peer = await Peer.dial(url)
  expect(await peer.ask("REQ", "s", ...(filters.length > 0 ? filters : [{ "#p": [SIGNER] }]))).toEqual(["EOSE", "s"])
  return peer
}

describe("carrying", () => {
  test("nostr-tools' pool publishes and subscribes, with and without the trailing slash", async () => {
    const { url } = await start()
    const pool = new SimplePool()
    cleanups.push(() => pool.destroy())
    const got: unknown[] = []
    await new Promise<void>((resolve) => {
      const params = { onevent: (event: unknown) => got.push(event), oneose: resolve }
      pool.subscribe([url], { kinds: [24133], "#p": [SIGNER] }, params)
    })
    const event = sign()
    expect(await Promise.all(pool.publish([`${url}/`], event))).toEqual([""])
    await vi.waitFor(() => expect(got).toHaveLength(1))
    expect(JSON.parse(JSON.stringify(got[0]))).toEqual(event)
  })

  test("an event reaches every subscription it matches, once, and only fields of NIP-01", async () => {
    const { url, relay } = await start()
    const event = sign({
      tags: [
        ["p", SIGNER],
        ["p", SIGNER],
      ],
    })
    const peers = await Promise.all([
      listener(url, { "#p": [SIGNER] }, { authors: [event.pubkey] }),
      listener(url, { authors: [event.pubkey] }),
      listener(url, { ids: [event.id] }),
      listener(url, { "#p": ["f".repeat(64)] }),
      listener(url, { "#p": [SIGNER], kinds: [1] }),
      listener(url, { "#p": [SIGNER], until: event.created_at - 1 }),
      listener(url, { "#p": [SIGNER], since: event.created_at, limit: 0 }),
    ])
    const sender = await Peer.dial(url)
    expect(await sender.ask("EVENT", { ...event, extra: "x" })).toEqual(["OK", event.id, true, ""])
    const got = await Promise.all(peers.map((peer) => peer.drain()))
    const once = [["EVENT", "s", event]]
    expect(got).toEqual([once, once, once, [], [], [], once])
    expect(relay.stats()).toMatchObject({ received: 1, refused: 0, delivered: 4 })
  })

  test.each([-86_400, 86_400])("a clock that is %i s off is for the signer to judge", async (off) => {
    const { url } = await start()
    const peer = await listener(url)
    const event = sign({ created_at: seconds() + off })
    expect(await (await Peer.dial(url)).ask("EVENT", event)).toEqual(["OK", event.id, true, ""])
    expect(await peer.next()).toEqual(["EVENT", "s", event])
  })

  test("nobody listens: accepted, and not stored", async () => {
    const { url } = await start()
    const event = sign()
    const sender = await Peer.dial(url)
    expect(await sender.ask("EVENT", event)).toEqual(["OK", event.id, true, ""])
    const late = await listener(url)
    expect(await late.drain()).toEqual([])
    // Sent again, it reaches who was not there before.
    expect(await sender.ask("EVENT", event)).toEqual(["OK", event.id, true, ""])
    expect(await late.next()).toEqual(["EVENT", "s", event])
  })

  test("a duplicate goes only to those who did not have it", async () => {
    const { url, relay } = await start()
    const first = await listener(url)
    const event = sign()
    const sender = await Peer.dial(url)
    await sender.ask("EVENT", event)
    const duplicate = ["OK", event.id, true, expect.stringMatching(/^duplicate: /)]
    expect(await sender.ask("EVENT", event)).toEqual(duplicate)
    const second = await listener(url)
    expect(await sender.ask("EVENT", event)).toEqual(["OK", event.id, true, ""])
    expect(await first.drain()).toEqual([["EVENT", "s", event]])
    expect(await second.drain()).toEqual([["EVENT", "s", event]])
    expect(await sender.ask("EVENT", event)).toEqual(duplicate)
    expect(relay.stats().delivered).toBe(2)
  })

  test("bad twins that come first do not shut out the genuine event", async () => {
    const { url } = await start()
    const peer = await listener(url)
    const event = sign()
    const sender = await Peer.dial(url)
    for (let i = 0; i < 50; i++) {
      const twin = { ...event, content: `twin ${i}` }
      expect(await sender.ask("EVENT", twin)).toEqual(["OK", event.id, false, expect.stringMatching(/^invalid: /)])
    }
    expect(await sender.ask("EVENT", event)).toEqual(["OK", event.id, true, ""])
    expect(await peer.drain()).toEqual([["EVENT", "s", event]])
  })

  test("a REQ of the same id replaces the subscription, CLOSE ends it", async () => {
    const { url, relay } = await start()
    const peer = await listener(url)
    expect(await peer.ask("REQ", "s", { "#p": ["e".repeat(64)] })).toEqual(["EOSE", "s"])
    expect(relay.stats().subscriptions).toBe(1)
    relay.publishLocal(sign())
    expect(await peer.drain()).toEqual([])
    await peer.ask("REQ", "s", { "#p": [SIGNER] })
    relay.publishLocal(sign())
    expect(await peer.drain()).toHaveLength(1)
    // A refused REQ ends the old subscription too: CLOSED has told the client so.
    expect(await peer.ask("REQ", "s", { bogus: 1 })).toEqual(["CLOSED", "s", expect.stringMatching(/^unsupported: /)])
    expect(relay.publishLocal(sign())).toBe(0)
    await peer.ask("REQ", "s", { "#p": [SIGNER] })
    peer.send("CLOSE", "s").send("CLOSE", "unknown")
    expect(await peer.drain()).toEqual([])
    expect(relay.publishLocal(sign())).toBe(0)
  })
})

describe("refusing", () => {
  const event = sign()
  const flipped = `${event.sig.slice(0, -1)}${event.sig.endsWith("0") ? "1" : "0"}`
  test.each([
    ["another kind", () => sign({ kind: 1 }), "blocked"],
    ["a proof of NIP-42 as an event", () => sign({ kind: 22242 }), "blocked"],
    ["a false signature", () => ({ ...event, sig: flipped }), "invalid"],
    ["a false id", () => ({ ...event, id: "0".repeat(64) }), "invalid"],
    ["a false author", () => ({ ...event, pubkey: SIGNER }), "invalid"],
    ["changed tags", () => ({ ...event, tags: [] }), "invalid"],
    ["no tags", () => ({ ...event, tags: undefined }), "invalid"],
    ["the past", () => sign({ created_at: seconds() - 90_060 }), "invalid"],
    ["the future", () => sign({ created_at: seconds() + 90_060 }), "invalid"],
    ["a large event", () => sign({ content: "x".repeat(66_000) }), "invalid"],
    ["many tags", () => sign({ tags: Array(101).fill(["p", SIGNER]) }), "invalid"],
  ])("%s", async (_, make, prefix) => {
    const { url, relay } = await start()
    const peer = await listener(url)
    const bad = make()
    const sender = await Peer.dial(url)
    expect(await sender.ask("EVENT", bad)).toEqual(["OK", bad.id, false, expect.stringMatching(`^${prefix}: .`)])
    expect(await peer.drain()).toEqual([])
    expect(relay.stats()).toMatchObject({ received: 1, refused: 1, delivered: 0 })
    // The limits are not in the way of an ordinary event.
    expect(await sender.ask("EVENT", event)).toEqual(["OK", event.id, true, ""])
  })

  test.each([
    [
      ["REQ", "s"],
      ["CLOSED", "s", "invalid: "],
    ],
    [
      ["REQ", "s", null],
      ["CLOSED", "s", "invalid: "],
    ],
    [
      ["REQ", "s", { kinds: [24133] }],
      ["CLOSED", "s", "unsupported: "],
    ],
    [
      ["REQ", "s", { "#p": [SIGNER] }, {}],
      ["CLOSED", "s", "unsupported: "],
    ],
    [
      ["REQ", "s", ...Array(11).fill({ "#p": [SIGNER] })],
      ["CLOSED", "s", "invalid: "],
    ],
    [
      ["REQ", "s", { kinds: [1], limit: 5 }],
      ["EOSE", "s"],
    ],
    [
      ["REQ", "", { "#p": [SIGNER] }],
      ["NOTICE", "invalid: "],
    ],
    [
      ["REQ", "x".repeat(65), { "#p": [SIGNER] }],
      ["NOTICE", "invalid: "],
    ],
    [
      ["REQ", "🏰".repeat(64), { "#p": [SIGNER] }],
      ["EOSE", "🏰".repeat(64)],
    ],
    [
      ["REQ", 1, { "#p": [SIGNER] }],
      ["NOTICE", "invalid: "],
    ],
    [["REQ"], ["NOTICE", "invalid: "]],
    [
      ["CLOSE", 1],
      ["NOTICE", "invalid: "],
    ],
    [["EVENT"], ["NOTICE", "invalid: "]],
    [
      ["EVENT", { id: "x" }],
      ["NOTICE", "invalid: "],
    ],
    [
      ["EVENT", { id: "0".repeat(64) }],
      ["OK", "0".repeat(64), false, "invalid: "],
    ],
    [
      ["AUTH", "x"],
      ["NOTICE", "invalid: "],
    ],
    [
      ["COUNT", "s", {}],
      ["NOTICE", "unsupported: "],
    ],
    [[], ["NOTICE", "unsupported: "]],
  ])("%j", async (message, expected) => {
    const { url } = await start()
    const peer = await Peer.dial(url)
    const answer = await peer.ask(...message)
    expect(answer).toHaveLength(expected.length)
    const exact = answer[0] === "EOSE" ? expected.length : -1
    expect(answer.slice(0, exact)).toEqual(expected.slice(0, exact))
    if (exact === -1) expect(answer.at(-1)).toMatch(new RegExp(`^${String(expected.at(-1))}.`))
  })

  test("a verifier that throws is an error of ours, and the relay lives on", async () => {
    const { url } = await start({
      verifyEvent: () => {
        throw new Error("native code")
      },
    })
    const peer = await Peer.dial(url)
    expect(await peer.ask("EVENT", event)).toEqual(["OK", event.id, false, expect.stringMatching(/^error: /)])
    expect(await peer.ask("REQ", "s", { ids: [event.id] })).toEqual(["EOSE", "s"])
  })

  test("AUTH is answered, challenge or not (NIP-42)", async () => {
    const { url } = await start()
    const proof = sign({
      kind: 22242,
      tags: [
        ["relay", url],
        ["challenge", "none"],
      ],
    })
    const peer = await Peer.dial(url)
    expect(await peer.ask("AUTH", proof)).toEqual(["OK", proof.id, false, expect.stringMatching(/^invalid: /)])
  })

  test("frames that are no message get a NOTICE and harm nothing", async () => {
    const { url } = await start()
    const peer = await Peer.dial(url)
    for (const frame of ["", "{", "null", "{}", "1", "[".repeat(100_000), Buffer.from([1, 2, 3])]) {
      peer.socket.send(frame)
      expect(await peer.next()).toEqual(["NOTICE", expect.stringMatching(/^invalid: /)])
    }
    expect(await peer.ask("REQ", "s", { "#p": [SIGNER] })).toEqual(["EOSE", "s"])
  })
})

describe("caps", () => {
  test("subscriptions per connection", async () => {
    const { url } = await start({ limits: { maxSubscriptions: 2 } })
    const peer = await Peer.dial(url)
    const filter = { "#p": [SIGNER] }
    expect(await peer.ask("REQ", "1", filter)).toEqual(["EOSE", "1"])
    expect(await peer.ask("REQ", "2", filter)).toEqual(["EOSE", "2"])
    expect(await peer.ask("REQ", "3", filter)).toEqual(["CLOSED", "3", expect.stringMatching(/^restricted: /)])
    // Replacing is not adding.
    expect(await peer.ask("REQ", "2", filter)).toEqual(["EOSE", "2"])
    peer.send("CLOSE", "1")
    expect(await peer.ask("REQ", "3", filter)).toEqual(["EOSE", "3"])
  })

  test("values in all filters of a connection together", async () => {
    const { url } = await start({ limits: { maxValuesPerConnection: 3 } })
    const peer = await Peer.dial(url)
    const filter = { kinds: [24133], "#p": [SIGNER] }
    expect(await peer.ask("REQ", "1", filter)).toEqual(["EOSE", "1"])
    expect(await peer.ask("REQ", "2", filter)).toEqual(["CLOSED", "2", expect.stringMatching(/^restricted: /)])
    peer.send("CLOSE", "1")
    expect(await peer.ask("REQ", "2", filter)).toEqual(["EOSE", "2"])
  })

  test("the size of a message, before it is parsed", async () => {
    const { url, relay } = await start()
    const peer = await Peer.dial(url)
    peer.socket.send("x".repeat(131_073))
    expect(await peer.closed).toBe(1009)
    await vi.waitFor(() => expect(relay.stats().connections).toBe(0))
  })

  test("messages per second: refused first, closed when it goes on", async () => {
    let now = Date.now()
    const { url, relay } = await start({ limits: { messageBurst: 3, messagesPerSecond: 1 }, now: () => now })
    const peer = await Peer.dial(url)
    for (let i = 0; i < 3; i++) expect((await peer.ask("EVENT", sign()))[2]).toBe(true)
    const limited = expect.stringMatching(/^rate-limited: /)
    expect(await peer.ask("EVENT", sign())).toEqual(["OK", expect.any(String), false, limited])
    expect(await peer.ask("REQ", "s3", { "#p": [SIGNER] })).toEqual(["CLOSED", "s3", limited])
    now += 1_000
    expect((await peer.ask("EVENT", sign()))[2]).toBe(true)
    for (let i = 0; i < 4; i++) peer.send("CLOSE", "x")
    expect(await peer.closed).toBe(1008)
    expect(relay.stats().received).toBe(4)
  })

  test("a fast app of 500 messages at once is served whole", async () => {
    const { url } = await start()
    const peer = await Peer.dial(url)
    const event = sign()
    for (let i = 0; i < 500; i++) peer.send("EVENT", event)
    for (let i = 0; i < 500; i++) expect((await peer.next())[2]).toBe(true)
  })

  test("connections in total, and a free place is given away again", async () => {
    const { url, relay } = await start({ limits: { maxConnections: 2 } })
    const peers = [await Peer.dial(url), await Peer.dial(url)]
    await expect(Peer.dial(url)).rejects.toThrow("503")
    peers[0]!.socket.close()
    await vi.waitFor(() => expect(relay.stats().connections).toBe(1))
    expect((await Peer.dial(url)).socket.readyState).toBe(WebSocket.OPEN)
  })

  test("connections per address, but not for loopback", async () => {
    let address = "203.0.113.7"
    const { url } = await start({ limits: { maxConnectionsPerAddress: 2 }, remoteAddress: () => address })
    const peers = [await Peer.dial(url), await Peer.dial(url)]
    await expect(Peer.dial(url)).rejects.toThrow("429")
    address = "203.0.113.8"
    await Peer.dial(url)
    address = "127.0.0.1"
    for (let i = 0; i < 4; i++) await Peer.dial(url)
    address = "203.0.113.7"
    peers[0]!.socket.close()
    await vi.waitFor(async () => {
      await Peer.dial(url)
    })
  })

  test("a reader that does not read is told to come again later, and the others do not notice", async () => {
    const { url, relay } = await start({ limits: { maxBufferedBytes: 100_000 } })
    const slow = await listener(url)
    const honest = await listener(url)
    slow.socket.pause()
    const event = sign({ content: "x".repeat(60_000) })
    let sent = 0
    // The system's own buffers fill first.
    while (relay.publishLocal(event) === 2) {
      expect(await honest.next()).toEqual(["EVENT", "s", event])
      if (++sent > 2_000) throw new Error("the slow reader was never dropped")
    }
    expect(await honest.next()).toEqual(["EVENT", "s", event])
    expect(relay.publishLocal(event)).toBe(1)
    slow.socket.resume()
    expect(await slow.closed).toBe(1013)
    expect(honest.socket.readyState).toBe(WebSocket.OPEN)
  })

  test("a peer that answers no ping is dropped, one that does stays", async () => {
    const { url, relay } = await start({ limits: { pingIntervalMs: 50 } })
    const pings: unknown[] = []
    const alive = await Peer.dial(url)
    alive.socket.on("ping", (data) => pings.push(data))
    const dead = await Peer.dial(url, { autoPong: false })
    expect(await dead.closed).toBe(1006)
    await vi.waitFor(() => expect(pings.length).toBeGreaterThan(4))
    expect(relay.stats().connections).toBe(1)
    expect(alive.socket.readyState).toBe(WebSocket.OPEN)
  })
})

describe("in the same process", () => {
  test("a listener gets the events it wants, verified, and answers without a socket", async () => {
    const { url, relay } = await start()
    const client = await listener(url, { kinds: [24133], "#p": [getPublicKey(CLIENT)] })
    const got: NostrEvent[] = []
    const detach = relay.attachLocal({ wants: (p) => p === SIGNER, onEvent: (event) => got.push(event) })
    const request = sign({
      tags: [
        ["p", "d".repeat(64)],
        ["p", SIGNER],
      ],
    })
    expect(await client.ask("EVENT", request)).toEqual(["OK", request.id, true, ""])
    await client.ask("EVENT", sign({ tags: [["p", "d".repeat(64)]] }))
    await client.ask("EVENT", { ...request, content: "forged" })
    expect(got).toEqual([request])
    const answer = sign({ tags: [["p", getPublicKey(CLIENT)]] }, generateSecretKey())
    expect(relay.publishLocal(answer)).toBe(1)
    expect(await client.next()).toEqual(["EVENT", "s", answer])
    // The bunker repeats an answer on purpose.
    expect(relay.publishLocal(answer)).toBe(1)
    expect(await client.next()).toEqual(["EVENT", "s", answer])
    detach()
    await client.ask("EVENT", sign())
    expect(got).toEqual([request])
  })

  test("a request repeated from the same connection is a duplicate, from a new one it is passed on", async () => {
    const { url, relay } = await start()
    const got: string[] = []
    const event = sign()
    const first = await Peer.dial(url)
    await first.ask("EVENT", event)
    relay.attachLocal({ wants: () => true, onEvent: ({ id }) => got.push(id) })
    expect((await first.ask("EVENT", event))[3]).toBe("")
    expect((await first.ask("EVENT", event))[3]).toMatch(/^duplicate: /)
    expect(got).toEqual([event.id])
    const second = await Peer.dial(url)
    expect((await second.ask("EVENT", event))[3]).toBe("")
    expect(got).toEqual([event.id, event.id])
  })

  test("a listener that throws is reported, and the others are served", async () => {
    const errors: unknown[] = []
    const { url, relay } = await start({ onListenerError: (error) => errors.push(error) })
    const got: string[] = []
    relay.attachLocal({
      wants: () => true,
      onEvent: () => {
        throw new Error("listener")
      },
    })
    relay.attachLocal({ wants: () => true, onEvent: ({ id }) => got.push(id) })
    const peer = await Peer.dial(url)
    const event = sign()
    expect(await peer.ask("EVENT", event)).toEqual(["OK", event.id, true, ""])
    expect(got).toEqual([event.id])
    expect(errors).toEqual([new Error("listener")])
  })
})

describe("HTTP", () => {
  test("the information document (NIP-11), for every origin", async () => {
    const { http } = await start({ identity: { name: "Mine", contact: "mailto:me@example.com" } })
    for (const url of [http, `${http}/`, `${http}?x=1`]) {
      const response = await fetch(url, { headers: { Accept: "application/nostr+json", Origin: "https://app.test" } })
      expect(response.status).toBe(200)
      expect(response.headers.get("content-type")).toBe("application/nostr+json")
      expect(response.headers.get("access-control-allow-origin")).toBe("*")
      expect(response.headers.get("access-control-allow-headers")).toBe("*")
      expect(response.headers.get("access-control-allow-methods")).toContain("GET")
      expect(await response.json()).toMatchObject({
        name: "Mine",
        contact: "mailto:me@example.com",
        supported_nips: [1, 11],
        limitation: {
          max_message_length: 131_072,
          max_subscriptions: 64,
          max_subid_length: 64,
          auth_required: false,
          restricted_writes: true,
          created_at_lower_limit: 90_000,
          created_at_upper_limit: 90_000,
        },
      })
    }
  })

  test("a preflight, a browser, a HEAD, a POST, and another's path", async () => {
    const { http } = await start()
    const preflight = await fetch(http, { method: "OPTIONS" })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get("access-control-allow-origin")).toBe("*")
    const page = await fetch(http, { headers: { Accept: "text/html" } })
    expect(page.headers.get("content-type")).toBe("text/plain; charset=utf-8")
    expect(await page.text()).toContain("NIP-46")
    const head = await fetch(http, { method: "HEAD", headers: { Accept: "application/nostr+json" } })
    expect([head.status, head.headers.get("content-type")]).toEqual([200, "application/nostr+json"])
    expect((await fetch(http, { method: "POST", body: "x" })).status).toBe(405)
    expect((await fetch(`${http}/more`)).status).toBe(404)
    expect((await fetch(`${http}x`)).status).toBe(404)
  })

  test("sockets open on the path alone, from every origin", async () => {
    const { url } = await start()
    const peer = await Peer.dial(url, { headers: { Origin: "https://evil.test" } })
    expect(await peer.ask("REQ", "s", { "#p": [SIGNER] })).toEqual(["EOSE", "s"])
    await expect(Peer.dial(`${url}/more`)).rejects.toThrow()
    await expect(Peer.dial(url.replace("/relay", "/"))).rejects.toThrow()
  })
})

test("2,000 malformed messages: the server lives and an honest client is served throughout", async () => {
  const { url } = await start({ limits: { messageBurst: 100_000 } })
  const receiver = await listener(url)
  const sender = await Peer.dial(url)
  const hostile = await Peer.dial(url)
  // For somebody else, because a mutation may leave it whole.
  const base = sign({ tags: [["p", "e".repeat(64)]] })
  const label = fc.constantFrom<unknown>("EVENT", "REQ", "CLOSE", "AUTH", "COUNT", null, 1)
  const mutated = fc
    .tuple(fc.constantFrom(...Object.keys(base), "__proto__"), fc.jsonValue())
    .map(([key, value]) => JSON.stringify(["EVENT", { ...base, [key]: value }]))
  const arrays = fc.tuple(label, fc.jsonValue(), fc.jsonValue(), fc.jsonValue()).map((m) => JSON.stringify(m))
  const filters = fc
    .dictionary(fc.constantFrom("ids", "authors", "kinds", "#p", "since", "limit", "__proto__"), fc.jsonValue())
    .map((filter) => JSON.stringify(["REQ", "s", filter]))
  const cut = fc.nat(JSON.stringify(base).length).map((n) => `["EVENT",${JSON.stringify(base).slice(0, n)}`)
  const frames = fc.sample(fc.oneof(mutated, arrays, filters, cut, fc.string()), 2_000)
  for (const [i, frame] of frames.entries()) {
    hostile.socket.send(frame)
    if (i % 100 === 0) {
      const event = sign()
      expect(await sender.ask("EVENT", event)).toEqual(["OK", event.id, true, ""])
      const [, , got] = await receiver.next()
      expect(got).toEqual(event)
    }
  }
  const answers = await hostile.drain()
  expect(answers.length).toBeGreaterThan(1_000)
  const accepted = answers.filter((message) => message[0] === "OK" && message[2] === true)
  // A mutation can restore the value that was there; nothing else may pass.
  expect(accepted.every((message) => message[1] === base.id)).toBe(true)
})

describe("stop and close", () => {
  test("a relay that stops takes no event and no socket, and still carries what is published", async () => {
    const { url, relay } = await start()
    const peer = await listener(url)
    const sender = await Peer.dial(url)
    const before = sign()
    expect(await sender.ask("EVENT", before)).toEqual(["OK", before.id, true, ""])
    expect(await peer.next()).toEqual(["EVENT", "s", before])
    relay.stop()
    const after = sign()
    expect(await sender.ask("EVENT", after)).toEqual(["OK", after.id, false, "error: shutting down"])
    await expect(Peer.dial(url)).rejects.toThrow("503")
    const answer = sign()
    expect(relay.publishLocal(answer)).toBe(1)
    expect(await peer.next()).toEqual(["EVENT", "s", answer])
    expect(await peer.drain()).toEqual([])
  })

  test("ends sockets with 1001, refuses new ones, and drops one that does not follow", async () => {
    const { url, relay } = await start()
    const polite = await Peer.dial(url)
    const deaf = await Peer.dial(url)
    deaf.socket.pause()
    const closing = relay.close()
    await expect(Peer.dial(url)).rejects.toThrow("503")
    expect(await polite.closed).toBe(1001)
    await closing
    await relay.close()
    expect(relay.stats().connections).toBe(0)
  })
})
