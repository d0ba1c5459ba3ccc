import type { NostrEvent } from "../protocol/event.js"

/** Signs the kind 22242 event for a relay's challenge (NIP-42), or declines with `undefined`. */
export type Authenticate = (challenge: string, relayUrl: string) => Promise<NostrEvent | undefined>

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
 * refused meanwhile shares one attempt. A challenge gets one attempt; a new challenge allows another.
 */
export class RelayAuth {
  readonly #options: RelayAuthOptions
  readonly #cancels = new Set<() => void>()
  #challenge: string | undefined
  #attempt: Attempt | undefined
  #running = false
  #ended = false
  #onChallenge: ((challenge: string) => void) | undefined
  #awaitedOk: { eventId: string; settle: (accepted: boolean) => void } | undefined

  constructor(options: RelayAuthOptions) {
    this.#options = options
  }

  receiveChallenge(challenge: string): void {
    this.#challenge = challenge
    this.#onChallenge?.(challenge)
  }

  /** True when the OK belonged to an AUTH. */
  receiveOk(eventId: string, accepted: boolean): boolean {
    if (this.#awaitedOk?.eventId !== eventId) return false
    this.#awaitedOk.settle(accepted)
    return true
  }

  ensure(): Promise<boolean> {
    const { authenticate } = this.#options
    if (authenticate === undefined || this.#ended) return Promise.resolve(false)
    const { challenge } = this.#attempt ?? {}
    if (this.#attempt !== undefined && (this.#running || challenge === this.#challenge)) return this.#attempt.done
    const attempt: Attempt = { challenge: undefined, done: Promise.resolve(false) }
    attempt.done = this.#run(attempt, authenticate)
    this.#attempt = attempt
    return attempt.done
  }

  /** Settles everything that waits. */
  end(): void {
    this.#ended = true
    for (const cancel of this.#cancels) cancel()
  }

  async #run(attempt: Attempt, authenticate: Authenticate): Promise<boolean> {
    this.#running = true
    try {
      // Some relays send the challenge only after they refused something.
      const challenge = this.#challenge ?? (await this.#wait<string>((settle) => (this.#onChallenge = settle)))
      attempt.challenge = challenge
      if (challenge === undefined) return false
      const event = await this.#wait<NostrEvent | undefined>((settle) => {
        authenticate(challenge, this.#options.url).then(settle, () => settle(undefined))
      })
      if (event === undefined) return false
      const accepted = await this.#wait<boolean>((settle) => {
        this.#awaitedOk = { eventId: event.id, settle }
        if (!this.#options.send(["AUTH", event])) settle(false)
      })
      return accepted === true
    } catch {
      // A hook that throws instead of rejecting declines.
      return false
    } finally {
      this.#running = false
      this.#onChallenge = undefined
      this.#awaitedOk = undefined
    }
  }

  async #wait<T>(start: (settle: (value: T) => void) => void): Promise<T | undefined> {
    if (this.#ended) return undefined
    let cancel = () => {}
    try {
      return await new Promise<T | undefined>((resolve) => {
        const timer = setTimeout(() => resolve(undefined), this.#options.timeoutMs)
        cancel = () => {
          clearTimeout(timer)
          resolve(undefined)
        }
        this.#cancels.add(cancel)
        start(resolve)
      })
    } finally {
      cancel()
      this.#cancels.delete(cancel)
    }
  }
}
