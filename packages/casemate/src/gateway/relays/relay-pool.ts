import type { NostrEvent } from "@casemate/nip46/protocol"
import type { WebSocketFactory } from "@casemate/nip46/transport"
import type { ProofAsk, RelayFailure, Watch } from "../../channel/gateway-channel.js"
import { type Logger, reasonOf } from "../../config/log.js"
import { PoolRelay } from "./pool-relay.js"

export interface RelayPoolOptions {
  readonly webSocket: WebSocketFactory
  /** As a relay sent it, unverified: keyd checks it. */
  readonly onEvent: (event: NostrEvent, relay: string) => void
  /** A relay proof by the key of a connection, which keyd has; undefined when it declines. */
  readonly prove: (ask: ProofAsk) => Promise<NostrEvent | undefined>
  readonly log: Logger
}

/**
 * The outside relays of all connections: one socket a relay, whatever the number of connections, unless the relay
 * knows only one pubkey a socket; and none where nobody is listened for and nothing is on its way.
 */
export class RelayPool {
  readonly #options: RelayPoolOptions
  readonly #relays = new Map<string, PoolRelay>()

  constructor(options: RelayPoolOptions) {
    this.#options = options
  }

  /** Listens for a connection on these relays, and no longer elsewhere. */
  watch({ remoteSignerPubkey }: Watch, urls: readonly string[]): void {
    for (const [url, relay] of this.#relays) if (!urls.includes(url)) relay.unwatch(remoteSignerPubkey)
    for (const url of urls) this.#relay(url).watch(remoteSignerPubkey)
  }

  /** True once a relay has taken the event; false when none did in time. */
  async publish(event: NostrEvent, urls: readonly string[]): Promise<boolean> {
    const tries = urls.map(async (url) => {
      const result = await this.#relay(url).publish(event)
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
      try {
        await this.#relay(url).listening(remoteSignerPubkey)
      } catch (error) {
        failures.push({ relay: url, reason: reasonOf(error) })
        throw error
      }
    })
    return Promise.any(tries).then(
      () => [],
      () => failures,
    )
  }

  close(): void {
    for (const relay of this.#relays.values()) relay.close()
    this.#relays.clear()
  }

  #relay(url: string): PoolRelay {
    const known = this.#relays.get(url)
    if (known !== undefined) return known
    const relay: PoolRelay = new PoolRelay({
      ...this.#options,
      url,
      onIdle: () => {
        if (this.#relays.get(url) === relay) this.#relays.delete(url)
      },
    })
    this.#relays.set(url, relay)
    return relay
  }
}
