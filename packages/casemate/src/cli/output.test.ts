import { afterEach, describe, expect, it, test, vi } from "vitest"
import { hideSecrets, printJson, printTable, quoted, safe, shellWord, when, wrapped } from "./output.js"

afterEach(() => vi.restoreAllMocks())

test.each([
  ["plain", "Nötes 筆記 \u{1f511}", "Nötes 筆記 \u{1f511}"],
  ["ANSI colours", "\u001b[31mred", "\\u{1b}[31mred"],
  ["the one-byte CSI", "\u009b2J", "\\u{9b}2J"],
  ["a window title", "\u001b]0;pwned\u0007", "\\u{1b}]0;pwned\\u{7}"],
  ["line breaks and tabs", "a\r\nb\tc\u2028d\u2029", "a\\u{d}\\u{a}b\\u{9}c\\u{2028}d\\u{2029}"],
  ["turned text", "evil\u202etxt.exe\u2066", "evil\\u{202e}txt.exe\\u{2066}"],
  ["letters without width", "pay\u200bpal\ufeff\u00ad", "pay\\u{200b}pal\\u{feff}\\u{ad}"],
  ["letters without ink", "\u3164\u2800\u115f", "\\u{3164}\\u{2800}\\u{115f}"],
  ["tags that nobody sees", "a\u{e0041}\ufe0f\u034f", "a\\u{e0041}\\u{fe0f}\\u{34f}"],
  ["half a character", "a\ud800b", "a\\u{d800}b"],
])("safe: %s", (_, text, shown) => {
  expect(safe(text)).toBe(shown)
})

test.each([
  ["what fits", "abcd", 4, ["abcd"]],
  ["what does not", "abcdefghi", 4, ["abcd", "efgh", "i"]],
  ["wide letters", "a筆記b", 4, ["a筆", "記b"]],
  ["pictures, whole", "ab\u{1f511}", 3, ["ab", "\u{1f511}"]],
  ["nothing", "", 4, [""]],
  ["without an edge", "a".repeat(500), Number.POSITIVE_INFINITY, ["a".repeat(500)]],
])("wrapped: %s", (_, text, columns, pieces) => {
  expect(wrapped(text, columns)).toEqual(pieces)
})

test("quotes cannot be closed from within", () => {
  expect(quoted('x" (revoked)\\')).toBe('"x\\" (revoked)\\\\"')
  expect(quoted("a\u0007")).toBe('"a\\u{7}"')
})

test.each([
  [`not "nsec1vl029mgpspedva04g90vltkh6fvh24"`, `not "nsec1…"`],
  [`NSEC1VL029MGP`, `NSEC1…`],
  [`bunker://x?relay=y&secret=0123abcd&z`, `bunker://x?relay=y&secret=…&z`],
  [`wss://me:password@relay.example/x`, `wss://…@relay.example/x`],
  [`key ${"aB".repeat(32)}.`, "key [64 hex digits]."],
  [`/srv/${"ab".repeat(32)}/data`, `/srv/${"ab".repeat(32)}/data`],
  ["app 0123456789abcdef", "app 0123456789abcdef"],
])("hideSecrets(%j)", (text, shown) => {
  expect(hideSecrets(text)).toBe(shown)
})

test("JSON says the same, and nothing that a terminal acts on", () => {
  const value = { name: "a\u009b2J\u202eb\u{e0041}\u0007", half: "\ud800", ["k\u200b"]: "筆記 \u{1f511}" }
  const written: string[] = []
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    written.push(String(text))
    return true
  })
  printJson(value)
  vi.restoreAllMocks()
  const line = written.join("")
  expect(JSON.parse(line)).toEqual(value)
  expect(safe(line)).toBe(line.replace("\n", "\\u{a}"))
  expect(line).toContain("筆記 \u{1f511}")
})

test("a folder is one word of a shell", () => {
  expect(shellWord("/srv/bunker-1")).toBe("/srv/bunker-1")
  expect(shellWord("/my bunker/it's; rm $HOME")).toBe("'/my bunker/it'\\''s; rm $HOME'")
  expect(shellWord("")).toBe("''")
})

test("a table's columns line up, with nothing after the last", () => {
  const written: string[] = []
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    written.push(String(text))
    return true
  })
  printTable(
    ["A", "LONGER"],
    [
      ["aaaa", "b"],
      ["", "c"],
    ],
  )
  vi.restoreAllMocks()
  expect(written.join("")).toBe("A     LONGER\naaaa  b\n      c\n")
})

describe("when", () => {
  it("is this machine's clock", () => {
    const noon = new Date(2026, 0, 2, 12, 34)
    expect(when(noon.getTime() / 1000)).toBe("2026-01-02 12:34")
  })
  it("is never for what has not been", () => {
    expect(when(undefined)).toBe("never")
  })
})
