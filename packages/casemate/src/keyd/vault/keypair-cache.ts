import type { Keypair } from "@casemate/nip46/crypto"

/**
 * Key handles that were used last. One that leaves is wiped, so the limit must lie well above the number
 * of requests in flight: a handle is used in the turn after it was asked for, and not kept.
 */
export class KeypairCache {
  readonly #limit: number
  readonly #handles = new Map<string, Keypair>()

  constructor(limit: number) {
    this.#limit = limit
  }

  get size(): number {
    return this.#handles.size
  }

  get(pubkey: string): Keypair | undefined {
    const handle = this.#handles.get(pubkey)
    if (handle === undefined) return undefined
    this.#handles.delete(pubkey)
    this.#handles.set(pubkey, handle)
    return handle
  }

  /** Keeps the handle, or the one that is here already: somebody may be using that. */
  add(handle: Keypair): Keypair {
    const present = this.get(handle.pubkey)
    if (present !== undefined) {
      handle.wipe()
      return present
    }
    this.#handles.set(handle.pubkey, handle)
    const oldest = this.#handles.keys().next().value
    if (this.#handles.size > this.#limit && oldest !== undefined) this.forget(oldest)
    return handle
  }

  forget(pubkey: string): void {
    this.#handles.get(pubkey)?.wipe()
    this.#handles.delete(pubkey)
  }

  clear(): void {
    for (const handle of this.#handles.values()) handle.wipe()
    this.#handles.clear()
  }
}
