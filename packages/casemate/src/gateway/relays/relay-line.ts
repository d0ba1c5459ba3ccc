import { NOSTR_CONNECT_KIND, type NostrEvent } from "@casemate/nip46/protocol"
import {
  classifyRefusal,
  type PublishResult,
  RelayConnection,
  type Subscription,
  type WebSocketFactory,
} from "@casemate/nip46/transport"
import type { ProofAsk } from "../../channel/gateway-channel.js"
import { type Logger, reasonOf } from "../../config/log.js"
import { untilListening } from "./listening.js"

/** Pubkeys in one filter; common relays cap the values of a filter near this. */
const PUBKEYS_PER_FILTER = 500
/**
 * How far `since` reaches back, in ms. Relays apply it to live events too: whoever's clock is further behind
 * is mute, and nobody can tell them. Claims are kept as long, so that what a relay plays again is recognised.
 */
const OVERLAP_MS = 24 * 60 * 60 * 1000
/** Pubkeys that the relay did not let in are tried again after this, in ms, and each time after twice as long. */
const RETRY_MS = 30_000
const MAX_RETRY_MS = 60 * 60 * 1000

export interface RelayLineOptions {
  readonly url: string
  readonly webSocket: WebSocketFactory
  /** Asked once the relay wants to know who is connected (NIP-42), for each pubkey; undefined declines. */
  readonly prove: (ask: ProofAsk) => Promise<NostrEvent | undefined>
  /** As the relay sent it, unverified. */
  readonly onEvent: (event: NostrEvent, relay: string) => void
  /** The relay let several pubkeys in on this socket, and yet refuses one of them. */
  readonly onOneAtATime: () => void
  /** Nobody is listened for, and nothing is on its way. */
  readonly onIdle: () => void
  readonly log: Logger
}

/** One socket to a relay: the pubkeys that are listened for on it, and the answers that leave by it. */
export class RelayLine {
  readonly #options: RelayLineOptions
  readonly #connection: RelayConnection
  readonly #pubkeys = new Set<string>()
  #subscription: Subscription | undefined
  /** The pubkeys of the subscription that stands, or was asked for, with commas between them. */
  #served = ""
  /** The relay has asked on this connection who we are. */
  #isStrict = false
  #isStale = false
  #isClosed = false
  #inUse = 0
  #retryMs = RETRY_MS
  #retryTimer: ReturnType<typeof setTimeout> | undefined

  constructor(options: RelayLineOptions) {
    this.#options = options
    const { url, webSocket, log } = options
    this.#connection = new RelayConnection({
      url,
      webSocket,
      timing: { overlapMs: OVERLAP_MS },
      authenticate: (challenge) => this.#prove(challenge),
      onState: (state) => {
        if (state.kind === "waiting") {
          log.warn({ relay: url, reason: state.reason }, "lost a relay; dialling again")
          this.#forgetProofs()
        } else log.debug({ relay: url, state: state.kind }, "relay")
      },
      onHandlerError: (error) => log.error({ relay: url, reason: reasonOf(error) }, "a handler failed"),
    })
  }

  /** Listens for it; one that the relay has not let in so far is tried again. */
  add(pubkey: string): void {
    const isLetIn = !this.#isStrict || this.#connection.authenticated.has(pubkey)
    if (this.#pubkeys.has(pubkey) && isLetIn) return
    this.#pubkeys.add(pubkey)
    this.#refresh()
  }

  remove(pubkey: string): void {
    if (this.#pubkeys.delete(pubkey)) this.#refresh()
  }

  async publish(event: NostrEvent, timeoutMs: number): Promise<PublishResult> {
    this.#inUse += 1
    try {
      const result = await this.#connection.publish(event, { timeoutMs })
      if (result.kind === "refused" && this.#isOneAtATime(result.message, event.pubkey)) this.#options.onOneAtATime()
      return result
    } finally {
      this.#inUse -= 1
      this.#checkIdle()
    }
  }

  /** Resolves once the relay is sure to have a REQ for it. Rejects with the reason why it has not. */
  async listening(pubkey: string): Promise<void> {
    this.#inUse += 1
    try {
      await untilListening(this.#connection, pubkey)
    } finally {
      this.#inUse -= 1
      this.#checkIdle()
    }
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#retryTimer)
    this.#connection.close()
  }

  /** Many watches change in one turn at a start; the relay hears of it once. */
  #refresh(): void {
    if (this.#isStale) return
    this.#isStale = true
    queueMicrotask(() => {
      this.#isStale = false
      void this.#resubscribe()
    })
  }

  async #resubscribe(): Promise<void> {
    // Before the relay is asked to serve them: a REQ that it refuses would cost the others theirs.
    if (this.#unproven().length > 0) await this.#connection.renewAuthentication()
    if (this.#isClosed) return
    this.#subscribe()
    this.#retryLater()
    this.#checkIdle()
  }

  #subscribe(): void {
    const { authenticated } = this.#connection
    const pubkeys = [...this.#pubkeys].filter((pubkey) => !this.#isStrict || authenticated.has(pubkey))
    const served = pubkeys.join()
    if (served === this.#served) return
    this.#served = served
    if (pubkeys.length === 0) {
      this.#subscription?.close()
      this.#subscription = undefined
    } else if (this.#subscription === undefined) {
      this.#subscription = this.#connection.subscribe(filtersFor(pubkeys), {
        onEvent: (event) => this.#options.onEvent(event, this.#options.url),
        onRefused: (message) => this.#refused(message),
      })
    } else this.#subscription.update(filtersFor(pubkeys))
  }

  #refused(message: string): void {
    const { url, log, onOneAtATime } = this.#options
    const served = this.#served.split(",")
    this.#served = ""
    const unproven = this.#unproven()
    if (classifyRefusal(message) === "authenticate" && unproven.length > 0 && unproven.length < this.#pubkeys.size) {
      // The others are served without them.
      this.#subscribe()
      this.#retryLater()
    } else if (this.#isOneAtATime(message, ...served)) onOneAtATime()
    else {
      log.warn({ relay: url, reason: message.slice(0, 200) }, "a relay refused to serve us")
      this.#retryLater()
    }
  }

  #isOneAtATime(message: string, ...pubkeys: readonly string[]): boolean {
    const { authenticated } = this.#connection
    const isRefused = classifyRefusal(message) === "authenticate"
    return isRefused && authenticated.size > 1 && pubkeys.every((pubkey) => authenticated.has(pubkey))
  }

  async #prove(challenge: string): Promise<NostrEvent[]> {
    this.#isStrict = true
    const { url: relay, prove } = this.#options
    const proofs = this.#unproven().map((remoteSignerPubkey) => prove({ remoteSignerPubkey, relay, challenge }))
    return (await Promise.all(proofs)).filter((proof) => proof !== undefined)
  }

  /** Pubkeys that the relay, which asks for proofs, has not let in. */
  #unproven(): string[] {
    const { authenticated } = this.#connection
    return this.#isStrict ? [...this.#pubkeys].filter((pubkey) => !authenticated.has(pubkey)) : []
  }

  #retryLater(): void {
    const { url, log } = this.#options
    const { length } = this.#unproven()
    if (length === 0 || this.#retryTimer !== undefined) return
    if (this.#retryMs === RETRY_MS)
      log.warn({ relay: url, connections: length }, "a relay lets some connections not in")
    this.#retryTimer = setTimeout(() => {
      this.#retryTimer = undefined
      this.#refresh()
    }, this.#retryMs)
    this.#retryMs = Math.min(this.#retryMs * 2, MAX_RETRY_MS)
  }

  /** On the next connection all of them are asked for again. */
  #forgetProofs(): void {
    clearTimeout(this.#retryTimer)
    this.#retryTimer = undefined
    this.#retryMs = RETRY_MS
    this.#isStrict = false
    this.#served = ""
    this.#refresh()
  }

  #checkIdle(): void {
    if (this.#pubkeys.size === 0 && this.#inUse === 0) this.#options.onIdle()
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
