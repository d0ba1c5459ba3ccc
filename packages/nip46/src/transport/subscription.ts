import type { NostrEvent } from "../protocol/event.js"
import { Backoff } from "./backoff.js"
import type { RelayLink } from "./relay-link.js"
import { classifyRefusal, type RelayFilter } from "./relay-message.js"
import type { RelayTiming } from "./timing.js"

export interface SubscriptionHandlers {
  /**
   * An event of NIP-01's shape, as the relay sent it. Neither its id nor its signature is verified, it may
   * not even match the filters, and the same one can come many times: verify, check kind, `p` and author,
   * then dedupe by the id you computed.
   */
  onEvent(event: NostrEvent): void
  /**
   * The relay has the subscription and sent what it had stored. Comes again after every reconnect. `requestedAt`: when
   * the REQ went out that it answers, by `performance.now()`; it is not the first where that was refused for a while.
   */
  onEose?(requestedAt: number): void
  /** The relay will not serve these filters. Asked again after `update()` and on the next connection. */
  onRefused?(message: string): void
}

/** A subscription that outlives its connections. */
export interface Subscription {
  readonly id: string
  /** Replaces the filters; they are sent as given, `since` included. */
  update(filters: readonly RelayFilter[]): void
  close(): void
}

export interface RelaySubscriptionOptions {
  id: string
  filters: readonly RelayFilter[]
  handlers: SubscriptionHandlers
  timing: RelayTiming
  now: () => number
  random: () => number
  onClose(): void
}

/** The life of one REQ over any number of connections. */
export class RelaySubscription implements Subscription {
  readonly id: string
  readonly #options: RelaySubscriptionOptions
  readonly #backoff: Backoff
  #filters: readonly RelayFilter[]
  #link: RelayLink | undefined
  #closed = false
  /** True between the first EOSE or event of a REQ and its end. */
  #live = false
  #liveSinceMs = 0
  #requestedAt = 0
  /** Unix seconds up to which this subscription is known to have been served. */
  #servedUntil: number | undefined
  #authTried = false
  #patienceTimer: ReturnType<typeof setTimeout> | undefined
  #retryTimer: ReturnType<typeof setTimeout> | undefined

  constructor(options: RelaySubscriptionOptions) {
    this.id = options.id
    this.#options = options
    this.#filters = options.filters
    const { backoffMaxMs } = options.timing
    this.#backoff = new Backoff({ baseMs: 1_000, maxMs: backoffMaxMs, random: options.random })
  }

  update(filters: readonly RelayFilter[]): void {
    if (this.#closed) return
    this.#filters = filters
    this.#authTried = false
    this.#live = false
    this.#servedUntil = undefined
    this.#request()
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#clearTimers()
    this.#link?.send(["CLOSE", this.id])
    this.#link = undefined
    this.#options.onClose()
  }

  attach(link: RelayLink): void {
    this.#link = link
    this.#authTried = false
    this.#request()
  }

  detach(lastHeardAtMs: number): void {
    this.#link = undefined
    this.#clearTimers()
    this.#ceaseToLive(lastHeardAtMs)
  }

  receiveEvent(event: NostrEvent): void {
    this.#becomeLive()
    this.#options.handlers.onEvent(event)
  }

  receiveEose(): void {
    this.#becomeLive()
    this.#options.handlers.onEose?.(this.#requestedAt)
  }

  receiveClosed(message: string): void {
    this.#clearTimers()
    const { now, timing, handlers } = this.#options
    if (this.#live && now() - this.#liveSinceMs >= timing.stableAfterMs) {
      this.#backoff.reset()
      // A relay that served us for a while may want another proof.
      this.#authTried = false
    }
    this.#ceaseToLive(now())
    const refusal = classifyRefusal(message)
    if (refusal === "try again") {
      this.#retryTimer = setTimeout(() => this.#request(), timing.minDialIntervalMs / 2 + this.#backoff.next())
    } else if (refusal === "authenticate" && !this.#authTried && this.#link !== undefined) {
      this.#authTried = true
      void this.#authenticate(this.#link, message)
    } else {
      handlers.onRefused?.(message)
    }
  }

  async #authenticate(link: RelayLink, message: string): Promise<void> {
    const accepted = await link.authenticate()
    if (this.#closed || this.#link !== link) return
    if (accepted) this.#request()
    else this.#options.handlers.onRefused?.(message)
  }

  #request(): void {
    const link = this.#link
    if (link === undefined) return
    this.#clearTimers()
    if (!link.send(["REQ", this.id, ...this.#filters.map((filter) => this.#resumed(filter))])) return
    this.#requestedAt = performance.now()
    this.#patienceTimer = setTimeout(() => link.check(), this.#options.timing.answerPatienceMs)
  }

  #resumed(filter: RelayFilter): RelayFilter {
    if (this.#servedUntil === undefined) return filter
    const since = this.#servedUntil - Math.ceil(this.#options.timing.overlapMs / 1000)
    return { ...filter, since: Math.max(since, filter.since ?? 0) }
  }

  #becomeLive(): void {
    if (this.#live) return
    clearTimeout(this.#patienceTimer)
    this.#live = true
    this.#liveSinceMs = this.#options.now()
  }

  #ceaseToLive(atMs: number): void {
    if (this.#live) this.#servedUntil = Math.floor(atMs / 1000)
    this.#live = false
  }

  #clearTimers(): void {
    clearTimeout(this.#patienceTimer)
    clearTimeout(this.#retryTimer)
  }
}
