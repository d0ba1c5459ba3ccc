import type { Nip44Backend } from "../crypto/backend.js"
import { Nip46Error } from "../protocol/errors.js"
import { bytesToHex } from "../protocol/hex.js"
import { encodeRequest } from "../protocol/message.js"
import { parseResponse, type Response } from "../protocol/response.js"
import { bounded, MAX_TIMEOUT_MS } from "../transport/bounded.js"
import type { RelayResult } from "../transport/transport.js"
import { readAuthUrl } from "./auth-url.js"
import type { Callbacks } from "./callbacks.js"
import { unreachable } from "./unreachable.js"
import type { Wire, WireMessage } from "./wire.js"

/** Durations of a client, in milliseconds. */
export interface ClientTiming {
  /** How long a request may take. */
  readonly requestMs: number
  /** How long from an auth challenge on: a person has a page open. */
  readonly approvalMs: number
  /** How long relays may take to be reached and to accept an event before it is made anew. */
  readonly relayMs: number
  /** How long new relays may take to listen before a switch is given up. */
  readonly switchMs: number
  /** How long a nostrconnect:// token is listened for. */
  readonly pairingMs: number
}

export const DEFAULT_CLIENT_TIMING: ClientTiming = {
  requestMs: 65_000,
  approvalMs: 600_000,
  relayMs: 15_000,
  switchMs: 15_000,
  pairingMs: 600_000,
}

/** How a single call may be bounded. */
export interface CallOptions {
  /** Ends the call with `CLOSED`. What the signer may already be doing cannot be taken back. */
  readonly signal?: AbortSignal | undefined
  /** Deadline in milliseconds; 65 s by default, 10 minutes from an auth challenge on. */
  readonly timeoutMs?: number | undefined
}

export interface ExchangeOptions {
  readonly wire: Wire
  readonly crypto: Nip44Backend
  readonly callbacks: Required<Callbacks>
  readonly timing: ClientTiming
  /** Unix milliseconds. */
  readonly now: () => number
}

interface Pending {
  readonly id: string
  readonly method: string
  readonly plaintext: string
  readonly timeoutMs: number
  readonly authUrls: Set<string>
  succeed: (result: unknown) => void
  fail: (error: Nip46Error) => void
  /** Settles when nothing is waited for any more. */
  ended: Promise<unknown>
  deadline: ReturnType<typeof setTimeout> | undefined
  repeat: ReturnType<typeof setTimeout> | undefined
  repeats: number
  /** Ends what is being published for it. */
  attempt: AbortController | undefined
  relays: ReadonlyMap<string, RelayResult>
  /** When each relay took it, by the clock that never jumps, in milliseconds. */
  readonly takenAt: Map<string, number>
  /** A relay took it, now or before it was lost. */
  isOut: boolean
}

/** A clock that is further off than this makes relays and signers refuse events, in seconds. */
const TOLERATED_SKEW = 60
const MAX_AUTH_URLS = 16
/**
 * A relay that comes back takes our event while the signer has yet to come back to it, and nobody hears it. What is
 * sent this soon after a return, in ms, is asked again, so long after, so many times.
 */
const RETURN_MS = 10_000
const REPEAT_AFTER_MS = 2_500
const MAX_REPEATS = 3

/** Requests that wait for their response, each with a deadline (NIP-46 §Request Events, §Response Events). */
export class Exchange {
  readonly #options: ExchangeOptions
  readonly #pending = new Map<string, Pending>()
  #toldSkew = false
  /** When a relay last came back, by the clock that never jumps, in milliseconds. */
  #returnedAt = Number.NEGATIVE_INFINITY
  #closed = false

  constructor(options: ExchangeOptions) {
    this.#options = options
    options.wire.onMessage = (message) => this.#received(message)
    options.wire.onRenewed = () => this.#askAgain()
    options.wire.onLive = (relay, requestedAt) => this.#cameLive(relay, requestedAt)
  }

  get pending(): number {
    return this.#pending.size
  }

  /**
   * Resolves with whatever JSON the signer answered.
   *
   * @throws `REMOTE_ERROR`, `TIMEOUT`, `RELAYS_UNREACHABLE`, `ENCRYPTION_FAILED`, `CLOSED`
   */
  async request(method: string, params: readonly string[], { signal, timeoutMs }: CallOptions = {}): Promise<unknown> {
    if (this.#closed) throw new Nip46Error("CLOSED", "this remote signer is closed; connect or restore it again")
    const { crypto, timing } = this.#options
    const id = bytesToHex(crypto.randomBytes(16))
    const pending: Pending = {
      id,
      method,
      plaintext: encodeRequest({ id, method, params }),
      timeoutMs: timeoutMs ?? timing.requestMs,
      authUrls: new Set(),
      succeed: () => undefined,
      fail: () => undefined,
      ended: Promise.resolve(),
      deadline: undefined,
      repeat: undefined,
      repeats: 0,
      attempt: undefined,
      relays: new Map(),
      takenAt: new Map(),
      isOut: false,
    }
    const answered = (): Promise<unknown> =>
      new Promise((succeed, fail) => {
        pending.succeed = succeed
        pending.fail = fail
        this.#pending.set(id, pending)
        this.#setDeadline(pending, pending.timeoutMs)
        void this.#publish(pending)
      })
    pending.ended = bounded(answered, { signal, what: method }).finally(() => {
      clearTimeout(pending.deadline)
      clearTimeout(pending.repeat)
      pending.attempt?.abort()
      this.#pending.delete(id)
    })
    return pending.ended
  }

  /** Resolves when no request is left of those that wait now. */
  async drained(): Promise<void> {
    await Promise.allSettled([...this.#pending.values()].map(({ ended }) => ended))
  }

  /** The signer may have left the old relays at once: what it has shown no page for is asked over the new ones too. */
  moved(): void {
    // The signer may come there after us, as to a relay that returned.
    this.#returnedAt = performance.now()
    for (const pending of this.#pending.values()) if (pending.authUrls.size === 0) void this.#publish(pending)
  }

  close(): void {
    this.#closed = true
    for (const { method, fail } of this.#pending.values()) {
      fail(new Nip46Error("CLOSED", `the remote signer was closed before it answered ${method}`))
    }
  }

  /** Until a relay took it, it was refused everywhere, or its time is over. */
  async #publish(pending: Pending): Promise<void> {
    const { wire, callbacks, timing } = this.#options
    const { method } = pending
    clearTimeout(pending.repeat)
    pending.attempt?.abort()
    const attempt = new AbortController()
    pending.attempt = attempt
    try {
      while (!attempt.signal.aborted) {
        callbacks.onStatus({ kind: "sent", method })
        const report = await wire.publish(pending.plaintext, {
          signal: attempt.signal,
          timeoutMs: timing.relayMs,
          onResult: (relay, result) => this.#heardOf(pending, relay, result),
        })
        if (attempt.signal.aborted) return
        if (report.accepted) {
          this.#repeatAfterReturn(pending)
          return
        }
        // It was out before its relay was lost, so its answer may be under way; a relay that returns asks again.
        if (pending.isOut) return
        const results = [...report.relays.values()]
        // A relay that took it and said nothing may have delivered it: only the deadline ends that.
        if (!results.some((result) => result.kind === "failed" && result.reason === "no OK")) {
          pending.fail(takenByNone(method, reasons(pending.relays)))
          return
        }
      }
    } catch (error) {
      pending.fail(error instanceof Nip46Error ? error : new Nip46Error("CLOSED", "this remote signer is closed"))
    }
  }

  #heardOf(pending: Pending, relay: string, result: RelayResult): void {
    const { callbacks } = this.#options
    pending.relays = new Map(pending.relays).set(relay, result)
    if (result.kind === "accepted") {
      pending.isOut = true
      if (!pending.takenAt.has(relay)) pending.takenAt.set(relay, performance.now())
      callbacks.onStatus({ kind: "accepted", method: pending.method, relay })
    }
    if (result.kind === "refused" && /created_at|too (?:old|far|late)|future|expired/i.test(result.message)) {
      callbacks.onWarning({ kind: "clock", of: "relay", relay, reason: result.message })
    }
  }

  /** Answers are ephemeral: what came while a relay was gone is lost, and asking again by the same id fetches it. */
  #askAgain(): void {
    this.#returnedAt = performance.now()
    for (const pending of this.#pending.values()) void this.#publish(pending)
  }

  /**
   * A relay that was first reached after the request had been given up there was never asked; and one that took it
   * before it had our subscription, because that was refused at first, may have brought the answer to nobody.
   */
  #cameLive(relay: string, requestedAt: number): void {
    for (const pending of this.#pending.values()) {
      const takenAt = pending.takenAt.get(relay)
      const isLost = takenAt !== undefined && takenAt < requestedAt
      if (!(isLost || pending.relays.get(relay)?.kind === "failed") || pending.authUrls.size > 0) continue
      // As after a return: the signer may come there after us.
      this.#returnedAt = performance.now()
      void this.#publish(pending)
    }
  }

  #repeatAfterReturn(pending: Pending): void {
    clearTimeout(pending.repeat)
    // Somebody heard it who has shown a page.
    if (pending.authUrls.size > 0 || pending.repeats >= MAX_REPEATS) return
    if (performance.now() - this.#returnedAt > RETURN_MS) return
    pending.repeats += 1
    pending.repeat = setTimeout(() => void this.#publish(pending), REPEAT_AFTER_MS)
  }

  #received({ plaintext, createdAt }: WireMessage): void {
    const response = parseResponse(plaintext)
    if (response === undefined) return
    const pending = this.#pending.get(response.id)
    // Another device's, a copy of one that came, or one too late.
    if (pending === undefined) return
    this.#compareClocks(createdAt)
    this.#answered(pending, response)
  }

  #answered(pending: Pending, response: Response): void {
    switch (response.kind) {
      case "result":
        pending.succeed(response.result)
        return
      case "error": {
        const reason = printable(response.error)
        const { method } = pending
        const message = `the remote signer refused ${method}: ${reason}`
        pending.fail(new Nip46Error("REMOTE_ERROR", message, { details: { method, reason } }))
        return
      }
      case "auth_url":
        this.#challenged(pending, response.url)
        return
    }
  }

  #challenged(pending: Pending, text: string): void {
    const { callbacks, timing } = this.#options
    const { method } = pending
    const url = readAuthUrl(text)
    if (url === undefined) {
      callbacks.onWarning({ kind: "auth_url", reason: "the signer wants a page opened that is not https" })
      return
    }
    // Some signers say it several times; each page is shown once.
    if (pending.authUrls.has(url.href) || pending.authUrls.size >= MAX_AUTH_URLS) return
    pending.authUrls.add(url.href)
    this.#setDeadline(pending, Math.max(timing.approvalMs, pending.timeoutMs))
    callbacks.onStatus({ kind: "approval", method })
    callbacks.onAuthUrl({ url: url.href, host: url.host, verified: true, method })
  }

  #setDeadline(pending: Pending, ms: number): void {
    clearTimeout(pending.deadline)
    pending.deadline = setTimeout(() => pending.fail(this.#late(pending, ms)), Math.min(ms, MAX_TIMEOUT_MS))
  }

  #late(pending: Pending, ms: number): Nip46Error {
    const { method, isOut } = pending
    const { wire } = this.#options
    const deaf = wire.failures()
    // No relay lets us hear an answer: that, and not the signer, is what keeps it from coming.
    if (Object.keys(deaf).length === wire.relays.length) {
      const known = isOut ? deaf : { ...deaf, ...reasons(pending.relays) }
      return takenByNone(method, known, isOut ? `no relay lets this app hear the answer to ${method}` : undefined)
    }
    const seconds = Math.round(ms / 1000)
    const message = isOut
      ? `the remote signer did not answer ${method} within ${seconds} s; see whether it is running and waits for approval`
      : `no relay confirmed ${method} within ${seconds} s, and no answer came`
    return new Nip46Error("TIMEOUT", message, { details: { method, relays: reasons(pending.relays) } })
  }

  #compareClocks(createdAt: number): void {
    const seconds = createdAt - Math.floor(this.#options.now() / 1000)
    if (this.#toldSkew || Math.abs(seconds) <= TOLERATED_SKEW) return
    this.#toldSkew = true
    this.#options.callbacks.onWarning({ kind: "clock", of: "signer", seconds })
  }
}

function takenByNone(
  method: string,
  relays: Readonly<Record<string, string>>,
  what = `no relay took ${method}`,
): Nip46Error {
  return unreachable({ what, advice: "connect over other relays", relays, method })
}

function reasons(results: ReadonlyMap<string, RelayResult>): Record<string, string> {
  return Object.fromEntries(
    [...results].map(([relay, result]) => [
      relay,
      result.kind === "failed" ? (result.detail ?? result.reason) : result.message || result.kind,
    ]),
  )
}

/** A stranger's words are shown to people: nothing in them may move a terminal's cursor or hide text. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]+/gu, " ").trim()
}
