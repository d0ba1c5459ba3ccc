import { BoundedMap } from "@casemate/nip46/signer"

/** So many mistakes cost nothing: people make them. */
const FREE = 4
/** Seconds. */
const FIRST_PAUSE = 30
const LONGEST_PAUSE = 15 * 60

interface Failures {
  readonly count: number
  /** Unix seconds. */
  readonly pausedUntil: number
}

/** Wrong passwords, by whose they should have been: the fifth and each after it costs a pause, twice as long each time. */
export class Attempts {
  readonly #failures: BoundedMap<string, Failures>
  readonly #now: () => number

  /** @param max of whom failures are remembered; @param now unix seconds */
  constructor(max: number, now: () => number) {
    this.#failures = new BoundedMap(max)
    this.#now = now
  }

  /** For how many seconds to come nothing is tried; 0: it is. */
  pauseOf(whose: string): number {
    const { pausedUntil = 0 } = this.#failures.get(whose) ?? {}
    return Math.max(0, pausedUntil - this.#now())
  }

  /** Counts one. @returns how many there were since the last success, and the pause that begins, in seconds */
  failed(whose: string): { count: number; pause: number } {
    const count = (this.#failures.get(whose)?.count ?? 0) + 1
    const pause = count > FREE ? Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (count - FREE - 1)) : 0
    this.#failures.set(whose, { count, pausedUntil: this.#now() + pause })
    return { count, pause }
  }

  succeeded(whose: string): void {
    this.#failures.delete(whose)
  }
}
