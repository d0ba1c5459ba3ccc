import { expect, it } from "vitest"
import { sizeOf, sizeWords } from "./sizes.js"

it("counts characters as people see them, and lines", () => {
  expect(sizeWords(sizeOf("😀"))).toBe("1 character")
  expect(sizeWords(sizeOf(`${"a".repeat(1_200)}\n`))).toBe("1,201 characters on 2 lines")
})

it("frames a text that is long either way", () => {
  expect(sizeOf("a".repeat(3_000)).isTall).toBe(false)
  expect(sizeOf("a".repeat(3_001)).isTall).toBe(true)
  expect(sizeOf("\n".repeat(40)).isTall).toBe(true)
})
