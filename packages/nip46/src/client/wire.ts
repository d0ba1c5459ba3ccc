import type { Keypair, Nip44Backend } from "../crypto/backend.js"
import { BoundedMap } from "../crypto/bounded-map.js"
import { attempt } from "../protocol/attempt.js"
import { Nip46Error } from "../protocol/errors.js"
import {
  CLIENT_AUTHENTICATION_KIND,
  type EventTemplate,
  NOSTR_CONNECT_KIND,
  type NostrEvent,
} from "../protocol/event.js"
import { MAX_EVENT_BYTES } from "../protocol/limits.js"
import { bounded } from "../transport/bounded.js"
import { DEFAULT_TIMING } from "../transport/timing.js"
import type { PublishReport, Transport, TransportFactory, TransportPublishOptions } from "../transport/transport.js"

/** A message for this client: its event is genuine and new, and it opened. */
export interface WireMessage {
  readonly author: string
  readonly plaintext: string
  /** Unix seconds, by the author's clock. */
  readonly createdAt: number
}

export interface WireOptions {
  readonly crypto: Nip44Backend
  readonly clientKeypair: Keypair
  readonly relays: readonly string[]
  readonly openTransport: TransportFactory
  /** Unix milliseconds. */
  readonly now: () => number
}

export interface SwitchOptions {
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
  /** Resolves when nothing is waited for any more that was asked over the old relays. */
  readonly drained: () => Promise<void>
}

/** Relays apply `since` to live events too: nearer, and a signer whose clock is behind would be mute. */
const OVERLAP = DEFAULT_TIMING.overlapMs / 1000
const REMEMBERED_IDS = 5_000

/** One set of relays in use. */
interface Line {
  readonly transport: Transport
  readonly live: Set<string>
  /** Resolves once a relay is live, and in any case when the wire is closed. */
  readonly ready: Promise<void>
  readonly setReady: () => void
  /** What relays said that will not serve us. */
  readonly refusals: Map<string, string>
}

/**
 * What a client hears and says over its relays, sealed with its client-keypair. Until `bind` it hears
 * everyone, afterwards the remote-signer alone.
 */
export class Wire {
  /** Never called for what is not genuine, not new, or not for us. */
  onMessage: (message: WireMessage) => void = () => undefined
  /** A relay is back that had been lost: what it should have brought meanwhile may be gone. */
  onRenewed: () => void = () => undefined
  /** A relay listens for us for the first time, because of a REQ of this moment of `performance.now()`. */
  onLive: (relay: string, requestedAt: number) => void = () => undefined
  readonly #options: WireOptions
  readonly #seen = new BoundedMap<string, true>(REMEMBERED_IDS)
  readonly #old = new Set<Line>()
  #line: Line
  #peer: { pubkey: string; conversationKey: Uint8Array } | undefined
  #closed = false

  constructor(options: WireOptions) {
    this.#options = options
    this.#line = this.#open(options.relays)
  }

  get relays(): readonly string[] {
    return this.#line.transport.relays
  }

  get clientPubkey(): string {
    return this.#options.clientKeypair.pubkey
  }

  /** From now on only this remote-signer is heard. @throws `INVALID_KEY` */
  bind(remoteSignerPubkey: string): void {
    const { crypto, clientKeypair } = this.#options
    const conversationKey = crypto.conversationKey(clientKeypair, remoteSignerPubkey)
    this.#peer?.conversationKey.fill(0)
    this.#peer = { pubkey: remoteSignerPubkey, conversationKey }
  }

  /** Seals a message in an event of this moment and publishes it. @throws `ENCRYPTION_FAILED`, `CLOSED` */
  publish(plaintext: string, options: TransportPublishOptions): Promise<PublishReport> {
    const { crypto } = this.#options
    if (this.#peer === undefined || this.#closed) throw new Nip46Error("CLOSED", "the client is closed")
    const content = crypto.nip44Encrypt(plaintext, this.#peer.conversationKey)
    if (content.length > MAX_EVENT_BYTES - 512) {
      throw new Nip46Error("ENCRYPTION_FAILED", "this is too long for an event that relays carry; send less at once")
    }
    const event = this.#sign({ kind: NOSTR_CONNECT_KIND, content, tags: [["p", this.#peer.pubkey]] })
    return this.#line.transport.publish(event, options)
  }

  /** Resolves once a relay listens for us. @throws `TIMEOUT`, `CLOSED` when the signal is aborted */
  live(timeoutMs: number, signal?: AbortSignal): Promise<void> {
    return untilLive(this.#line, timeoutMs, signal)
  }

  /**
   * Make before break: the new relays must listen before anything is sent over them, and the old ones are
   * heard until `drained`. False, and all as before, when no new relay listens in time.
   */
  async switchTo(relays: readonly string[], { timeoutMs, signal, drained }: SwitchOptions): Promise<boolean> {
    const next = this.#open(relays)
    this.#old.add(next)
    const isLive = await untilLive(next, timeoutMs, signal).then(
      () => true,
      () => false,
    )
    if (this.#closed) return false
    this.#old.delete(next)
    if (!isLive) {
      next.transport.close()
      return false
    }
    const previous = this.#line
    this.#line = next
    this.#old.add(previous)
    void drained().then(() => {
      this.#old.delete(previous)
      previous.transport.close()
    })
    return true
  }

  /** Why each relay that does not listen for us does not. */
  failures(): Record<string, string> {
    const { transport, live, refusals } = this.#line
    return Object.fromEntries(
      transport.relays.flatMap((relay) => {
        const reason = refusals.get(relay) ?? transport.failure(relay) ?? (live.has(relay) ? undefined : "no answer")
        return reason === undefined ? [] : [[relay, reason]]
      }),
    )
  }

  checkNow(): void {
    this.#line.transport.checkNow()
  }

  close(): void {
    this.#closed = true
    for (const { transport, setReady } of [this.#line, ...this.#old]) {
      setReady()
      transport.close()
    }
    this.#old.clear()
    this.#peer?.conversationKey.fill(0)
    this.#peer = undefined
  }

  #open(relays: readonly string[]): Line {
    const { openTransport, now } = this.#options
    const transport = openTransport(relays, {
      authenticate: async (challenge, relay) => {
        const tags = [
          ["relay", relay],
          ["challenge", challenge],
        ]
        return this.#sign({ kind: CLIENT_AUTHENTICATION_KIND, content: "", tags })
      },
    })
    const since = Math.floor(now() / 1000) - OVERLAP
    const live = new Set<string>()
    const refusals = new Map<string, string>()
    let setReady = (): void => undefined
    const ready = new Promise<void>((resolve) => {
      setReady = resolve
    })
    transport.subscribe([{ kinds: [NOSTR_CONNECT_KIND], "#p": [this.clientPubkey], since }], {
      onEvent: (event) => this.#received(event),
      onLive: (relay, requestedAt = Number.NEGATIVE_INFINITY) => {
        const isBack = live.has(relay)
        live.add(relay)
        setReady()
        refusals.delete(relay)
        if (isBack) this.onRenewed()
        else this.onLive(relay, requestedAt)
      },
      onRefused: (relay, message) => void refusals.set(relay, message),
    })
    return { transport, live, ready, setReady, refusals }
  }

  /** An event of this moment. */
  #sign(template: Omit<EventTemplate, "created_at">): NostrEvent {
    const { crypto, clientKeypair, now } = this.#options
    return crypto.signEvent({ ...template, created_at: Math.floor(now() / 1000) }, clientKeypair)
  }

  #received(event: NostrEvent): void {
    const { crypto } = this.#options
    if (this.#closed || event.kind !== NOSTR_CONNECT_KIND) return
    if (this.#peer !== undefined && event.pubkey !== this.#peer.pubkey) return
    if (!event.tags.some(([name, value]) => name === "p" && value === this.clientPubkey)) return
    const id = crypto.eventId(event)
    if (id !== event.id || this.#seen.get(id) === true || !crypto.verifyEventSignature(event, id)) return
    // Only now: a forged twin must not shut out the genuine event.
    this.#seen.set(id, true)
    const plaintext = this.#decrypt(event)
    if (plaintext !== undefined) {
      this.onMessage({ author: event.pubkey, plaintext, createdAt: event.created_at })
    }
  }

  #decrypt({ pubkey, content }: NostrEvent): string | undefined {
    const { crypto, clientKeypair } = this.#options
    if (content.length > MAX_EVENT_BYTES) return undefined
    // Anyone may send us what does not open; it concerns no request.
    return attempt(() => {
      if (this.#peer !== undefined) return crypto.nip44Decrypt(content, this.#peer.conversationKey)
      const once = crypto.conversationKey(clientKeypair, pubkey)
      try {
        return crypto.nip44Decrypt(content, once)
      } finally {
        once.fill(0)
      }
    })
  }
}

function untilLive({ ready }: Line, timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
  return bounded(() => ready, { signal, timeoutMs, what: "the wait for a relay" })
}
