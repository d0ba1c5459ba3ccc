import * as theirs from "@noble/hashes/utils.js"
import fc from "fast-check"
import { expect, it } from "vitest"
import { bytesToHex, hexToBytes, isHex32, isHex64 } from "./hex.js"

it("writes every byte as two lower-case digits, and reads them back", () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte)
  expect(bytesToHex(bytes)).toBe(theirs.bytesToHex(bytes))
  expect(hexToBytes(bytesToHex(bytes))).toEqual(bytes)
  expect(hexToBytes("")).toEqual(new Uint8Array())
})

it("reads what isHex32 and isHex64 let through as another implementation does", () => {
  fc.assert(
    fc.property(fc.constantFrom(32, 64), fc.infiniteStream(fc.nat(255)), (length, stream) => {
      const hex = theirs.bytesToHex(Uint8Array.from({ length }, () => stream.next().value as number))
      expect(length === 32 ? isHex32(hex) : isHex64(hex)).toBe(true)
      expect(hexToBytes(hex)).toEqual(theirs.hexToBytes(hex))
    }),
  )
})

it.each([
  ["upper case", "A".repeat(64)],
  ["one digit short", "a".repeat(63)],
  ["another letter", `${"a".repeat(63)}g`],
  ["a newline after it", `${"a".repeat(64)}\n`],
  ["a number", 1],
])("isHex32 refuses %s", (_, value) => {
  expect(isHex32(value)).toBe(false)
})
