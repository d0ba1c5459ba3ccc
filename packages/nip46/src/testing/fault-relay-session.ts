import { isEventShape, type NostrEvent } from "../protocol/event.js"
import { isFilter, matchesAny } from "../transport/matches-filter.js"
import type { RelayFilter } from "../transport/relay-message.js"
import { FaultRelayAuth } from "./fault-relay-auth.js"
import { FaultRelayOutlet } from "./fault-relay-outlet.js"
import type { RelaySideSocket } from "./memory-socket.js"
import type { RelayFaults } from "./relay-faults.js"

/** What a session needs of its relay. */
export interface SessionHost {
  readonly faults: RelayFaults
  readonly verifyEvent: ((event: NostrEvent) => boolean) | undefined
  now(): number
  random(): number
  /** Everything that came in, before anything is made of it. */
  record(socket: number, message: unknown[]): void
  /** Why this event is not taken, or `undefined`. Asked once its author may publish. */
  refusalOf(event: NostrEvent): string | undefined
  isKnown(event: NostrEvent): boolean
  /** Stores and delivers. */
  spread(event: NostrEvent): void
  stored(filters: readonly RelayFilter[]): NostrEvent[]
  ended(session: FaultRelaySession): void
}

export interface SessionOptions {
  /** Counts the relay's sockets from 1. */
  number: number
  socket: RelaySideSocket
  /** The address that was dialled. */
  url: string
  host: SessionHost
}

/** One socket of a `FaultRelay`: reads what comes and answers each, as well or badly as the faults will have it. */
export class FaultRelaySession {
  readonly subscriptions = new Map<string, readonly RelayFilter[]>()
  readonly #options: SessionOptions
  readonly #outlet: FaultRelayOutlet
  readonly #auth: FaultRelayAuth
  #challenged = false
  #dead = false

  constructor(options: SessionOptions) {
    const { number, socket, url, host } = options
    this.#options = options
    const { faults, verifyEvent } = host
    this.#outlet = new FaultRelayOutlet(socket, faults, () => host.random())
    // The number, because randomness that was handed in may be a constant.
    const challenge = `challenge-${number}-${Math.floor(host.random() * 2 ** 32).toString(16)}`
    this.#auth = new FaultRelayAuth({ faults, url, challenge, now: () => host.now(), verifyEvent })
    socket.onmessage = (event: { data?: unknown }) => this.#received(event.data)
    socket.onclose = () => this.#ended()
    socket.onerror = () => {}
    if (faults.authRequired === "early") this.challenge()
  }

  /** Authenticated on this socket now. */
  get pubkeys(): string[] {
    return [...this.#auth.pubkeys]
  }

  challenge(): void {
    this.#challenged = true
    this.#outlet.say(["AUTH", this.#auth.challenge])
  }

  notice(message: string): void {
    this.#outlet.say(["NOTICE", message])
  }

  sendText(text: string): void {
    this.#outlet.sendText(text)
  }

  /** A live event, to every subscription that it matches. */
  offer(event: NostrEvent): void {
    const { host } = this.#options
    const { faults } = host
    for (const [id, filters] of this.subscriptions) {
      if (!matchesAny(event, filters, { ignoreTags: faults.ignoreTagFilters })) continue
      if (host.random() >= faults.dropEvents) this.#outlet.deliver(id, event)
    }
  }

  deliver(subscriptionId: string, event: NostrEvent): void {
    this.#outlet.deliver(subscriptionId, event)
  }

  /** The socket stays as it is; nothing is read or said on it again, and no ping answered. */
  die(): void {
    this.#dead = true
    this.#outlet.silence()
    this.#options.socket.pause?.()
  }

  close(code: number, reason: string): void {
    this.#outlet.silence()
    this.#options.socket.close(code, reason)
  }

  terminate(): void {
    const { socket } = this.#options
    this.#ended()
    if (socket.terminate !== undefined) socket.terminate()
    else socket.close()
  }

  #ended(): void {
    this.#dead = true
    this.#outlet.silence()
    this.subscriptions.clear()
    this.#options.host.ended(this)
  }

  #received(data: unknown): void {
    if (this.#dead) return
    const message = parse(data)
    if (message === undefined) {
      this.notice("invalid: a message is a JSON array")
      return
    }
    this.#options.host.record(this.#options.number, message)
    const [label, first, ...rest] = message
    if (label === "EVENT" && isEventShape(first)) this.#event(first)
    else if (label === "AUTH" && isEventShape(first)) this.#proof(first)
    else if (label === "REQ" && typeof first === "string") this.#req(first, rest)
    else if (label === "CLOSE" && typeof first === "string") this.subscriptions.delete(first)
    else this.notice("invalid: not a message of NIP-01 or NIP-42")
  }

  #event(event: NostrEvent): void {
    const { host } = this.#options
    const { faults } = host
    if (faults.rateLimitedEvents > 0) {
      faults.rateLimitedEvents -= 1
      this.#ok(event, false, "rate-limited: slow down")
    } else if (!this.#auth.admitsEvent(event)) {
      this.#ok(event, false, this.#auth.refusal())
      this.#challengeAfterRefusal()
    } else {
      const refusal = host.refusalOf(event)
      if (refusal !== undefined) this.#ok(event, false, refusal)
      else if (faults.lieOk) this.#ok(event, true, "")
      else if (host.isKnown(event)) this.#ok(event, !faults.refuseDuplicates, "duplicate: have this event")
      else {
        this.#ok(event, true, "")
        host.spread(event)
      }
    }
  }

  #ok(event: NostrEvent, accepted: boolean, message: string): void {
    if (!this.#options.host.faults.noOk) this.#outlet.say(["OK", event.id, accepted, message])
  }

  #proof(proof: NostrEvent): void {
    const refusal = this.#auth.receive(proof)
    this.#outlet.say(["OK", proof.id, refusal === undefined, refusal ?? ""])
    for (const [id, filters] of this.subscriptions) {
      // The one who authenticated before is nobody again.
      if (!this.#auth.admitsFilters(filters)) this.#refuseSubscription(id, this.#auth.refusal())
    }
  }

  #req(id: string, filters: unknown[]): void {
    const { host } = this.#options
    const { faults } = host
    this.subscriptions.delete(id)
    if (filters.length === 0 || !filters.every(isFilter)) {
      this.#refuseSubscription(id, "invalid: a REQ has one filter or more")
    } else if (faults.rateLimitedSubscriptions > 0) {
      faults.rateLimitedSubscriptions -= 1
      this.#refuseSubscription(id, "rate-limited: slow down")
    } else if (!this.#auth.admitsFilters(filters)) {
      this.#refuseSubscription(id, this.#auth.refusal())
      this.#challengeAfterRefusal()
    } else if (faults.refuseSubscriptions !== undefined) {
      this.#refuseSubscription(id, faults.refuseSubscriptions)
    } else {
      this.subscriptions.set(id, filters)
      for (const event of host.stored(filters)) this.#outlet.deliver(id, event)
      if (!faults.noEose) this.#outlet.say(["EOSE", id])
    }
  }

  #refuseSubscription(id: string, message: string): void {
    this.subscriptions.delete(id)
    this.#outlet.say(["CLOSED", id, message])
  }

  #challengeAfterRefusal(): void {
    if (!this.#challenged) this.challenge()
  }
}

function parse(data: unknown): unknown[] | undefined {
  if (typeof data !== "string") return undefined
  try {
    const message: unknown = JSON.parse(data)
    return Array.isArray(message) ? message : undefined
  } catch {
    return undefined
  }
}
