import type { NostrEvent } from "@casemate/nip46/protocol"
import { NOSTR_CONNECT_KIND } from "@casemate/nip46/protocol"
import { DEFAULT_TIMING, RelayConnection, type Subscription, type WebSocketFactory } from "@casemate/nip46/transport"
import type { RelayFailure, Watch } from "../../channel/gateway-channel.js"
import type { Logger } from "../../config/log.js"
import { untilListening } from "./listening.js"

/** Pubkeys in one filter; common relays cap the values of a filter near this. */
const PUBKEYS_PER_FILTER = 500
/** Relays apply `since` to live events too: too near, and a client whose clock is behind would be mute. */
const FIRST_OVERLAP = DEFAULT_TIMING.overlapMs / 1000
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
}

/** The outside relays of all connections: one socket a relay, whatever the number of connections. */
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
      const { connection } = this.#relays.get(url) ?? this.#add(url)
      const result = await connection.publish(event, { timeoutMs: PUBLISH_TIMEOUT_MS })
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
    for (const { connection } of this.#relays.values()) connection.close()
    this.#relays.clear()
  }

  #add(url: string): Relay {
    const { webSocket, log } = this.#options
    const connection = new RelayConnection({
      url,
      webSocket,
      onState: (state) => {
        if (state.kind === "waiting") log.warn({ relay: url, reason: state.reason }, "lost a relay; dialling again")
        else log.debug({ relay: url, state: state.kind }, "relay")
      },
      onHandlerError: (error) =>
        log.error({ relay: url, reason: error instanceof Error ? error.message : "unknown" }, "a handler failed"),
    })
    const relay: Relay = { connection, pubkeys: new Set(), subscription: undefined }
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
  const since = Math.floor(Date.now() / 1000 - FIRST_OVERLAP)
  const filters = []
  for (let at = 0; at < pubkeys.length; at += PUBKEYS_PER_FILTER) {
    filters.push({ kinds: [NOSTR_CONNECT_KIND], "#p": pubkeys.slice(at, at + PUBKEYS_PER_FILTER), since })
  }
  return filters
}
