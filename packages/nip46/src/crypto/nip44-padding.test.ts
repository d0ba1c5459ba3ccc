import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Nip46Error } from "../protocol/errors.js"
import { calcPaddedLen, pad, paddedLenWithPrefix, unpad } from "./nip44-padding.js"

const MAX = 4_294_967_295

/** NIP-44's pseudocode, in integers without a limit. */
function specPaddedLen(unpaddedLen: number): number {
  const bits = BigInt(unpaddedLen - 1).toString(2).length
  const nextPower = 1n << BigInt(bits)
  const chunk = nextPower <= 256n ? 32n : nextPower / 8n
  return unpaddedLen <= 32 ? 32 : Number(chunk * (BigInt(unpaddedLen - 1) / chunk + 1n))
}

describe("NIP-44 padding", () => {
  it("agrees with the pseudocode up to 2^32 - 1", () => {
    const around = Array.from({ length: 32 }, (_, i) => 2 ** (i + 1)).flatMap((p) => [p - 1, p, p + 1])
    for (const length of around.filter((l) => l <= MAX)) expect(calcPaddedLen(length)).toBe(specPaddedLen(length))
    fc.assert(
      fc.property(fc.integer({ min: 1, max: MAX }), (length) => {
        expect(calcPaddedLen(length)).toBe(specPaddedLen(length))
      }),
    )
  })

  it("does not overflow: the largest plaintext is padded to 2^32", () => {
    expect(calcPaddedLen(MAX)).toBe(2 ** 32)
    expect(calcPaddedLen(2 ** 31 + 1)).toBe(2 ** 31 + 2 ** 29)
    expect(paddedLenWithPrefix(MAX)).toBe(2 ** 32 + 6)
  })

  it.each([0, -1, 1.5, Number.NaN, MAX + 1])("refuses a length of %d", (length) => {
    expect(() => calcPaddedLen(length)).toThrow(
      expect.objectContaining({ name: "Nip46Error", code: "ENCRYPTION_FAILED" }),
    )
    expect(() => calcPaddedLen(length)).toThrow(Nip46Error)
  })

  it.each([1, 31, 32, 33, 255, 256, 257, 65_535, 65_536, 65_537, 100_000])("unpads what it padded: %d bytes", (n) => {
    const plaintext = new Uint8Array(n).fill(0x61)
    const padded = pad(plaintext)
    expect(padded).toHaveLength((n < 65_536 ? 2 : 6) + calcPaddedLen(n))
    expect(unpad(padded)).toEqual(plaintext)
  })

  it("refuses lengths that do not agree with the padding", () => {
    const padded = pad(new Uint8Array(40).fill(1))
    const claiming = (length: number) => {
      const copy = Uint8Array.from(padded)
      new DataView(copy.buffer).setUint16(0, length)
      return copy
    }
    expect(unpad(claiming(64))).toHaveLength(64)
    for (const length of [1, 32, 65, 1_000, 65_535]) expect(unpad(claiming(length))).toBeUndefined()
    expect(unpad(padded.subarray(0, -1))).toBeUndefined()
    expect(unpad(padded.subarray(0, 33))).toBeUndefined()
    expect(unpad(new Uint8Array(0))).toBeUndefined()
  })

  it("refuses the extended prefix for a length that needs none, zero included", () => {
    for (const length of [0, 1, 32, 65_535]) {
      const padded = new Uint8Array(6 + calcPaddedLen(Math.max(length, 1)))
      new DataView(padded.buffer).setUint32(2, length)
      expect(unpad(padded)).toBeUndefined()
    }
    const allowed = new Uint8Array(6 + 65_536)
    new DataView(allowed.buffer).setUint32(2, 65_536)
    expect(unpad(allowed)).toHaveLength(65_536)
  })

  it("refuses a huge claim without allocating for it", () => {
    const padded = new Uint8Array(6 + 65_536)
    new DataView(padded.buffer).setUint32(2, MAX)
    expect(unpad(padded)).toBeUndefined()
  })
})
