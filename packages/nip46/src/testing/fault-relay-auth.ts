import type { NostrEvent } from "../protocol/event.js"
import { normalizeRelayUrls, sameRelays } from "../protocol/relay-url.js"
import type { RelayFilter } from "../transport/relay-message.js"
import type { RelayFaults } from "./relay-faults.js"

export interface FaultRelayAuthOptions {
  faults: RelayFaults
  /** The address by which the relay was dialled, which a proof has to name. */
  url: string
  challenge: string
  /** Unix milliseconds. */
  now: () => number
  verifyEvent: ((event: NostrEvent) => boolean) | undefined
}

/** NIP-42: the kind of a proof, and how far off its `created_at` may be. */
const PROOF_KIND = 22242
const PROOF_TOLERANCE_SECONDS = 600

/** NIP-42 on one socket, from the relay's side. */
export class FaultRelayAuth {
  readonly pubkeys = new Set<string>()
  readonly #options: FaultRelayAuthOptions

  constructor(options: FaultRelayAuthOptions) {
    this.#options = options
  }

  get challenge(): string {
    return this.#options.challenge
  }

  /** Why this proof is not accepted, or `undefined` when its author is authenticated now. */
  receive(proof: NostrEvent): string | undefined {
    const { faults } = this.#options
    const refusal = faults.refuseAuth ?? this.#flawOf(proof)
    if (refusal !== undefined) return refusal
    if (faults.authPubkeys === "one") this.pubkeys.clear()
    this.pubkeys.add(proof.pubkey)
    return undefined
  }

  admitsEvent(event: NostrEvent): boolean {
    return this.#options.faults.authRequired === undefined || this.pubkeys.has(event.pubkey)
  }

  admitsFilters(filters: readonly RelayFilter[]): boolean {
    if (this.#options.faults.authRequired === undefined) return true
    return filters.every((filter) => {
      const wanted = filter["#p"] ?? []
      return wanted.length === 0 ? this.pubkeys.size > 0 : wanted.every((pubkey) => this.pubkeys.has(pubkey))
    })
  }

  /** The words of a refusal for want of a proof. */
  refusal(): string {
    const message = "auth-required: prove that you are who this concerns"
    return this.#options.faults.authRequired === "prefixed" ? `error: ${message}` : message
  }

  #flawOf(proof: NostrEvent): string | undefined {
    const { url, challenge, now, verifyEvent } = this.#options
    const named = (name: string) => proof.tags.find((tag) => tag[0] === name)?.[1]
    if (proof.kind !== PROOF_KIND) return `invalid: a proof has kind ${PROOF_KIND}`
    if (named("challenge") !== challenge) return "invalid: not the challenge of this connection"
    if (!isSameRelay(named("relay"), url)) return "invalid: a proof for another relay"
    if (Math.abs(proof.created_at - now() / 1000) > PROOF_TOLERANCE_SECONDS) return "invalid: created_at is too far off"
    if (verifyEvent === undefined) return "error: this relay was given no verifyEvent and cannot check a proof"
    return verifyEvent(proof) ? undefined : "invalid: the signature does not hold"
  }
}

function isSameRelay(named: string | undefined, url: string): boolean {
  const normalized = normalizeRelayUrls(named === undefined ? [] : [named])
  return normalized.length === 1 && sameRelays(normalized, normalizeRelayUrls([url]))
}
