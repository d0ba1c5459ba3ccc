import type { NostrEvent } from "@casemate/nip46/protocol"
import { NOSTR_CONNECT_KIND } from "@casemate/nip46/protocol"
import {
  type PublishResult,
  RelayConnection,
  type Subscription,
  type WebSocketFactory,
} from "@casemate/nip46/transport"
import type { RelayFailure, Watch } from "../../channel/gateway-channel.js"
import type { Logger } from "../../config/log.js"
import { untilListening } from "./listening.js"

/** Pubkeys in one filter; common relays cap the values of a filter near this. */
const PUBKEYS_PER_FILTER = 500
/**
 * How far `since` reaches back, in ms. Relays apply it to live events too: whoever's clock is further behind
 * is mute, and nobody can tell them. Claims are kept as long, so that what a relay plays again is recognised.
 */
const OVERLAP_MS = 24 * 60 * 60 * 1000
const PUBLISH_TIMEOUT_MS = 30_000

export interface RelayPoolOptions {
  readonly webSocket: WebSocketFactory
  /** As a relay sent it, unverified: keyd checks it. */
  readonly onEvent: (event: NostrEvent) => void
  readonly log: Logger
}

interface Relay {
  readonly connection: RelayConnection
  readonly pubkeys: Set<string>
  subscription: Subscription | undefined
  /** Answers on their way there. */
  publishing: number
}

/**
 * The outside relays of all connections: one socket a relay, whatever the number of connections, and none where
 * nobody is listened for and nothing is on its way.
 */
export class RelayPool {
  readonly #options: RelayPoolOptions
  readonly #relays = new Map<string, Relay>()
  readonly #stale = new Set<Relay>()

  constructor(options: RelayPoolOptions) {
    this.#options = options
  }

  /** Listens for a connection on these relays, and no longer elsewhere. */
  watch({ remoteSignerPubkey }: Watch, urls: readonly string[]): void {
    for (const [url, relay] of this.#relays) {
      if (!urls.includes(url) && relay.pubkeys.delete(remoteSignerPubkey)) this.#refresh(relay)
    }
    for (const url of urls) {
      const relay = this.#relays.get(url) ?? this.#add(url)
      if (relay.pubkeys.has(remoteSignerPubkey)) continue
      relay.pubkeys.add(remoteSignerPubkey)
      this.#refresh(relay)
    }
  }

  /** True once a relay has taken the event; false when none did in time. */
  async publish(event: NostrEvent, urls: readonly string[]): Promise<boolean> {
    const tries = urls.map(async (url) => {
      const result = await this.#publish(event, this.#relays.get(url) ?? this.#add(url))
      if (result.kind === "accepted") return
      const reason = result.kind === "refused" ? result.message : result.reason
      this.#options.log.warn({ relay: url, reason: reason.slice(0, 200) }, "a relay did not take an answer")
      throw new Error(reason)
    })
    return Promise.any(tries).then(
      () => true,
      () => false,
    )
  }

  /** Empty once one of these relays is sure to have the watch; else each relay with the reason why it has not. */
  async listening({ remoteSignerPubkey }: Watch, urls: readonly string[]): Promise<readonly RelayFailure[]> {
    const failures: RelayFailure[] = []
    const tries = urls.map(async (url) => {
      const { connection } = this.#relays.get(url) ?? this.#add(url)
      try {
        await untilListening(connection, remoteSignerPubkey)
      } catch (error) {
        failures.push({ relay: url, reason: error instanceof Error ? error.message : "unknown" })
        throw error
      }
    })
    return Promise.any(tries).then(
      () => [],
      () => failures,
    )
  }

  close(): void {
    this.#stale.clear()
    for (const { connection } of this.#relays.values()) connection.close()
    this.#relays.clear()
  }

  async #publish(event: NostrEvent, relay: Relay): Promise<PublishResult> {
    relay.publishing += 1
    try {
      return await relay.connection.publish(event, { timeoutMs: PUBLISH_TIMEOUT_MS })
    } finally {
      relay.publishing -= 1
      this.#dropIdle(relay)
    }
  }

  #dropIdle(relay: Relay): void {
    if (relay.pubkeys.size > 0 || relay.publishing > 0) return
    relay.connection.close()
    const { url } = relay.connection
    if (this.#relays.get(url) === relay) this.#relays.delete(url)
  }

  #add(url: string): Relay {
    const { webSocket, log } = this.#options
    const connection = new RelayConnection({
      url,
      webSocket,
      timing: { overlapMs: OVERLAP_MS },
      onState: (state) => {
        if (state.kind === "waiting") log.warn({ relay: url, reason: state.reason }, "lost a relay; dialling again")
        else log.debug({ relay: url, state: state.kind }, "relay")
      },
      onHandlerError: (error) =>
        log.error({ relay: url, reason: error instanceof Error ? error.message : "unknown" }, "a handler failed"),
    })
    const relay: Relay = { connection, pubkeys: new Set(), subscription: undefined, publishing: 0 }
    this.#relays.set(url, relay)
    return relay
  }

  /** Many watches change in one turn at a start; the relay hears of it once. */
  #refresh(relay: Relay): void {
    if (this.#stale.size === 0) queueMicrotask(() => this.#resubscribe())
    this.#stale.add(relay)
  }

  #resubscribe(): void {
    for (const relay of this.#stale) {
      const filters = filtersFor([...relay.pubkeys])
      if (filters.length === 0) {
        relay.subscription?.close()
        relay.subscription = undefined
        this.#dropIdle(relay)
      } else if (relay.subscription === undefined) {
        relay.subscription = relay.connection.subscribe(filters, {
          onEvent: (event) => this.#options.onEvent(event),
          onRefused: (reason) =>
            this.#options.log.warn(
              { relay: relay.connection.url, reason: reason.slice(0, 200) },
              "a relay refused to serve us",
            ),
        })
      } else relay.subscription.update(filters)
    }
    this.#stale.clear()
  }
}

function filtersFor(pubkeys: readonly string[]): { kinds: number[]; "#p": string[]; since: number }[] {
  const since = Math.floor((Date.now() - OVERLAP_MS) / 1000)
  const filters = []
  for (let at = 0; at < pubkeys.length; at += PUBKEYS_PER_FILTER) {
    filters.push({ kinds: [NOSTR_CONNECT_KIND], "#p": pubkeys.slice(at, at + PUBKEYS_PER_FILTER), since })
  }
  return filters
}
