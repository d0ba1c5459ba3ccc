import { describe, expect, it } from "vitest"
import { isEventShape, isKind, isTags, isTimestamp, serializeEvent } from "./event.js"
import { isHex32, isHex64 } from "./hex.js"

const EVENT = {
  id: "ab".repeat(32),
  pubkey: "cd".repeat(32),
  sig: "ef".repeat(64),
  kind: 1,
  created_at: 1_700_000_000,
  content: "",
  tags: [["p", "x"], []],
}

describe("isEventShape", () => {
  it("takes an event", () => {
    expect(isEventShape(EVENT)).toBe(true)
    expect(isEventShape({ ...EVENT, extra: 1 })).toBe(true)
  })

  it.each<[keyof typeof EVENT, unknown[]]>([
    ["id", ["", "AB".repeat(32), "ab".repeat(31), "zz".repeat(32), `${"ab".repeat(32)}\n`, 7, null, ["ab".repeat(32)]]],
    ["pubkey", ["CD".repeat(32), "cd".repeat(33), `${"cd".repeat(31)}\u0660\u0661`, undefined]],
    ["sig", ["ef".repeat(32), "EF".repeat(64), `${"ef".repeat(64)}\n`, 0]],
    ["kind", [-1, 65_536, 1.5, "1", null, Number.NaN, 1n]],
    ["created_at", [-1, 1.5, "1700000000", 2 ** 53, Number.POSITIVE_INFINITY, undefined]],
    ["content", [undefined, null, 1, {}, ["text"]]],
    ["tags", [undefined, null, {}, "p", ["p"], [["p", 1]], [[["p"]]], [{ 0: "p" }]]],
  ])("refuses every other %s, and none at all", (field, values) => {
    for (const value of values) expect(isEventShape({ ...EVENT, [field]: value })).toBe(false)
    const { [field]: _, ...rest } = EVENT
    expect(isEventShape(rest)).toBe(false)
  })

  it.each([undefined, null, 1, "event", [], [EVENT]])("refuses %j", (value) => {
    expect(isEventShape(value)).toBe(false)
  })
})

it("kinds, times, tags and hex at their borders", () => {
  expect([0, 65_535].every(isKind)).toBe(true)
  expect([0, Number.MAX_SAFE_INTEGER].every(isTimestamp)).toBe(true)
  expect(isTags([])).toBe(true)
  expect(isHex32("0".repeat(64))).toBe(true)
  expect(isHex32(new String("0".repeat(64)))).toBe(false)
  expect(isHex64("0".repeat(128))).toBe(true)
  expect(isHex64("0".repeat(64))).toBe(false)
})

it("serializeEvent is NIP-01's array, without spaces", () => {
  const event = { ...EVENT, content: 'a"\\\n\r\t\b\f é', tags: [["t", "x"]] }
  expect(serializeEvent(event)).toBe(`[0,"${EVENT.pubkey}",1700000000,1,[["t","x"]],"a\\"\\\\\\n\\r\\t\\b\\f é"]`)
})
