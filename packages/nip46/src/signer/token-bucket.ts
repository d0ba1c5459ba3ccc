/** `capacity` at once, `perSecond` for as long as it lasts. */
export interface Rate {
  readonly capacity: number
  readonly perSecond: number
}

/** Counts what may still pass. Time is handed in, in ms; a clock that jumps back only delays the refill. */
export class TokenBucket {
  readonly #rate: Rate
  #tokens: number
  #at: number

  constructor(rate: Rate, now: number) {
    this.#rate = rate
    this.#tokens = rate.capacity
    this.#at = now
  }

  take(now: number): boolean {
    const elapsed = Math.max(0, now - this.#at)
    this.#at = now
    this.#tokens = Math.min(this.#rate.capacity, this.#tokens + (elapsed / 1000) * this.#rate.perSecond)
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }
}
