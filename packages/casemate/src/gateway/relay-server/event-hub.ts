import { isEventShape, NOSTR_CONNECT_KIND, type NostrEvent } from "@casemate/nip46/protocol"
import type { Filter } from "./filter.js"
import type { RelayLimits } from "./limits.js"
import { SeenEvents } from "./seen-events.js"
import { pTags, SubscriptionIndex } from "./subscription-index.js"

/** A listener in the same process, in place of a socket. */
export interface LocalListener {
  /** Whether an event whose `p` tag has this value is for the listener. */
  wants(pubkey: string): boolean
  /** Called once for an event, in the same turn. The event is verified. */
  onEvent(event: NostrEvent): void
}

/** One REQ of one connection. */
export interface HubSubscription {
  /** Unique over all connections, past ones included. */
  readonly connection: string
  readonly filters: readonly Filter[]
  deliver(eventJson: string): void
}

/** The second half of an OK (NIP-01). */
export interface Verdict {
  accepted: boolean
  message: string
}

export interface EventHubOptions {
  limits: RelayLimits
  verifyEvent: (event: NostrEvent) => boolean
  /** Unix milliseconds. */
  now: () => number
  onListenerError: (error: unknown) => void
}

/** Takes events in and hands them to whom they concern. Stores nothing. */
export class EventHub {
  readonly #options: EventHubOptions
  readonly #index = new SubscriptionIndex<HubSubscription>()
  readonly #listeners = new Set<LocalListener>()
  readonly #seen: SeenEvents
  #stopping = false
  received = 0
  refused = 0
  delivered = 0

  constructor(options: EventHubOptions) {
    this.#options = options
    this.#seen = new SeenEvents(options.limits.rememberedEvents)
  }

  subscribe(subscription: HubSubscription): void {
    this.#index.add(subscription)
  }

  unsubscribe(subscription: HubSubscription): void {
    this.#index.remove(subscription)
  }

  attach(listener: LocalListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** From now on no event is taken, because nobody is left to answer it; what is published still goes out. */
  stop(): void {
    this.#stopping = true
  }

  /** An event that came over a socket: judged, then handed on before this returns. */
  receive(value: unknown, sender: string): Verdict {
    this.received += 1
    const reason = this.#reject(value)
    if (reason !== undefined) {
      this.refused += 1
      return { accepted: false, message: reason }
    }
    const event = value as NostrEvent
    // Ids are remembered only after verification: a forged twin cannot shut out the genuine event.
    const known = this.#seen.has(event.id)
    const local = this.#deliverLocally(event, sender)
    const told = this.#deliver(event, (connection) => this.#seen.tell(event.id, `to ${connection}`))
    // Nobody listening is no failure that a client could do anything about, so it is accepted all the same.
    return { accepted: true, message: known && local + told === 0 ? "duplicate: already have this event" : "" }
  }

  /** An event of this process; trusted, and repeated on purpose when it is repeated. Counts the deliveries. */
  publish(event: NostrEvent): number {
    return this.#deliver(event, () => true)
  }

  /** Why NIP-01 or this relay does not take the event. The cheap reasons first, the curve last. */
  #reject(value: unknown): string | undefined {
    const { limits, verifyEvent, now } = this.#options
    if (this.#stopping) return "error: shutting down"
    if (!isEventShape(value)) return "invalid: this is not an event of NIP-01"
    if (value.kind !== NOSTR_CONNECT_KIND) return `blocked: this relay carries only kind ${NOSTR_CONNECT_KIND}`
    if (value.tags.length > limits.maxEventTags) return `invalid: more than ${limits.maxEventTags} tags`
    if (Buffer.byteLength(canonicalJson(value)) > limits.maxEventBytes) {
      return `invalid: the event is larger than ${limits.maxEventBytes} bytes`
    }
    if (Math.abs(value.created_at - now() / 1000) > limits.maxClockSkewSeconds) {
      return "invalid: created_at is too far off from the current time"
    }
    try {
      return verifyEvent(value) ? undefined : "invalid: the id or the signature does not match"
    } catch {
      // A verifier that fails has not verified; an exception here would end the process.
      return "error: the event could not be verified"
    }
  }

  #deliver(event: NostrEvent, mayTell: (connection: string) => boolean): number {
    const json = canonicalJson(event)
    const matching = [...this.#index.match(event)]
    // Asked once per connection: two subscriptions of one connection both get the event.
    const told = new Map<string, boolean>()
    let count = 0
    for (const subscription of matching) {
      const { connection } = subscription
      const tell = told.get(connection) ?? mayTell(connection)
      told.set(connection, tell)
      if (!tell) continue
      subscription.deliver(json)
      count += 1
    }
    this.delivered += count
    return count
  }

  /**
   * A client that lost its answer repeats its request from a new connection, and the bunker re-sends what it
   * had answered. So the listeners are told once for each connection that an event came from.
   */
  #deliverLocally(event: NostrEvent, sender: string): number {
    const pubkeys = pTags(event)
    let count = 0
    let tell: boolean | undefined
    for (const listener of this.#listeners) {
      try {
        if (!pubkeys.some((pubkey) => listener.wants(pubkey))) continue
        tell ??= this.#seen.tell(event.id, `from ${sender}`)
        if (!tell) break
        count += 1
        listener.onEvent(event)
      } catch (error) {
        this.#options.onListenerError(error)
      }
    }
    this.delivered += count
    return count
  }
}

/** Only what NIP-01 names is handed on, whatever else the sender put into the object. */
function canonicalJson({ id, pubkey, created_at, kind, tags, content, sig }: NostrEvent): string {
  return JSON.stringify({ id, pubkey, created_at, kind, tags, content, sig })
}
