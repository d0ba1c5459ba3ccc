import { Nip46Error } from "../protocol/errors.js"
import type { NostrEvent } from "../protocol/event.js"
import { RelayConnection, type RelayConnectionOptions } from "./relay-connection.js"
import type { RelayFilter } from "./relay-message.js"
import type { Subscription } from "./subscription.js"
import type { PublishReport, RelayResult, Transport, TransportHandlers, TransportPublishOptions } from "./transport.js"

export interface RelaySetOptions extends Omit<RelayConnectionOptions, "url" | "onState" | "onNotice"> {
  /** Taken as given; normalise and vet them before. */
  relays: readonly string[]
}

/**
 * Relays used side by side: what is published goes to all and is out once one took it; what comes from any
 * is handed on, copies included. A relay that is dead costs the others nothing.
 *
 * @example
 * const relays = new RelaySet({ relays: ["wss://a.example", "wss://b.example"], webSocket: platformWebSocket })
 * const { accepted } = await relays.publish(event, { timeoutMs: 5_000 })
 */
export class RelaySet implements Transport {
  readonly relays: readonly string[]
  readonly #connections: ReadonlyMap<string, RelayConnection>

  /** @throws `INVALID_RELAY` when no relay is given */
  constructor({ relays, ...options }: RelaySetOptions) {
    this.relays = [...new Set(relays)]
    if (this.relays.length === 0) throw new Nip46Error("INVALID_RELAY", "a relay set needs at least one relay")
    this.#connections = new Map(this.relays.map((url) => [url, new RelayConnection({ ...options, url })]))
  }

  subscribe(filters: readonly RelayFilter[], handlers: TransportHandlers): Subscription {
    const parts = [...this.#connections].map(([relay, connection]) =>
      connection.subscribe(filters, {
        onEvent: (event) => handlers.onEvent(event, relay),
        onEose: (requestedAt) => handlers.onLive?.(relay, requestedAt),
        onRefused: (message) => handlers.onRefused?.(relay, message),
      }),
    )
    return {
      id: parts.map(({ id }) => id).join(" "),
      update: (next) => {
        for (const part of parts) part.update(next)
      },
      close: () => {
        for (const part of parts) part.close()
      },
    }
  }

  async publish(event: NostrEvent, { onResult, ...options }: TransportPublishOptions = {}): Promise<PublishReport> {
    const results = new Map<string, RelayResult>()
    return new Promise((resolve) => {
      for (const [relay, connection] of this.#connections) {
        void connection.publish(event, options).then((outcome) => {
          const { failure } = connection
          const result = failure === undefined ? outcome : { ...outcome, detail: failure }
          results.set(relay, result)
          const accepted = result.kind === "accepted"
          // A copy: the report says how it stood, and later results have their own callback.
          if (accepted || results.size === this.relays.length) resolve({ accepted, relays: new Map(results) })
          onResult?.(relay, result)
        })
      }
    })
  }

  failure(relay: string): string | undefined {
    return this.#connections.get(relay)?.failure
  }

  checkNow(): void {
    for (const connection of this.#connections.values()) connection.checkNow()
  }

  close(): void {
    for (const connection of this.#connections.values()) connection.close()
  }
}
