import type { NostrEvent } from "../protocol/event.js"
import { bounded } from "./bounded.js"

/**
 * Signs the kind 22242 event for a relay's challenge (NIP-42): one, or one for each key that the relay is to
 * know on this connection. Declines with `undefined` or with none.
 */
export type Authenticate = (
  challenge: string,
  relayUrl: string,
) => Promise<NostrEvent | readonly NostrEvent[] | undefined>

export interface RelayAuthOptions {
  url: string
  authenticate: Authenticate | undefined
  send(message: readonly unknown[]): boolean
  timeoutMs: number
}

interface Attempt {
  challenge: string | undefined
  done: Promise<boolean>
}

/**
 * NIP-42 on one connection. Nothing is signed before the relay refused something, and everything that was
 * refused meanwhile shares one attempt. A challenge gets one attempt; a new challenge or `renew()` allows another.
 *
 * An attempt has succeeded when the relay knows at least one key: what was refused is then sent once more, and
 * the relay itself says for which keys that was enough. One key that it does not let in costs the others nothing.
 */
export class RelayAuth {
  readonly #options: RelayAuthOptions
  /** Pubkeys whose proofs were accepted for the challenge of the last attempt. */
  readonly #proven = new Set<string>()
  readonly #end = new AbortController()
  #challenge: string | undefined
  #provenFor: string | undefined
  #attempt: Attempt | undefined
  #running = false
  #onChallenge: ((challenge: string) => void) | undefined
  /** By event id. */
  readonly #awaitedOks = new Map<string, (accepted: boolean) => void>()

  constructor(options: RelayAuthOptions) {
    this.#options = options
  }

  get proven(): ReadonlySet<string> {
    return this.#proven
  }

  receiveChallenge(challenge: string): void {
    this.#challenge = challenge
    this.#onChallenge?.(challenge)
  }

  /** True when the OK belonged to an AUTH. */
  receiveOk(eventId: string, accepted: boolean): boolean {
    const settle = this.#awaitedOks.get(eventId)
    settle?.(accepted)
    return settle !== undefined
  }

  ensure(): Promise<boolean> {
    const { authenticate } = this.#options
    if (authenticate === undefined || this.#end.signal.aborted) return Promise.resolve(false)
    const { challenge } = this.#attempt ?? {}
    if (this.#attempt !== undefined && (this.#running || challenge === this.#challenge)) return this.#attempt.done
    const attempt: Attempt = { challenge: undefined, done: Promise.resolve(false) }
    attempt.done = this.#run(attempt, authenticate)
    this.#attempt = attempt
    return attempt.done
  }

  /** Another attempt for the same challenge, where there was one: `authenticate` has other keys to sign with now. */
  async renew(): Promise<void> {
    const before = this.#attempt
    if (before === undefined) return
    // Its hook may have been asked before those keys came.
    await before.done
    if (this.#attempt === before) this.#attempt = undefined
    await this.ensure()
  }

  /** Settles everything that waits. */
  end(): void {
    this.#end.abort()
  }

  async #run(attempt: Attempt, authenticate: Authenticate): Promise<boolean> {
    this.#running = true
    try {
      // Some relays send the challenge only after they refused something.
      const challenge =
        this.#challenge ?? (await this.#step(() => new Promise<string>((settle) => (this.#onChallenge = settle))))
      if (challenge === undefined) return false
      if (challenge !== this.#provenFor) this.#proven.clear()
      this.#provenFor = challenge
      attempt.challenge = challenge
      const signed = await this.#step(() => authenticate(challenge, this.#options.url))
      const events = signed === undefined ? [] : [signed].flat()
      if (events.length > 0) await this.#step(() => new Promise<void>((settle) => this.#send(events, settle)))
      return this.#proven.size > 0
    } finally {
      this.#running = false
      this.#onChallenge = undefined
      this.#awaitedOks.clear()
    }
  }

  /** An AUTH for each, and the end once the relay has judged them all. */
  #send(events: readonly NostrEvent[], settle: () => void): void {
    for (const { id, pubkey } of events) {
      this.#awaitedOks.set(id, (accepted) => {
        this.#awaitedOks.delete(id)
        if (accepted) this.#proven.add(pubkey)
        if (this.#awaitedOks.size === 0) settle()
      })
    }
    if (!events.every((event) => this.#options.send(["AUTH", event]))) settle()
  }

  /** Undefined for a step that takes too long or fails: a hook that throws or rejects declines. */
  #step<T>(start: () => Promise<T>): Promise<T | undefined> {
    const bounds = { signal: this.#end.signal, timeoutMs: this.#options.timeoutMs, what: "authentication" }
    return bounded(start, bounds).catch(() => undefined)
  }
}
