/**
 * What a `FaultRelay` does wrong, one switch each. Every switch is read when it matters, so a test turns one
 * while sockets are open. Fractions are chances in [0, 1], drawn from the relay's seeded randomness.
 */
export interface RelayFaults {
  /** Chance that a live event is lost on its way to one subscription. The publisher still gets its OK. */
  dropEvents: number
  /** Milliseconds by which everything that the relay says is late. */
  delayMs: number
  /** Milliseconds by which events are later still: the OK comes long before the delivery. */
  delayEventsMs: number
  /** Milliseconds by which OKs are later still: the answer to an event comes before its OK. */
  delayOksMs: number
  /** Copies of every delivered event beyond the first. The fraction is a chance: 0.25 doubles one in four. */
  duplicates: number
  /** Chance that an event is held back until the next one for its socket, or for `reorderMs` without a next. */
  reorder: number
  /** Milliseconds that `reorder` holds an event back at most. */
  reorderMs: number
  /** Every EVENT gets `OK false` with this reason, for example `"blocked: not here"`. */
  refuse: string | undefined
  /** Every REQ gets `CLOSED` with this reason, for example `"restricted: members only"`. */
  refuseSubscriptions: string | undefined
  /** Every AUTH gets `OK false` with this reason, for example `"restricted: not you"`. */
  refuseAuth: string | undefined
  /** `OK true` for events that go nowhere. */
  lieOk: boolean
  /** Events are delivered and stored, and no OK tells. Refusals are silent as well; AUTH is answered. */
  noOk: boolean
  /** Subscriptions are served, and no EOSE tells. */
  noEose: boolean
  /**
   * NIP-42. An EVENT is refused until its author is authenticated, a REQ until all its `#p` are, and one
   * without `#p` until anyone is.
   * - `"early"`: the challenge comes with the connection;
   * - `"late"`: it comes only after the first refusal;
   * - `"prefixed"`: as late, and refusals read `error: auth-required: …`.
   */
  authRequired: "early" | "late" | "prefixed" | undefined
  /**
   * `"one"`: a socket keeps the pubkey that authenticated last; the subscriptions of the one before it are
   * closed with `auth-required:`. `"many"`: all stay.
   */
  authPubkeys: "one" | "many"
  /** So many more EVENTs get `OK false` with `rate-limited:`. Counts down; `Infinity` never ends. */
  rateLimitedEvents: number
  /** So many more REQs get `CLOSED` with `rate-limited:`. Counts down; `Infinity` never ends. */
  rateLimitedSubscriptions: number
  /** Seconds for which ephemeral events (kinds 20000 to 29999) are kept and replayed to new REQs; 0 is off. */
  storeEphemerals: number
  /** Stored events are replayed without regard to `since` and `until`. */
  replayIgnoresTime: boolean
  /** `OK false` for a `created_at` that is more seconds in the past than this, as 60 is in use. */
  maxAgeSeconds: number | undefined
  /** `OK false` for a `created_at` that is more seconds in the future than this. */
  maxFutureSeconds: number | undefined
  /** `OK false` for an event whose JSON takes more UTF-8 bytes than this, as 65536 is in use. */
  maxEventBytes: number | undefined
  /** An event that is stored already gets `OK false` with `duplicate:` instead of `OK true`. */
  refuseDuplicates: boolean
  /** Live events go to every subscription whose kinds, authors, ids and times match, whatever its tags. */
  ignoreTagFilters: boolean
  /** A dial never opens and never fails. A socket handed to `accept` stays open and mute. */
  hangDials: boolean
}

/** A relay with these does what NIP-01 says. */
export const NO_FAULTS: Readonly<RelayFaults> = {
  dropEvents: 0,
  delayMs: 0,
  delayEventsMs: 0,
  delayOksMs: 0,
  duplicates: 0,
  reorder: 0,
  reorderMs: 100,
  refuse: undefined,
  refuseSubscriptions: undefined,
  refuseAuth: undefined,
  lieOk: false,
  noOk: false,
  noEose: false,
  authRequired: undefined,
  authPubkeys: "many",
  rateLimitedEvents: 0,
  rateLimitedSubscriptions: 0,
  storeEphemerals: 0,
  replayIgnoresTime: false,
  maxAgeSeconds: undefined,
  maxFutureSeconds: undefined,
  maxEventBytes: undefined,
  refuseDuplicates: false,
  ignoreTagFilters: false,
  hangDials: false,
}
