export interface BackoffOptions {
  baseMs: number
  maxMs: number
  /** A narrower maximum that holds until `fastForMs` have been waited in total. */
  fastMaxMs?: number
  fastForMs?: number
  /** Uniform in [0, 1). */
  random: () => number
}

/**
 * Exponential backoff with full jitter: the n-th delay is uniform in [0, base · 2ⁿ], capped.
 * It counts what it handed out instead of reading a clock, so that a clock jump cannot stretch it.
 */
export class Backoff {
  readonly #options: BackoffOptions
  #attempts = 0
  #waitedMs = 0

  constructor(options: BackoffOptions) {
    this.#options = options
  }

  get attempts(): number {
    return this.#attempts
  }

  next(): number {
    const { baseMs, maxMs, fastMaxMs = maxMs, fastForMs = 0, random } = this.#options
    const cap = this.#waitedMs < fastForMs ? fastMaxMs : maxMs
    // 2 ** 40 ms is beyond every cap; the exponent is bounded so that the product stays finite.
    const window = Math.min(cap, baseMs * 2 ** Math.min(this.#attempts, 40))
    const delay = Math.round(random() * window)
    this.#attempts += 1
    this.#waitedMs += delay
    return delay
  }

  reset(): void {
    this.#attempts = 0
    this.#waitedMs = 0
  }
}
