import { Nip46Error } from "../protocol/errors.js"
import type { NostrEvent } from "../protocol/event.js"
import { matchesAny } from "./matches-filter.js"
import type { RelayFilter } from "./relay-message.js"
import type { Subscription } from "./subscription.js"
import type { PublishReport, Transport, TransportFactory, TransportHandlers } from "./transport.js"

interface Listener {
  filters: readonly RelayFilter[]
  readonly relays: readonly string[]
  readonly handlers: TransportHandlers
}

/**
 * Relays that exist in this process alone: a client and a signer of one program meet here, with no socket
 * between them. Nothing is stored, everything is delivered in a later turn, nothing is ever refused.
 *
 * @example
 * const relays = new MemoryRelays()
 * const app = relays.open(["wss://one.example"], {})
 * const signer = relays.open(["wss://one.example"], {})
 */
export class MemoryRelays {
  readonly #listeners = new Set<Listener>()
  #nextSubscription = 1

  readonly open: TransportFactory = (urls) => {
    const relays = [...new Set(urls)]
    if (relays.length === 0) throw new Nip46Error("INVALID_RELAY", "a transport needs at least one relay")
    const own = new Set<Listener>()
    let closed = false
    const drop = (listener: Listener): void => {
      own.delete(listener)
      this.#listeners.delete(listener)
    }
    const transport: Transport = {
      relays,
      subscribe: (filters, handlers) => {
        if (closed) throw new Nip46Error("CLOSED", "the transport is closed")
        const listener: Listener = { filters, relays, handlers }
        own.add(listener)
        this.#listeners.add(listener)
        const goLive = (): void => {
          for (const relay of relays) if (own.has(listener)) handlers.onLive?.(relay)
        }
        queueMicrotask(goLive)
        const subscription: Subscription = {
          id: `m${this.#nextSubscription++}`,
          update: (next) => {
            listener.filters = next
            queueMicrotask(goLive)
          },
          close: () => drop(listener),
        }
        return subscription
      },
      publish: async (event, { signal, onResult } = {}): Promise<PublishReport> => {
        const result = closed
          ? ({ kind: "failed", reason: "closed" } as const)
          : signal?.aborted === true
            ? ({ kind: "failed", reason: "aborted" } as const)
            : ({ kind: "accepted", message: "" } as const)
        if (result.kind === "accepted") for (const relay of relays) this.#deliver(event, relay)
        for (const relay of relays) onResult?.(relay, result)
        return {
          accepted: result.kind === "accepted",
          relays: new Map(relays.map((relay) => [relay, result])),
        }
      },
      failure: () => undefined,
      checkNow() {},
      close() {
        closed = true
        for (const listener of own) drop(listener)
      },
    }
    return transport
  }

  #deliver(event: NostrEvent, relay: string): void {
    for (const listener of this.#listeners) {
      if (!listener.relays.includes(relay)) continue
      queueMicrotask(() => {
        if (!this.#listeners.has(listener)) return
        if (!matchesAny(event, listener.filters)) return
        try {
          listener.handlers.onEvent(event, relay)
        } catch {
          // A handler's fault stays with it, as on every transport.
        }
      })
    }
  }
}
