import type { NostrEvent } from "../protocol/event.js"
import type { WebSocketFactory, WebSocketLike } from "../transport/web-socket.js"
import { FaultRelaySession, type SessionHost } from "./fault-relay-session.js"
import { type Defer, memoryPair, type RelaySideSocket } from "./memory-socket.js"
import { NO_FAULTS, type RelayFaults } from "./relay-faults.js"
import { isEphemeral, RelayStore } from "./relay-store.js"
import { seededRandom } from "./seeded-random.js"

export interface FaultRelayOptions {
  /** The address that NIP-42 proofs have to name when `accept` is told none; `ws://fault-relay.test` by default. */
  url?: string
  /** Checks id and signature. Without it events are believed, and no NIP-42 proof is. */
  verifyEvent?: (event: NostrEvent) => boolean
  /** Unix milliseconds; `Date.now` by default. */
  now?: () => number
  /** Uniform in [0, 1); `seededRandom(1)` by default, so that every run is the same. */
  random?: () => number
  faults?: Partial<RelayFaults>
  /** When frames of the in-memory dial arrive; `queueMicrotask` by default. */
  defer?: Defer
  /** Whether sockets of the in-memory dial have ping frames, as `ws` has and browsers have not. True by default. */
  pingFrames?: boolean
}

/** A message that came in, with the number of its socket: the first to be accepted is 1. */
export interface ReceivedMessage {
  socket: number
  message: unknown[]
  /** When, in Unix milliseconds of the relay's clock. */
  at: number
}

/** Where a subscription stands open. */
export interface OpenSubscription {
  socket: number
  id: string
}

/** RFC 6455 §7.4.1: the relay goes away. */
const GOING_AWAY = 1001

/**
 * A relay for tests whose every fault is a switch. With all switches off it is an honest small relay (NIP-01
 * and NIP-42) for any kind; it keeps what is not ephemeral in memory.
 *
 * It needs no server: `webSocket` dials it in memory, and `accept` takes sockets that something else opened.
 *
 * @example
 * const relay = new FaultRelay({ faults: { dropEvents: 0.1, authRequired: "late" }, verifyEvent })
 * const connection = new RelayConnection({ url: relay.url, webSocket: relay.webSocket })
 * relay.faults.dropEvents = 0
 * relay.dieSilently()
 * // ... and behind a real server of the `ws` package:
 * server.on("connection", (socket) => relay.accept(socket))
 */
export class FaultRelay {
  readonly url: string
  /** The switches. Turn them at any time. */
  readonly faults: RelayFaults
  /** Every message that was read, in order, refused ones included. */
  readonly received: ReceivedMessage[] = []
  readonly #options: FaultRelayOptions
  readonly #now: () => number
  readonly #random: () => number
  readonly #store = new RelayStore()
  readonly #sessions = new Map<FaultRelaySession, number>()
  readonly #hanging = new Set<{ fail(): void }>()
  readonly #host: SessionHost
  #accepted = 0
  #dials = 0
  #running = true

  constructor(options: FaultRelayOptions = {}) {
    this.url = options.url ?? "ws://fault-relay.test"
    this.faults = { ...NO_FAULTS, ...options.faults }
    this.#options = options
    this.#now = options.now ?? Date.now
    this.#random = options.random ?? seededRandom(1)
    this.#host = this.#hostSessions()
  }

  /** Dials in memory. Fails while the relay is stopped, never ends while dials hang. */
  readonly webSocket: WebSocketFactory = (url) => this.#dial(url)

  /** In-memory dials so far, failed ones included. */
  get dials(): number {
    return this.#dials
  }

  /** Sockets that are open now, dead ones included. */
  get sockets(): number {
    return this.#sessions.size
  }

  /** Every event that clients sent in an EVENT, in order, refused and repeated ones included. */
  get events(): NostrEvent[] {
    return this.received.filter(({ message }) => message[0] === "EVENT").map(({ message }) => message[1] as NostrEvent)
  }

  /** Open subscriptions of all sockets. */
  get subscriptions(): OpenSubscription[] {
    return [...this.#sessions].flatMap(([session, socket]) =>
      [...session.subscriptions.keys()].map((id) => ({ socket, id })),
    )
  }

  /** Pubkeys that are authenticated now, one list a socket. */
  get authenticated(): string[][] {
    return [...this.#sessions.keys()].map((session) => session.pubkeys)
  }

  /** What was received with this label, without it: `of("REQ")` gives `[id, ...filters]`. */
  of(label: string): unknown[][] {
    return this.received.filter(({ message }) => message[0] === label).map(({ message }) => message.slice(1))
  }

  /**
   * Serves an open socket. `url` is the address that was dialled, where it is not the relay's own. A stopped
   * relay drops the socket.
   */
  accept(socket: RelaySideSocket, url: string = this.url): void {
    if (!this.#running) {
      if (socket.terminate !== undefined) socket.terminate()
      else socket.close(GOING_AWAY)
      return
    }
    const number = ++this.#accepted
    const session = new FaultRelaySession({ number, socket, url, host: this.#host })
    this.#sessions.set(session, number)
    if (this.faults.hangDials) session.die()
  }

  /** All switches off. What was stored, received or closed stays so. */
  beHonest(): void {
    Object.assign(this.faults, NO_FAULTS)
  }

  /** NOTICE to every socket. */
  notice(message: string): void {
    for (const session of this.#sessions.keys()) session.notice(message)
  }

  /** AUTH to every socket, unasked. */
  challenge(): void {
    for (const session of this.#sessions.keys()) session.challenge()
  }

  /** An event as if someone had published it: whoever signed it, or nobody. Nothing is checked. */
  publish(event: NostrEvent): void {
    this.#host.spread(event)
  }

  /** An event to every open subscription, whether it matches or not. Nothing is lost on the way. */
  inject(event: NostrEvent): void {
    this.#eachSubscription((session, id) => session.deliver(id, event))
  }

  /** Text to every socket as it is, whatever it is. */
  sendText(text: string): void {
    for (const session of this.#sessions.keys()) session.sendText(text)
  }

  /** Frames that no relay may send, to every open subscription: broken JSON, wrong shapes, endless nesting, noise. */
  injectGarbage(): void {
    this.#eachSubscription((session, id) => {
      for (const text of garbageFor(id)) session.sendText(text)
    })
  }

  /** Every socket that is open now stays open and says nothing again, no pong either. New dials are served. */
  dieSilently(): void {
    for (const session of this.#sessions.keys()) session.die()
  }

  /** Closes every socket with this code; dials are served. */
  closeAll(code: number = GOING_AWAY, reason = ""): void {
    for (const session of [...this.#sessions.keys()]) session.close(code, reason)
  }

  /** Cuts every socket, and every dial fails, until `start()`. */
  stop(): void {
    this.#running = false
    for (const session of [...this.#sessions.keys()]) session.terminate()
    for (const dial of this.#hanging) dial.fail()
    this.#hanging.clear()
  }

  start(): void {
    this.#running = true
  }

  /** Ends a test: as `stop`. No timer and no socket stays. */
  close(): void {
    this.stop()
  }

  #dial(url: string): WebSocketLike {
    const { defer = queueMicrotask, pingFrames = true } = this.#options
    const pair = memoryPair({ defer, pingFrames })
    this.#dials += 1
    if (this.faults.hangDials && this.#running) this.#hanging.add(pair)
    else {
      defer(() => {
        if (this.#running) pair.open(() => this.accept(pair.relaySide, url))
        else pair.fail()
      })
    }
    return pair.client
  }

  #eachSubscription(call: (session: FaultRelaySession, id: string) => void): void {
    for (const session of this.#sessions.keys()) {
      for (const id of session.subscriptions.keys()) call(session, id)
    }
  }

  #hostSessions(): SessionHost {
    return {
      faults: this.faults,
      verifyEvent: this.#options.verifyEvent,
      now: this.#now,
      random: this.#random,
      record: (socket, message) => this.received.push({ socket, message, at: this.#now() }),
      refusalOf: (event) => this.#refusalOf(event),
      isKnown: (event) => this.#kept().has(event),
      spread: (event) => this.#spread(event),
      stored: (filters) => this.#kept().query({ filters, ignoreTime: this.faults.replayIgnoresTime }),
      ended: (session) => this.#sessions.delete(session),
    }
  }

  #kept(): RelayStore {
    this.#store.forgetEphemerals(this.#now() - this.faults.storeEphemerals * 1000)
    return this.#store
  }

  #spread(event: NostrEvent): void {
    if (!isEphemeral(event.kind) || this.faults.storeEphemerals > 0) this.#store.put(event, this.#now())
    for (const session of this.#sessions.keys()) session.offer(event)
  }

  #refusalOf(event: NostrEvent): string | undefined {
    const { refuse, maxAgeSeconds, maxFutureSeconds, maxEventBytes } = this.faults
    const age = this.#now() / 1000 - event.created_at
    if (this.#options.verifyEvent?.(event) === false) return "invalid: id or signature does not hold"
    if (maxAgeSeconds !== undefined && age > maxAgeSeconds) return "invalid: created_at is too old"
    if (maxFutureSeconds !== undefined && -age > maxFutureSeconds) return "invalid: created_at is in the future"
    if (maxEventBytes !== undefined && bytesOf(event) > maxEventBytes) return "invalid: the event is too large"
    return refuse
  }
}

function bytesOf(event: NostrEvent): number {
  return new TextEncoder().encode(JSON.stringify(event)).length
}

function garbageFor(id: string): string[] {
  const frames = [
    ["EVENT"],
    ["EVENT", id],
    ["EVENT", id, { kind: "x" }],
    ["OK", id, "true"],
    ["EOSE", 1],
    [[]],
    {},
    null,
  ]
  return ["", "{", '["EVENT"', "\u0000\ufffd", "[".repeat(50_000), ...frames.map((frame) => JSON.stringify(frame))]
}
