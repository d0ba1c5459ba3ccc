import { MAX_RELAY_MESSAGE_CHARS, type WebSocketFactory, type WebSocketLike } from "@casemate/nip46/transport"
import { WebSocket } from "ws"
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
    const socket = new WebSocket(url, {
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
