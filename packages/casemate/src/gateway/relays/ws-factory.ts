import type { Socket } from "node:net"
import { MAX_RELAY_MESSAGE_CHARS, type WebSocketFactory, type WebSocketLike } from "@casemate/nip46/transport"
import { type ClientOptions, WebSocket } from "ws"
import { assertOutward, outwardLookup } from "./guard.js"

export interface WsFactoryOptions {
  /** Milliseconds for TCP, TLS and the upgrade together; 10 s by default. */
  handshakeTimeoutMs?: number
  /** Asked at each dial: true for a URL that must not lead into a private network; none by default. */
  isGuarded?: (url: string) => boolean
}

/** UTF-8 takes at most three bytes for each character of a JavaScript string. */
const MAX_PAYLOAD_BYTES = MAX_RELAY_MESSAGE_CHARS * 3

/**
 * Sockets of the `ws` package for `RelayConnection`. No redirects, because a vetted URL must be the one that
 * is dialled, and no compression, because it costs 14 times the CPU.
 */
export function createWsFactory({
  handshakeTimeoutMs = 10_000,
  isGuarded = () => false,
}: WsFactoryOptions = {}): WebSocketFactory {
  return (url) => {
    const guarded = isGuarded(url)
    if (guarded) assertOutward(url)
    const socket = new GatheringSocket(url, {
      ...(guarded ? { lookup: outwardLookup() } : {}),
      perMessageDeflate: false,
      followRedirects: false,
      maxPayload: MAX_PAYLOAD_BYTES,
      handshakeTimeout: handshakeTimeoutMs,
    })
    // An error without a listener would end the process, and this socket outlives its owner's handlers.
    socket.on("error", () => {})
    const adapted: WebSocketLike & WebSocket = Object.assign(socket, { onpong: null as (() => void) | null })
    socket.on("pong", () => adapted.onpong?.())
    // A relay that pings us is alive as well; ws answers it.
    socket.on("ping", () => adapted.onpong?.())
    return adapted
  }
}

/** What one turn sends leaves together: a write is a system call, and costs more than the message it carries. */
class GatheringSocket extends WebSocket {
  #wire: Socket | undefined
  #isGathering = false

  constructor(url: string, options: ClientOptions) {
    super(url, options)
    this.once("upgrade", (response) => {
      this.#wire = response.socket
    })
  }

  override send(data: Parameters<WebSocket["send"]>[0], ...rest: unknown[]): void {
    const wire = this.#wire
    if (wire !== undefined && !this.#isGathering) {
      this.#isGathering = true
      wire.cork()
      setImmediate(() => {
        this.#isGathering = false
        wire.uncork()
      })
    }
    super.send(data, ...(rest as []))
  }
}
