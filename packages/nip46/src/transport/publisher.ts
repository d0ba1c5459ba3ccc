import type { NostrEvent } from "../protocol/event.js"
import { Backoff } from "./backoff.js"
import { limit } from "./bounded.js"
import type { RelayLink } from "./relay-link.js"
import { classifyRefusal } from "./relay-message.js"
import type { RelayTiming } from "./timing.js"

/** Why a publish ended without a word of the relay. */
export type PublishFailure = "not connected" | "no OK" | "aborted" | "closed" | "queue full"

/** How a publish ended. `accepted` says that the relay took the event, not that anyone received it. */
export type PublishResult =
  | { kind: "accepted"; message: string }
  | { kind: "refused"; message: string }
  | { kind: "failed"; reason: PublishFailure }

export interface PublishOptions {
  signal?: AbortSignal
  /** Deadline in milliseconds, reconnects and retries included. */
  timeoutMs?: number
}

export interface PublisherOptions {
  timing: RelayTiming
  random: () => number
  /** Publishes that may wait at a time; more fail at once. */
  maxPending: number
}

interface Pending {
  event: NostrEvent
  settle(result: PublishResult): void
  backoff: Backoff
  sent: boolean
  authTried: boolean
  refusal: string | undefined
  patienceTimer: ReturnType<typeof setTimeout> | undefined
  retryTimer: ReturnType<typeof setTimeout> | undefined
}

/** Publishes that wait for their OK, over any number of connections. */
export class Publisher {
  readonly #options: PublisherOptions
  readonly #pending = new Set<Pending>()
  #link: RelayLink | undefined
  #closed = false

  constructor(options: PublisherOptions) {
    this.#options = options
  }

  get pending(): number {
    return this.#pending.size
  }

  async publish(event: NostrEvent, { signal, timeoutMs }: PublishOptions = {}): Promise<PublishResult> {
    if (this.#closed) return { kind: "failed", reason: "closed" }
    if (signal?.aborted === true) return { kind: "failed", reason: "aborted" }
    if (this.#pending.size >= this.#options.maxPending) return { kind: "failed", reason: "queue full" }
    const { timing, random } = this.#options
    return new Promise((resolve) => {
      const pending: Pending = {
        event,
        settle: (result) => {
          forget()
          clearTimers(pending)
          this.#pending.delete(pending)
          resolve(result)
        },
        backoff: new Backoff({ baseMs: 1_000, maxMs: timing.backoffMaxMs, random }),
        sent: false,
        authTried: false,
        refusal: undefined,
        patienceTimer: undefined,
        retryTimer: undefined,
      }
      const bounds = { signal, timeoutMs: timeoutMs ?? timing.publishTimeoutMs, what: "the publish" }
      const forget = limit(bounds, ({ code }) =>
        pending.settle(code === "TIMEOUT" ? this.#expired(pending) : { kind: "failed", reason: "aborted" }),
      )
      this.#pending.add(pending)
      this.#send(pending)
    })
  }

  attach(link: RelayLink): void {
    this.#link = link
    for (const pending of this.#pending) {
      pending.authTried = false
      this.#send(pending)
    }
  }

  detach(): void {
    this.#link = undefined
    for (const pending of this.#pending) {
      pending.sent = false
      clearTimers(pending)
    }
  }

  receiveOk(eventId: string, accepted: boolean, message: string): void {
    for (const pending of this.#pending) {
      if (pending.event.id === eventId) this.#answered(pending, accepted, message)
    }
  }

  close(): void {
    this.#closed = true
    this.#link = undefined
    for (const pending of this.#pending) pending.settle({ kind: "failed", reason: "closed" })
  }

  #answered(pending: Pending, accepted: boolean, message: string): void {
    clearTimers(pending)
    if (accepted || message.startsWith("duplicate:")) {
      pending.settle({ kind: "accepted", message })
      return
    }
    const refused: PublishResult = { kind: "refused", message }
    if (message.includes("rate-limited:")) {
      pending.refusal = message
      pending.retryTimer = setTimeout(() => this.#send(pending), 500 + pending.backoff.next())
    } else if (classifyRefusal(message) === "authenticate" && !pending.authTried && this.#link !== undefined) {
      pending.authTried = true
      pending.refusal = message
      void this.#authenticate(pending, this.#link, refused)
    } else {
      pending.settle(refused)
    }
  }

  async #authenticate(pending: Pending, link: RelayLink, refused: PublishResult): Promise<void> {
    const accepted = await link.authenticate()
    // On a new link it was sent again by attach().
    if (this.#link !== link || !this.#pending.has(pending)) return
    if (accepted) this.#send(pending)
    else pending.settle(refused)
  }

  #send(pending: Pending): void {
    const link = this.#link
    if (link === undefined || !link.send(["EVENT", pending.event])) return
    pending.sent = true
    clearTimers(pending)
    pending.patienceTimer = setTimeout(() => link.check(), this.#options.timing.answerPatienceMs)
  }

  #expired({ refusal, sent }: Pending): PublishResult {
    if (refusal !== undefined) return { kind: "refused", message: refusal }
    if (sent) this.#link?.check()
    return { kind: "failed", reason: sent ? "no OK" : "not connected" }
  }
}

function clearTimers(pending: Pending): void {
  clearTimeout(pending.patienceTimer)
  clearTimeout(pending.retryTimer)
}
