import { Nip46Error } from "../protocol/errors.js"
import type { NostrEvent } from "../protocol/event.js"
import { Backoff } from "./backoff.js"
import { Publisher, type PublishOptions, type PublishResult } from "./publisher.js"
import { type Authenticate, RelayAuth } from "./relay-auth.js"
import type { RelayLink } from "./relay-link.js"
import type { RelayFilter, RelayMessage } from "./relay-message.js"
import { RelaySocket } from "./relay-socket.js"
import { RelaySubscription, type Subscription, type SubscriptionHandlers } from "./subscription.js"
import { DEFAULT_TIMING, type RelayTiming } from "./timing.js"
import type { WebSocketFactory } from "./web-socket.js"

/** Where a connection stands. Times are milliseconds of the injected clock. */
export type RelayState =
  | { kind: "idle" }
  | { kind: "connecting"; attempt: number }
  | { kind: "connected"; since: number }
  | { kind: "waiting"; until: number; reason: string }
  | { kind: "closed" }

export interface RelayConnectionOptions {
  /** Taken as given; normalise and vet it before. */
  url: string
  webSocket: WebSocketFactory
  /** Unix milliseconds; `Date.now` by default. */
  now?: () => number
  /** Uniform in [0, 1); `Math.random` by default. It spreads retries and guards nothing. */
  random?: () => number
  timing?: Partial<RelayTiming>
  /** Publishes that may wait at a time; 1000 by default. */
  maxPending?: number
  onState?(state: RelayState): void
  onNotice?(message: string): void
  /** NIP-42: asked once a relay refused something with `auth-required:`. */
  authenticate?: Authenticate
  /** A handler of the caller threw. The connection goes on; without this hook the error is dropped. */
  onHandlerError?(error: unknown): void
}

const NOBODY: ReadonlySet<string> = new Set()

interface Session {
  socket: RelaySocket
  auth: RelayAuth
}

/**
 * One relay, kept connected from the first use until `close()`: it redials with jittered backoff, notices
 * silent sockets, renews subscriptions and sends again what had no OK. Nothing that a relay says makes it throw.
 *
 * @example
 * const relay = new RelayConnection({ url: "wss://relay.example", webSocket: (url) => new WebSocket(url) })
 * const subscription = relay.subscribe([{ kinds: [24133], "#p": [pubkey] }], { onEvent: receive })
 * const result = await relay.publish(event, { timeoutMs: 5_000 })
 */
export class RelayConnection {
  readonly url: string
  readonly #options: RelayConnectionOptions
  readonly #timing: RelayTiming
  readonly #now: () => number
  readonly #random: () => number
  readonly #backoff: Backoff
  readonly #publisher: Publisher
  readonly #subscriptions = new Map<string, RelaySubscription>()
  #state: RelayState = { kind: "idle" }
  #failure: string | undefined
  #session: Session | undefined
  #link: RelayLink | undefined
  #lastDialAt: number | undefined
  #nextSubscription = 1
  #dialTimer: ReturnType<typeof setTimeout> | undefined
  #stableTimer: ReturnType<typeof setTimeout> | undefined

  constructor(options: RelayConnectionOptions) {
    this.url = options.url
    this.#options = options
    this.#timing = { ...DEFAULT_TIMING, ...options.timing }
    this.#now = options.now ?? Date.now
    this.#random = options.random ?? Math.random
    this.#backoff = new Backoff({
      baseMs: this.#timing.backoffBaseMs,
      fastMaxMs: this.#timing.backoffFastMaxMs,
      fastForMs: this.#timing.backoffFastForMs,
      maxMs: this.#timing.backoffMaxMs,
      random: this.#random,
    })
    const maxPending = options.maxPending ?? 1_000
    this.#publisher = new Publisher({ timing: this.#timing, random: this.#random, maxPending })
  }

  get state(): RelayState {
    return this.#state
  }

  /** Why there is no connection; undefined while there is one, and before the first dial has failed. */
  get failure(): string | undefined {
    return this.#failure
  }

  /** Pubkeys that the relay knows by their proofs (NIP-42) on the connection that is open now. */
  get authenticated(): ReadonlySet<string> {
    return this.#session?.auth.proven ?? NOBODY
  }

  /** Dials, unless that has happened. `subscribe` and `publish` do it on their own. */
  open(): void {
    if (this.#state.kind === "idle") this.#dial()
  }

  /**
   * For wake events (`online`, `visibilitychange`): the relay must answer on an open socket within
   * `checkTimeoutMs`, and a wait for the next dial is cut short.
   */
  checkNow(): void {
    if (this.#state.kind === "connected") this.#session?.socket.check()
    else if (this.#state.kind === "waiting") this.#dialIn(this.#dialPause(), this.#state.reason)
  }

  /**
   * For keys that `authenticate` did not sign with before: it is asked again where this connection has asked for
   * proofs, and this resolves once the relay has judged them. A relay that refused nothing so far gets none.
   */
  async renewAuthentication(): Promise<void> {
    await this.#session?.auth.renew()
  }

  /**
   * Keeps a subscription on this relay until it is closed. Renewed REQs carry a `since` that reaches
   * `overlapMs` behind the last sign of life.
   *
   * @throws `CLOSED` after `close()`
   */
  subscribe(filters: readonly RelayFilter[], handlers: SubscriptionHandlers): Subscription {
    if (this.#state.kind === "closed") throw new Nip46Error("CLOSED", "the relay connection is closed")
    const id = `s${this.#nextSubscription++}`
    const subscription = new RelaySubscription({
      id,
      filters,
      handlers: this.#guarded(handlers),
      timing: this.#timing,
      now: this.#now,
      random: this.#random,
      onClose: () => this.#subscriptions.delete(id),
    })
    this.#subscriptions.set(id, subscription)
    if (this.#link !== undefined) subscription.attach(this.#link)
    this.open()
    return subscription
  }

  /** Never rejects, and resolves within its deadline whatever the relay does. */
  publish(event: NostrEvent, options?: PublishOptions): Promise<PublishResult> {
    this.open()
    return this.#publisher.publish(event, options)
  }

  /** For good. Pending publishes resolve as failed, subscriptions end, no timer and no socket stays. */
  close(): void {
    if (this.#state.kind === "closed") return
    clearTimeout(this.#dialTimer)
    clearTimeout(this.#stableTimer)
    this.#publisher.close()
    for (const subscription of [...this.#subscriptions.values()]) subscription.close()
    this.#link = undefined
    this.#session?.auth.end()
    this.#session?.socket.destroy()
    this.#session = undefined
    this.#enter({ kind: "closed" })
  }

  #dial(): void {
    this.#lastDialAt = this.#now()
    const socket = new RelaySocket({
      url: this.url,
      webSocket: this.#options.webSocket,
      timing: this.#timing,
      now: this.#now,
      onOpen: () => this.#opened(),
      onMessage: (message) => this.#received(message),
      onDown: (reason) => this.#lost(reason),
    })
    const auth = new RelayAuth({
      url: this.url,
      authenticate: this.#options.authenticate,
      send: (message) => socket.send(message),
      timeoutMs: this.#timing.authTimeoutMs,
    })
    this.#session = { socket, auth }
    this.#enter({ kind: "connecting", attempt: this.#backoff.attempts + 1 })
    // onState may have closed the connection.
    if (this.#session?.socket === socket) socket.dial()
  }

  #opened(): void {
    const session = this.#session
    if (session === undefined) return
    const link: RelayLink = {
      send: (message) => session.socket.send(message),
      check: () => session.socket.check(),
      authenticate: () => session.auth.ensure(),
    }
    this.#link = link
    this.#stableTimer = setTimeout(() => this.#backoff.reset(), this.#timing.stableAfterMs)
    // Subscriptions first: an answer to what is published next must find its listener.
    for (const subscription of this.#subscriptions.values()) subscription.attach(link)
    this.#publisher.attach(link)
    // Sending can already have found the socket dead.
    if (this.#link !== link) return
    this.#failure = undefined
    this.#enter({ kind: "connected", since: this.#now() })
  }

  #lost(reason: string): void {
    const session = this.#session
    if (session === undefined) return
    clearTimeout(this.#stableTimer)
    this.#session = undefined
    this.#link = undefined
    this.#failure = reason
    session.auth.end()
    for (const subscription of this.#subscriptions.values()) subscription.detach(session.socket.lastHeardAt)
    this.#publisher.detach()
    this.#dialIn(Math.max(this.#backoff.next(), this.#dialPause()), reason)
  }

  #dialIn(delayMs: number, reason: string): void {
    clearTimeout(this.#dialTimer)
    this.#dialTimer = setTimeout(() => this.#dial(), delayMs)
    this.#enter({ kind: "waiting", until: this.#now() + delayMs, reason })
  }

  /** What is missing until the next dial may happen; a clock that jumped back costs one interval at most. */
  #dialPause(): number {
    const { minDialIntervalMs } = this.#timing
    const elapsed = this.#now() - (this.#lastDialAt ?? Number.NEGATIVE_INFINITY)
    return Math.min(minDialIntervalMs, Math.max(0, minDialIntervalMs - elapsed))
  }

  #received(message: RelayMessage): void {
    switch (message.kind) {
      case "event":
        this.#subscriptions.get(message.subscriptionId)?.receiveEvent(message.event)
        return
      case "eose":
        this.#subscriptions.get(message.subscriptionId)?.receiveEose()
        return
      case "closed":
        this.#subscriptions.get(message.subscriptionId)?.receiveClosed(message.message)
        return
      case "ok":
        if (this.#session?.auth.receiveOk(message.eventId, message.accepted) === true) return
        this.#publisher.receiveOk(message.eventId, message.accepted, message.message)
        return
      case "auth":
        this.#session?.auth.receiveChallenge(message.challenge)
        return
      case "notice":
        this.#guard(() => this.#options.onNotice?.(message.message))
        return
    }
  }

  #enter(state: RelayState): void {
    this.#state = state
    this.#guard(() => this.#options.onState?.(state))
  }

  #guarded(handlers: SubscriptionHandlers): SubscriptionHandlers {
    return {
      onEvent: (event) => this.#guard(() => handlers.onEvent(event)),
      onEose: (requestedAt) => this.#guard(() => handlers.onEose?.(requestedAt)),
      onRefused: (message) => this.#guard(() => handlers.onRefused?.(message)),
    }
  }

  #guard(call: () => void): void {
    try {
      call()
    } catch (error) {
      this.#options.onHandlerError?.(error)
    }
  }
}
