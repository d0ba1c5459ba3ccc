import { Nip46Error } from "@casemate/nip46/protocol"

const SHOWN = "[secret]"

/**
 * Bytes that nobody prints by accident: every way in which JavaScript shows a value shows `[secret]`.
 * Owns the bytes it is given, and zeroes them on `wipe`.
 */
export class Secret {
  readonly #bytes: Uint8Array
  #wiped = false

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** Lends the bytes for the length of a call; the borrower keeps no reference. @throws `INVALID_KEY` once wiped */
  use<T>(borrow: (bytes: Uint8Array) => T): T {
    if (this.#wiped) throw new Nip46Error("INVALID_KEY", "this secret was wiped from memory")
    return borrow(this.#bytes)
  }

  wipe(): void {
    this.#bytes.fill(0)
    this.#wiped = true
  }

  toString(): string {
    return SHOWN
  }

  toJSON(): string {
    return SHOWN
  }

  [Symbol.toPrimitive](): string {
    return SHOWN
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return SHOWN
  }
}
