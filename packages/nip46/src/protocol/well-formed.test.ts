import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { isWellFormed } from "./well-formed.js"

describe("well-formed text", () => {
  it.each([
    ["alone", "\ud800"],
    ["low first", "\udc00\ud800"],
    ["high at the end", "text\udbff"],
    ["low at the start", "\udfff text"],
    ["high before a pair", "\ud83d😀"],
  ])("has no lone surrogate: %s", (_, text) => {
    expect(isWellFormed(text)).toBe(false)
  })

  it("has pairs and everything else", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(isWellFormed(text)).toBe(true)
      }),
    )
  })
})
