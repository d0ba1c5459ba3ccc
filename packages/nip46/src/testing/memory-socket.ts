import type { WebSocketLike } from "../transport/web-socket.js"

/** Runs a task soon, but never at once, and in the order of the calls. */
export type Defer = (task: () => void) => void

/** The relay's side of a socket. The server sockets of the `ws` package satisfy it as they are. */
export interface RelaySideSocket extends WebSocketLike {
  /** Stops reading: nothing that arrives is seen, and no ping is answered. */
  pause?(): void
}

export interface MemoryPairOptions {
  /** When frames arrive. `queueMicrotask` by default, which fake timers leave alone. */
  defer?: Defer
  /** Ping frames, as `ws` has them. Without, the client's side is like a browser's. True by default. */
  pingFrames?: boolean
}

/** Two sockets that are each other's far end, with no network between. */
export interface MemoryPair {
  /** Connecting until `open` or `fail`. */
  client: WebSocketLike
  relaySide: RelaySideSocket
  /** Both sides are open; `accepted` runs before the client's `onopen`. Nothing happens when the client gave up. */
  open(accepted: () => void): void
  /** The dial failed: `onerror`, then `onclose` with 1006. Nothing happens once it is open or given up. */
  fail(): void
}

const [CONNECTING, OPEN, CLOSING, CLOSED] = [0, 1, 2, 3]
/** RFC 6455 §7.4.1: a close without a code, and an end without a close. */
const NO_STATUS = 1005
const ABNORMAL = 1006

type Frame =
  | { kind: "text"; data: string }
  | { kind: "ping" }
  | { kind: "pong" }
  | { kind: "close"; code: number; reason: string }

/**
 * A linked pair of sockets. Frames arrive in order and never within the call that sent them; a side that is
 * paused reads nothing, so the other's `bufferedAmount` grows and its `close()` never ends.
 *
 * @example
 * const { client, relaySide, open } = memoryPair()
 * relaySide.onmessage = ({ data }: { data: string }) => relaySide.send(data)
 * open(() => {})
 */
export function memoryPair({ defer = queueMicrotask, pingFrames = true }: MemoryPairOptions = {}): MemoryPair {
  const client = new MemorySocket(defer, pingFrames)
  const relaySide = new MemorySocket(defer, pingFrames)
  client.link(relaySide)
  relaySide.link(client)
  return {
    client,
    relaySide,
    open(accepted) {
      if (client.readyState !== CONNECTING) return
      relaySide.open()
      accepted()
      client.open()
    },
    fail: () => client.fail(),
  }
}

class MemorySocket implements RelaySideSocket {
  onopen: ((event: never) => void) | null = null
  onmessage: ((event: never) => void) | null = null
  onerror: ((event: never) => void) | null = null
  onclose: ((event: never) => void) | null = null
  onpong: (() => void) | null = null
  ping?: () => void
  readonly #defer: Defer
  readonly #inbox: Frame[] = []
  #peer: MemorySocket | undefined
  #readyState = CONNECTING
  #paused = false

  constructor(defer: Defer, pingFrames: boolean) {
    this.#defer = defer
    if (pingFrames) this.ping = () => this.#post({ kind: "ping" })
  }

  get readyState(): number {
    return this.#readyState
  }

  /** Characters that the other side has not read. */
  get bufferedAmount(): number {
    return this.#peer?.unread ?? 0
  }

  get unread(): number {
    return this.#inbox.reduce((sum, frame) => sum + (frame.kind === "text" ? frame.data.length : 0), 0)
  }

  send(data: string): void {
    if (this.#readyState === CONNECTING) throw new Error("the socket is not open yet; wait for onopen")
    this.#post({ kind: "text", data })
  }

  close(code = NO_STATUS, reason = ""): void {
    if (this.#readyState === CONNECTING) this.fail()
    if (this.#readyState !== OPEN) return
    this.#post({ kind: "close", code, reason })
    this.#readyState = CLOSING
  }

  terminate(): void {
    if (this.#readyState === CONNECTING) this.fail()
    if (this.#readyState === CLOSED) return
    this.#readyState = CLOSING
    const peer = this.#peer
    // Past the inbox: a side that reads nothing must not outlive its connection.
    this.#defer(() => {
      this.end(ABNORMAL, "")
      peer?.end(ABNORMAL, "")
    })
  }

  pause(): void {
    this.#paused = true
  }

  link(peer: MemorySocket): void {
    this.#peer = peer
  }

  open(): void {
    this.#readyState = OPEN
    this.onopen?.({ type: "open" } as never)
  }

  fail(): void {
    if (this.#readyState !== CONNECTING) return
    this.#readyState = CLOSING
    this.#defer(() => {
      this.onerror?.({ type: "error", message: "the dial failed" } as never)
      this.end(ABNORMAL, "")
    })
  }

  end(code: number, reason: string): void {
    if (this.#readyState === CLOSED) return
    this.#readyState = CLOSED
    this.#inbox.length = 0
    this.onclose?.({ type: "close", code, reason, wasClean: code !== ABNORMAL } as never)
  }

  #post(frame: Frame): void {
    const peer = this.#peer
    if (this.#readyState !== OPEN || peer === undefined) return
    peer.#inbox.push(frame)
    this.#defer(() => peer.#readNext())
  }

  #readNext(): void {
    if (this.#paused || this.#readyState === CLOSED) return
    const frame = this.#inbox.shift()
    switch (frame?.kind) {
      case "text":
        if (this.#readyState === OPEN) this.onmessage?.({ type: "message", data: frame.data } as never)
        return
      case "ping":
        this.onpong?.()
        this.#post({ kind: "pong" })
        return
      case "pong":
        this.onpong?.()
        return
      case "close":
        // An open side answers the closing handshake; one that began it has its answer now.
        this.#post(frame)
        this.end(frame.code, frame.reason)
        return
      case undefined:
        return
    }
  }
}
