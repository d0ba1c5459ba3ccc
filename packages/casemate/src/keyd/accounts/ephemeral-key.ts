import { createHmac } from "node:crypto"

/**
 * A key that is made when keyd starts and forgotten when it ends. What is derived from it needs no memory of its own,
 * so that nobody can fill that, or push what is another's out of it.
 */
export class EphemeralKey {
  readonly #bytes: Uint8Array

  constructor(randomBytes: (length: number) => Uint8Array) {
    this.#bytes = randomBytes(32)
  }

  /** 32 bytes that nobody can tell from random ones, always the same for the same parts. */
  derive(label: string, ...parts: readonly string[]): Uint8Array {
    return new Uint8Array(
      createHmac("sha256", this.#bytes)
        .update(JSON.stringify([label, ...parts]))
        .digest(),
    )
  }
}
