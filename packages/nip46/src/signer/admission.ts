import { BoundedMap } from "../crypto/bounded-map.js"
import { type Rate, TokenBucket } from "./token-bucket.js"

/** How much of the signer others may use. */
export interface AdmissionRates {
  /** What one client may ask, once verified. */
  readonly clientRate: Rate
  /** What all strangers together may cost at one signer key. */
  readonly strangerRate: Rate
  /** What all strangers together may cost at all signer keys. */
  readonly allStrangersRate: Rate
  /**
   * What all who come to offered tokens may have verified together. Whoever redeems one is a stranger until the
   * secret is read, so this is what keeps guesses from shutting the owner's app out. A guess costs a signature
   * check, an ECDH and a decryption, 3 to 4.5 ms with the portable curve: a flood of 200 a second takes most of
   * one core for as long as it lasts, and more would take it from those who are connected.
   */
  readonly offeredRate: Rate
}

export const DEFAULT_RATES: AdmissionRates = {
  clientRate: { capacity: 4_000, perSecond: 2_000 },
  strangerRate: { capacity: 60, perSecond: 5 },
  allStrangersRate: { capacity: 300, perSecond: 100 },
  offeredRate: { capacity: 600, perSecond: 200 },
}

/** A client whose clock is off is told so this often. */
const SKEW_RATE: Rate = { capacity: 1, perSecond: 1 / 60 }
const MAX_BUCKETS = 10_000

/**
 * Who may still pass. Strangers share, so that no number of keys gets more; a client pays only for itself. Those
 * at offered tokens and those at keys in use share nothing, so that neither drains the other.
 */
export class Admission {
  readonly #rates: AdmissionRates
  readonly #now: () => number
  readonly #clients = new BoundedMap<string, TokenBucket>(MAX_BUCKETS)
  readonly #strangers = new BoundedMap<string, TokenBucket>(MAX_BUCKETS)
  readonly #skewNotices = new BoundedMap<string, TokenBucket>(MAX_BUCKETS)
  readonly #allStrangers: TokenBucket
  readonly #offered: TokenBucket
  readonly #rebuffs: TokenBucket

  /** @param now milliseconds */
  constructor(rates: AdmissionRates, now: () => number) {
    this.#rates = rates
    this.#now = now
    this.#allStrangers = new TokenBucket(rates.allStrangersRate, now())
    this.#offered = new TokenBucket(rates.offeredRate, now())
    this.#rebuffs = new TokenBucket(rates.strangerRate, now())
  }

  stranger(connectionId: string): boolean {
    return this.#take(this.#strangers, connectionId, this.#rates.strangerRate) && this.#allStrangers.take(this.#now())
  }

  /** Somebody comes to a token that nobody has redeemed. */
  offered(): boolean {
    return this.#offered.take(this.#now())
  }

  /** They are told that it was in vain; fewer than are heard, or a flood of guesses would be one of answers. */
  rebuff(): boolean {
    return this.#rebuffs.take(this.#now())
  }

  client(clientPubkey: string): boolean {
    return this.#take(this.#clients, clientPubkey, this.#rates.clientRate)
  }

  skewNotice(connectionId: string): boolean {
    return this.#take(this.#skewNotices, connectionId, SKEW_RATE)
  }

  #take(buckets: BoundedMap<string, TokenBucket>, key: string, rate: Rate): boolean {
    const now = this.#now()
    let bucket = buckets.get(key)
    if (bucket === undefined) {
      bucket = new TokenBucket(rate, now)
      buckets.set(key, bucket)
    }
    return bucket.take(now)
  }
}
