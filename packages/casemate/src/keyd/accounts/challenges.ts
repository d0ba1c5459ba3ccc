import { timingSafeEqual } from "node:crypto"
import { canonicalJson } from "./canonical-json.js"
import type { EphemeralKey } from "./ephemeral-key.js"
import type { OurPage } from "./pages.js"

/** What a passkey signs a challenge for. One that was made for something else is none. */
export type Purpose =
  | { readonly kind: "sign-in" }
  /** `invitation`: its hash. */
  | { readonly kind: "join"; readonly invitation: string; readonly name: string }
  /** `session` here and below: its hash. */
  | { readonly kind: "add-passkey"; readonly session: string }
  /** `args` as they were parsed. */
  | { readonly kind: "proof"; readonly session: string; readonly call: string; readonly args: unknown }

const NONCE_BYTES = 16
const END_BYTES = 6
const MAC_BYTES = 32
/** Seconds. Passkeys on a phone take their time. */
const TTL = 300
const PROOF_TTL = 120
/** A passkey must have signed each: no stranger comes near it. */
const MAX_USED = 10_000

export interface ChallengesOptions {
  readonly key: EphemeralKey
  readonly randomBytes: (length: number) => Uint8Array
  /** Unix seconds. */
  readonly now: () => number
}

/**
 * Challenges for passkeys, as a nonce, an end and a MAC of these with what the challenge is for. So keyd knows its own
 * without a list of those it gave out: ten thousand that a stranger asks for leave no trace. Only those are remembered
 * that were used, until they are over.
 */
export class Challenges {
  readonly #options: ChallengesOptions
  /** When they are over, by challenge. */
  readonly #used = new Map<string, number>()

  constructor(options: ChallengesOptions) {
    this.#options = options
  }

  issue(purpose: Purpose, page: OurPage): Uint8Array<ArrayBuffer> {
    const { randomBytes, now } = this.#options
    const head = Buffer.alloc(NONCE_BYTES + END_BYTES)
    head.set(randomBytes(NONCE_BYTES))
    head.writeUIntBE(now() + (purpose.kind === "proof" ? PROOF_TTL : TTL), NONCE_BYTES, END_BYTES)
    return Uint8Array.from([...head, ...this.#mac(head, purpose, page)])
  }

  /** Whether it was made here for this, and can still be used. @param challenge base64url */
  isFor(challenge: string, purpose: Purpose, page: OurPage): boolean {
    const bytes = Buffer.from(challenge, "base64url")
    if (bytes.length !== NONCE_BYTES + END_BYTES + MAC_BYTES || bytes.toString("base64url") !== challenge) return false
    const head = bytes.subarray(0, NONCE_BYTES + END_BYTES)
    if (!timingSafeEqual(bytes.subarray(head.length), this.#mac(head, purpose, page))) return false
    return endOf(bytes) > this.#options.now() && !this.#used.has(challenge)
  }

  /** Uses one up that is for something and was signed. False: somebody did in the meantime. */
  use(challenge: string): boolean {
    const now = this.#options.now()
    for (const [used, end] of this.#used) if (end <= now) this.#used.delete(used)
    const end = endOf(Buffer.from(challenge, "base64url"))
    if (this.#used.has(challenge) || end <= now || this.#used.size >= MAX_USED) return false
    this.#used.set(challenge, end)
    return true
  }

  #mac(head: Uint8Array, purpose: Purpose, { origin }: OurPage): Uint8Array {
    return this.#options.key.derive("challenge", Buffer.from(head).toString("hex"), origin, canonicalJson(purpose))
  }
}

function endOf(challenge: Buffer): number {
  return challenge.readUIntBE(NONCE_BYTES, END_BYTES)
}
