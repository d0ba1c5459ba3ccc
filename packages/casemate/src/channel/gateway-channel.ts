import type { NostrEvent } from "@casemate/nip46/protocol"
import type { WebRequest, WebResponse } from "./web-calls.js"

/**
 * What keyd and the gateway say to each other over keyd's gateway socket. Events travel as they came;
 * keyd believes none of them before it has checked them itself.
 */

/** A connection whose requests the gateway has to listen for, and where. */
export interface Watch {
  readonly connectionId: string
  readonly remoteSignerPubkey: string
  readonly relays: readonly string[]
  /** Those of them that only a client vouches for: never dialled into a private network. */
  readonly guarded: readonly string[]
}

/** A relay that cannot be listened to, and why. */
export interface RelayFailure {
  readonly relay: string
  readonly reason: string
}

/** A relay wants to know who is connected (NIP-42); the key that can prove it is keyd's. */
export interface ProofAsk {
  readonly remoteSignerPubkey: string
  /** As it was dialled. */
  readonly relay: string
  /** What the relay said, whatever it is. */
  readonly challenge: string
}

export type GatewayMessage =
  /** First, once a connection. `relays`: what a token names when nobody says otherwise. */
  | { readonly t: "hello"; readonly relays: readonly string[]; readonly http: string }
  /** `n` rises by one; keyd answers each with `done`. `via`: the relay that brought it, by the names in its watch. */
  | { readonly t: "event"; readonly n: number; readonly event: unknown; readonly via: readonly string[] }
  /** Answer `n` was published, or given up on every relay. */
  | { readonly t: "settled"; readonly n: number }
  /** The answer to `listen`: no failures once one of its relays is sure to have the watch, else all of them. */
  | { readonly t: "listening"; readonly n: number; readonly failures: readonly RelayFailure[] }
  /** Answered with a `proof` of the same number; one that is lost with a keyd is not asked for again. */
  | { readonly t: "prove"; readonly n: number; readonly ask: ProofAsk }
  /** Of a browser, answered with a `reply` of the same number; one that is lost with a keyd is not asked again. */
  | { readonly t: "call"; readonly n: number; readonly request: WebRequest }
  /** Notice `n` was taken, or given up for this reason, which is for its owner: it does not say the whole URL. */
  | { readonly t: "notified"; readonly n: number; readonly failure?: string }

export type KeydMessage =
  /** The answer to `hello`: everything to listen for, and how many events may be under way at once. */
  | { readonly t: "welcome"; readonly watches: readonly Watch[]; readonly credit: number }
  | { readonly t: "watch"; readonly watch: Watch }
  /** It ended a day ago, or was an offer that did. */
  | { readonly t: "unwatch"; readonly connectionId: string }
  /** A watch whose answer waits until one of these relays is sure to have it; `unwatch` takes it back. */
  | { readonly t: "listen"; readonly n: number; readonly watch: Watch; readonly relays: readonly string[] }
  | { readonly t: "done"; readonly n: number }
  /** Without an event keyd declines. */
  | { readonly t: "proof"; readonly n: number; readonly event?: NostrEvent }
  | { readonly t: "reply"; readonly n: number; readonly response: WebResponse }
  /** To be posted to the webhook that the owner configured, as it is: keyd has signed it. */
  | { readonly t: "notify"; readonly n: number; readonly notice: Notice }
  /**
   * To be published on every relay named; sent again after a reconnect until it is settled. `again`: it may
   * have been published before a crash, and whoever knows that it was does not do it twice.
   */
  | {
      readonly t: "answer"
      readonly n: number
      readonly event: NostrEvent
      readonly relays: readonly string[]
      readonly again: boolean
    }

/** A webhook's request, by the Standard Webhooks specification. */
export interface Notice {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** Tried once, as somebody waits for what comes of it. */
  readonly isTest?: boolean
}

/** Events that keyd works on at once; the gateway keeps the rest. */
export const EVENT_CREDIT = 256

export function isMessage<T extends { readonly t: string }>(value: unknown): value is T {
  return typeof value === "object" && value !== null && typeof (value as { t?: unknown }).t === "string"
}
