import { once } from "node:events"
import { createServer, type IncomingMessage } from "node:http"
import type { AddressInfo } from "node:net"
import type { EventTemplate, NostrEvent } from "@casemate/nip46/protocol"
import { finalizeEvent, generateSecretKey, getPublicKey, verifyEvent } from "nostr-tools/pure"
import { afterEach, expect } from "vitest"
import { type ClientOptions, WebSocket } from "ws"
import {
  createRelayServer,
  type RelayServer,
  type RelayServerOptions,
} from "../../src/gateway/relay-server/relay-server.js"

export const cleanups: (() => void | Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

export interface Running {
  relay: RelayServer
  url: string
  http: string
}

export interface StartOptions extends Partial<RelayServerOptions> {
  /** Where the next sockets seem to come from. */
  remoteAddress?: () => string
}

/** A relay with an HTTP server of its own, gone after the test; by then no socket may be left. */
export async function startRelay({ remoteAddress, ...options }: StartOptions = {}): Promise<Running> {
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
export class Peer {
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

export const CLIENT = generateSecretKey()
export const SIGNER = getPublicKey(generateSecretKey())
export const seconds = () => Math.floor(Date.now() / 1000)

export function sign(template: Partial<EventTemplate> = {}, secretKey = CLIENT): NostrEvent {
  const base = { kind: 24133, content: `${Math.random()}`, tags: [["p", SIGNER]], created_at: seconds() }
  return JSON.parse(JSON.stringify(finalizeEvent({ ...base, ...template }, secretKey))) as NostrEvent
}

export async function listener(url: string, ...filters: object[]): Promise<Peer> {
  const peer = await Peer.dial(url)
  expect(await peer.ask("REQ", "s", ...(filters.length > 0 ? filters : [{ "#p": [SIGNER] }]))).toEqual(["EOSE", "s"])
  return peer
}
