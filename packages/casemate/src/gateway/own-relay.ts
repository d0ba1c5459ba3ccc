import type { IncomingMessage, ServerResponse } from "node:http"
import type { Duplex } from "node:stream"
import { type NostrEvent, normalizeRelayUrl } from "@casemate/nip46/protocol"
import type { LocalListener } from "./relay-server/event-hub.js"
import { createRelayServer, type RelayServer, type RelayServerOptions } from "./relay-server/relay-server.js"

/** Where the built-in relay of an HTTP server is: `https://bunker.example` has it at `wss://bunker.example/relay`. */
export function relayUrlOf(origin: string): string {
  return `${origin.replace(/^http/, "ws")}/relay`
}

/** What nobody has to dial, because it is served here, under whichever of its names a token has it. */
export function ownRelayTest(origins: readonly string[]): (url: string) => boolean {
  const own = new Set(origins.flatMap(namesOf).map((origin) => keyOf(relayUrlOf(origin))))
  return (url) => own.has(keyOf(url))
}

/**
 * The built-in relay of a gateway, with the bunker behind it. It is served from the moment that something
 * names it, until the end: tokens do, and connections that were paired over it before `--relay` was given.
 */
export class OwnRelay {
  readonly #options: RelayServerOptions
  readonly #bunker: LocalListener
  #server: RelayServer | undefined
  #detach: (() => void) | undefined
  #stopping = false

  constructor(bunker: LocalListener, options: RelayServerOptions) {
    this.#bunker = bunker
    this.#options = options
  }

  get isServed(): boolean {
    return this.#server !== undefined
  }

  serve(): void {
    if (this.#server !== undefined || this.#stopping) return
    this.#server = createRelayServer(this.#options)
    this.#detach = this.#server.attachLocal(this.#bunker)
  }

  /** False, and nothing touched, when the path is another's or the relay is not served. */
  handleRequest(req: IncomingMessage, res: ServerResponse): boolean {
    return this.#server?.handleRequest(req, res) === true
  }

  /** The same. */
  handleUpgrade(req: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    return this.#server?.handleUpgrade(req, socket, head) === true
  }

  publish(event: NostrEvent): void {
    this.#server?.publishLocal(event)
  }

  /** In one turn: an app that was told "OK" is answered, and every other one knows that it has to ask again. */
  stop(): void {
    this.#stopping = true
    this.#detach?.()
    this.#server?.stop()
  }

  async close(): Promise<void> {
    await this.#server?.close()
  }
}

/** A server on `localhost` is on both loopback addresses. */
function namesOf(origin: string): string[] {
  const addresses = ["127.0.0.1", "[::1]"].map((host) => origin.replace(/^http:\/\/localhost(?=:|$)/, `http://${host}`))
  return [origin, ...addresses]
}

function keyOf(url: string): string {
  return (normalizeRelayUrl(url) ?? url).replace(/\/+$/, "")
}
