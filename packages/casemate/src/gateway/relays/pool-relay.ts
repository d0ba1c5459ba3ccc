import type { NostrEvent } from "@casemate/nip46/protocol"
import type { PublishResult } from "@casemate/nip46/transport"
import { RelayLine, type RelayLineOptions } from "./relay-line.js"

/**
 * Sockets to a relay that knows only one pubkey a socket. Each costs both sides a connection, and relays cap
 * those of one address: beyond it connections are served on their other relays alone.
 */
const MAX_LINES = 50
const PUBLISH_TIMEOUT_MS = 30_000
const SHARED = "shared"

export type PoolRelayOptions = Omit<RelayLineOptions, "onOneAtATime">

/**
 * One outside relay, for all connections that are served there: over one socket, until it shows that it forgets
 * a pubkey once another has proven itself (NIP-42). From then on every pubkey has a socket of its own.
 */
export class PoolRelay {
  readonly #options: PoolRelayOptions
  readonly #pubkeys = new Set<string>()
  /** By pubkey, or the one that is shared. */
  readonly #lines = new Map<string, RelayLine>()
  #isSplit = false
  #isFull = false
  #publishing = 0

  constructor(options: PoolRelayOptions) {
    this.#options = options
  }

  watch(pubkey: string): void {
    this.#pubkeys.add(pubkey)
    this.#lineOf(pubkey)?.add(pubkey)
  }

  unwatch(pubkey: string): void {
    if (this.#pubkeys.delete(pubkey)) this.#lines.get(this.#isSplit ? pubkey : SHARED)?.remove(pubkey)
  }

  /** Over the socket of its author. */
  async publish(event: NostrEvent): Promise<PublishResult> {
    const startedAt = performance.now()
    this.#publishing += 1
    try {
      const wasShared = !this.#isSplit
      const result = await this.#publishOnce(event, PUBLISH_TIMEOUT_MS)
      // It was on the shared socket when that turned out to be no good.
      if (result.kind === "accepted" || !(wasShared && this.#isSplit)) return result
      return await this.#publishOnce(event, Math.max(0, PUBLISH_TIMEOUT_MS - (performance.now() - startedAt)))
    } finally {
      this.#publishing -= 1
      this.#checkIdle()
    }
  }

  /** Resolves once the relay is sure to have a REQ for it. Rejects with the reason why it has not. */
  async listening(pubkey: string): Promise<void> {
    const wasShared = !this.#isSplit
    try {
      await this.#listenOnce(pubkey)
    } catch (error) {
      // It was on the shared socket when that turned out to be no good.
      if (!(wasShared && this.#isSplit)) throw error
      await this.#listenOnce(pubkey)
    }
  }

  close(): void {
    for (const line of this.#lines.values()) line.close()
    this.#lines.clear()
  }

  async #publishOnce(event: NostrEvent, timeoutMs: number): Promise<PublishResult> {
    const line = this.#lineOf(event.pubkey)
    return line === undefined ? { kind: "failed", reason: "not connected" } : line.publish(event, timeoutMs)
  }

  async #listenOnce(pubkey: string): Promise<void> {
    const line = this.#lineOf(pubkey)
    if (line === undefined) throw new Error("the relay knows one pubkey a socket and has all the sockets it gets")
    await line.listening(pubkey)
  }

  /** Undefined when the relay has all the sockets it gets. */
  #lineOf(pubkey: string): RelayLine | undefined {
    const name = this.#isSplit ? pubkey : SHARED
    const known = this.#lines.get(name)
    if (known !== undefined) return known
    if (this.#lines.size >= MAX_LINES) {
      this.#tellFull()
      return undefined
    }
    const line: RelayLine = new RelayLine({
      ...this.#options,
      onOneAtATime: () => this.#split(line),
      onIdle: () => this.#drop(name, line),
    })
    this.#lines.set(name, line)
    return line
  }

  #split(shared: RelayLine): void {
    if (this.#lines.get(SHARED) !== shared) return
    const { url, log } = this.#options
    log.info({ relay: url, connections: this.#pubkeys.size }, "a relay knows one pubkey a socket; each gets its own")
    this.#isSplit = true
    this.#lines.delete(SHARED)
    for (const pubkey of this.#pubkeys) this.#lineOf(pubkey)?.add(pubkey)
    shared.close()
  }

  #drop(name: string, line: RelayLine): void {
    if (this.#lines.get(name) !== line) return
    line.close()
    this.#lines.delete(name)
    this.#serveNext()
    this.#checkIdle()
  }

  /** A socket is free for the one that waits for it longest. */
  #serveNext(): void {
    if (!this.#isFull) return
    this.#isFull = false
    for (const pubkey of this.#pubkeys) {
      if (this.#lines.has(pubkey)) continue
      if (this.#lines.size >= MAX_LINES) {
        this.#isFull = true
        return
      }
      this.#lineOf(pubkey)?.add(pubkey)
    }
  }

  #tellFull(): void {
    if (this.#isFull) return
    this.#isFull = true
    const { url, log } = this.#options
    log.warn(
      { relay: url, served: MAX_LINES, connections: this.#pubkeys.size },
      "a relay that knows one pubkey a socket cannot serve more connections; pair further apps over another relay",
    )
  }

  #checkIdle(): void {
    if (this.#lines.size === 0 && this.#pubkeys.size === 0 && this.#publishing === 0) this.#options.onIdle()
  }
}
