/** Every duration of a relay connection, in milliseconds. */
export interface RelayTiming {
  /** A dial that has not opened by then has failed. */
  connectTimeoutMs: number
  /** Silence after which a socket is dead. A ping or probe goes out at half of it. */
  deadAfterMs: number
  /** How long a probe may stay unanswered after `checkNow()`. */
  checkTimeoutMs: number
  /** No OK and no EOSE by then: the socket is probed. */
  answerPatienceMs: number
  /** Deadline of `publish` when the caller names none. */
  publishTimeoutMs: number
  /** Each step of NIP-42: the challenge, the signatures, the OKs. */
  authTimeoutMs: number
  /** Window of the first retry; it doubles with each further one. The delay is drawn from the whole window. */
  backoffBaseMs: number
  /** Widest window while the outage is young, so that a relay that is back soon is served within 5 s. */
  backoffFastMaxMs: number
  /** How long an outage counts as young, in milliseconds waited. */
  backoffFastForMs: number
  /** Widest window of all. */
  backoffMaxMs: number
  /** Least time between two dials. */
  minDialIntervalMs: number
  /** A connection that lived this long resets the backoff. */
  stableAfterMs: number
  /**
   * How far `since` reaches back behind the last sign of life when a subscription is renewed. Relays apply
   * `since` to live events as well, and `created_at` comes from other people's clocks: an overlap below
   * the clock skew that a signer tolerates (300 s) would make those peers mute after the first reconnect.
   */
  overlapMs: number
}

export const DEFAULT_TIMING: Readonly<RelayTiming> = {
  connectTimeoutMs: 10_000,
  deadAfterMs: 30_000,
  checkTimeoutMs: 5_000,
  answerPatienceMs: 5_000,
  publishTimeoutMs: 10_000,
  authTimeoutMs: 10_000,
  backoffBaseMs: 500,
  backoffFastMaxMs: 5_000,
  backoffFastForMs: 120_000,
  backoffMaxMs: 30_000,
  minDialIntervalMs: 1_000,
  stableAfterMs: 5_000,
  overlapMs: 600_000,
}
