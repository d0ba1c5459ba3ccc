import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { equalBytes } from "./constant-time.js"

describe("equalBytes", () => {
  it("is true for equal bytes in different memory", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(equalBytes(bytes, Uint8Array.from(bytes))).toBe(true)
      }),
    )
  })

  it("is false for every single flipped bit of a MAC", () => {
    const mac = Uint8Array.from({ length: 32 }, (_, i) => i * 7)
    for (let bit = 0; bit < 256; bit++) {
      const other = Uint8Array.from(mac)
      other[bit >> 3]! ^= 1 << (bit & 7)
      expect(equalBytes(mac, other)).toBe(false)
    }
  })

  it("is false for a prefix, and true for nothing against nothing", () => {
    expect(equalBytes(Uint8Array.of(1, 2, 3), Uint8Array.of(1, 2))).toBe(false)
    expect(equalBytes(Uint8Array.of(), Uint8Array.of(0))).toBe(false)
    expect(equalBytes(Uint8Array.of(), Uint8Array.of())).toBe(true)
  })
})
