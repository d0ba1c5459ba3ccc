import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { decodeUtf8, encodeUtf8 } from "./utf8.js"

describe("UTF-8", () => {
  it("takes every well-formed text there and back", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(decodeUtf8(encodeUtf8(text))).toBe(text)
      }),
    )
  })

  it("keeps a leading BOM, and each of two", () => {
    expect(decodeUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))).toBe("\ufeffa")
    expect(decodeUtf8(encodeUtf8("\ufeff\ufeff"))).toBe("\ufeff\ufeff")
  })

  it.each([
    ["cut short", [0xe2, 0x82]],
    ["overlong", [0xc0, 0x80]],
    ["a surrogate", [0xed, 0xa0, 0x80]],
    ["above U+10FFFF", [0xf4, 0x90, 0x80, 0x80]],
  ])("refuses bytes that are not UTF-8: %s", (_, bytes) => {
    expect(() => decodeUtf8(Uint8Array.from(bytes))).toThrow(TypeError)
  })
})
