import { parseRelayMessage, type RelayMessage } from "./relay-message.js"
import type { RelayTiming } from "./timing.js"
import { OPEN, type WebSocketFactory, type WebSocketLike } from "./web-socket.js"

export interface RelaySocketOptions {
  url: string
  webSocket: WebSocketFactory
  timing: RelayTiming
  now: () => number
  onOpen(): void
  onMessage(message: RelayMessage): void
  /** At most once, and never after `destroy()`. */
  onDown(reason: string): void
}

/** A relay that reads nothing while we send is as good as gone. */
const MAX_BUFFERED_BYTES = 8 * 1024 * 1024

/** Silence is counted in ticks of a timer, not read off a clock: clocks jump. */
const TICKS_UNTIL_DEAD = 6
const TICKS_UNTIL_PING = 3

const PROBE_ID = "alive?"
/** No event has this id, so the answer is an EOSE and nothing else. `limit: 0` is refused by some relays. */
const PROBE = ["REQ", PROBE_ID, { ids: ["0".repeat(64)], limit: 1 }]
const PROBE_END = ["CLOSE", PROBE_ID]

/** One dial: from the attempt to connect until the socket is given up. Knows when its relay went silent. */
export class RelaySocket {
  readonly #options: RelaySocketOptions
  #socket: WebSocketLike | undefined
  #ended = false
  #open = false
  #silentTicks = 0
  #lastHeardAt: number
  #connectTimer: ReturnType<typeof setTimeout> | undefined
  #checkTimer: ReturnType<typeof setTimeout> | undefined
  #ticker: ReturnType<typeof setInterval> | undefined

  constructor(options: RelaySocketOptions) {
    this.#options = options
    this.#lastHeardAt = options.now()
  }

  /** Time of the last sign of life, by the injected clock. */
  get lastHeardAt(): number {
    return this.#lastHeardAt
  }

  get isOpen(): boolean {
    return this.#open && !this.#ended
  }

  /** Apart from the constructor, because a factory that throws reports through `onDown` at once. */
  dial(): void {
    const { url, webSocket, timing } = this.#options
    this.#connectTimer = setTimeout(() => this.#down("no connection in time"), timing.connectTimeoutMs)
    try {
      const socket = webSocket(url)
      this.#socket = socket
      socket.onopen = () => this.#opened()
      socket.onmessage = (event: { data?: unknown }) => this.#received(event.data)
      socket.onerror = (event: { message?: unknown }) => this.#down(`socket error${suffix(event.message)}`)
      socket.onclose = (event: { code?: unknown }) => this.#down(`socket closed${suffix(event.code)}`)
      if ("onpong" in socket) socket.onpong = () => this.#heard()
      if (socket.readyState === OPEN) this.#opened()
    } catch (error) {
      this.#down(`cannot dial${suffix(error instanceof Error ? error.message : undefined)}`)
    }
  }

  /** False when the socket is not open; what was sent may still be lost. */
  send(message: readonly unknown[]): boolean {
    const socket = this.#socket
    if (!this.isOpen || socket === undefined || socket.readyState !== OPEN) return false
    if (socket.bufferedAmount > MAX_BUFFERED_BYTES) {
      this.#down("the relay does not read")
      return false
    }
    const text = JSON.stringify(message)
    try {
      socket.send(text)
      return true
    } catch {
      // A socket that is closing says so through onclose.
      return false
    }
  }

  /**
   * Asks for a message now; without one within `checkTimeoutMs` the socket is dead. Pongs do not count here: a
   * relay that hangs may still answer pings, and who asks this waits for an OK or an EOSE.
   */
  check(): void {
    if (!this.isOpen || this.#checkTimer !== undefined) return
    this.#checkTimer = setTimeout(() => this.#down("no answer to a probe"), this.#options.timing.checkTimeoutMs)
    this.send(PROBE)
  }

  destroy(): void {
    this.#ended = true
    clearTimeout(this.#connectTimer)
    clearTimeout(this.#checkTimer)
    clearInterval(this.#ticker)
    const socket = this.#socket
    this.#socket = undefined
    if (socket === undefined) return
    socket.onopen = null
    socket.onmessage = null
    socket.onclose = null
    // Stays assigned: `ws` raises an error when a socket is dropped while it connects.
    socket.onerror = () => {}
    if ("onpong" in socket) socket.onpong = null
    try {
      if (socket.terminate !== undefined) socket.terminate()
      else socket.close()
    } catch {
      // Already gone.
    }
  }

  #opened(): void {
    if (this.#ended || this.#open) return
    this.#open = true
    clearTimeout(this.#connectTimer)
    this.#heard()
    this.#ticker = setInterval(() => this.#tick(), this.#options.timing.deadAfterMs / TICKS_UNTIL_DEAD)
    this.#options.onOpen()
  }

  #tick(): void {
    this.#silentTicks += 1
    // The last sign of life fell somewhere into the tick before the first silent one.
    if (this.#silentTicks >= TICKS_UNTIL_DEAD) this.#down("silent")
    else if (this.#silentTicks >= TICKS_UNTIL_PING) this.#ping()
  }

  #ping(): void {
    const socket = this.#socket
    if (socket?.ping === undefined || !("onpong" in socket)) {
      this.send(PROBE)
      return
    }
    try {
      socket.ping()
    } catch {
      // As for send: onclose tells.
    }
  }

  #heard(): void {
    if (this.#ended) return
    this.#silentTicks = 0
    this.#lastHeardAt = this.#options.now()
  }

  #received(data: unknown): void {
    if (this.#ended) return
    this.#heard()
    clearTimeout(this.#checkTimer)
    this.#checkTimer = undefined
    const message = parseRelayMessage(data)
    if (message === undefined) return
    if ("subscriptionId" in message && message.subscriptionId === PROBE_ID) {
      if (message.kind === "eose") this.send(PROBE_END)
      return
    }
    this.#options.onMessage(message)
  }

  #down(reason: string): void {
    if (this.#ended) return
    this.destroy()
    this.#options.onDown(reason)
  }
}

function suffix(detail: unknown): string {
  return typeof detail === "string" || typeof detail === "number" ? `: ${String(detail).slice(0, 200)}` : ""
}
