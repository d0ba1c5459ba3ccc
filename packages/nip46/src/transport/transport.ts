import type { NostrEvent } from "../protocol/event.js"
import type { PublishOptions, PublishResult } from "./publisher.js"
import type { Authenticate } from "./relay-auth.js"
import type { RelayFilter } from "./relay-message.js"
import type { Subscription } from "./subscription.js"

export interface TransportHandlers {
  /**
   * An event of NIP-01's shape, as a relay sent it: unverified, perhaps not even matching the filters, and the
   * same one may come from every relay. Verify, check kind, `p` and author, then dedupe by the id you computed.
   */
  onEvent(event: NostrEvent, relay: string): void
  /**
   * The relay has the subscription and sent what it had stored. Comes again after every reconnect. `requestedAt`, where
   * the transport knows it: when the REQ went out that was served, by `performance.now()`.
   */
  onLive?(relay: string, requestedAt?: number): void
  /** The relay will not serve these filters. */
  onRefused?(relay: string, message: string): void
}

/** What one relay made of an event. `detail`: why there is no connection to it, where there is none. */
export type RelayResult = PublishResult & { readonly detail?: string }

/** What each relay made of an event so far; a relay that is not in it has not decided. */
export interface PublishReport {
  /** True once a relay took it. That says nothing of anybody having received it. */
  readonly accepted: boolean
  readonly relays: ReadonlyMap<string, RelayResult>
}

export interface TransportPublishOptions extends PublishOptions {
  /** Called for each relay as it decides, those after the first acceptance included. */
  readonly onResult?: (relay: string, result: RelayResult) => void
}

/** A set of relays to meet on, as one thing. */
export interface Transport {
  /** Normalised URLs, in the order given. */
  readonly relays: readonly string[]
  /** On all relays, for as long as it is not closed. @throws `CLOSED` after `close()` */
  subscribe(filters: readonly RelayFilter[], handlers: TransportHandlers): Subscription
  /** Resolves with the first acceptance, or when every relay has decided. Never rejects, always in time. */
  publish(event: NostrEvent, options?: TransportPublishOptions): Promise<PublishReport>
  /** Why there is no connection to a relay; undefined while there is one. */
  failure(relay: string): string | undefined
  /** For wake events: sockets must show a sign of life, and waits for the next dial are cut short. */
  checkNow(): void
  /** For good: no timer and no socket stays. */
  close(): void
}

export interface TransportOptions {
  /** NIP-42 proofs for relays that ask for them. */
  readonly authenticate?: Authenticate
}

/** Opens a transport; one for each set of relays. */
export type TransportFactory = (relays: readonly string[], options: TransportOptions) => Transport
