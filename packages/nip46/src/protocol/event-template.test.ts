import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { parseEventTemplate } from "./event-template.js"

const USER = "ab".repeat(32)
const NOW = 1_700_000_000
const parse = (event: unknown) => parseEventTemplate(JSON.stringify(event), USER, NOW)
const full = { kind: 1, content: "hi", tags: [["t", "x", ""]], created_at: 1_600_000_000 }

describe("parseEventTemplate (QUIRKS signer 5, QUIRKS signer 6)", () => {
  it("a whole template is taken as it is", () => {
    expect(parse(full)).toEqual({ kind: "template", template: full })
  })

  it("a missing created_at is now, missing tags are none; so are null ones", () => {
    const template = { kind: 1, content: "", tags: [], created_at: NOW }
    expect(parse({ kind: 1, content: "" })).toEqual({ kind: "template", template })
    expect(parse({ kind: 1, content: "", tags: null, created_at: null })).toEqual({ kind: "template", template })
  })

  it("a created_at of 0 is one", () => {
    expect(parse({ ...full, created_at: 0 })).toEqual({ kind: "template", template: { ...full, created_at: 0 } })
  })

  it("id, sig, the user's own pubkey (in capitals too: QUIRKS signer 11) and unknown fields are dropped", () => {
    for (const pubkey of [USER, USER.toUpperCase(), "", null]) {
      expect(parse({ ...full, id: "x", sig: 1, pubkey, extra: {} })).toEqual({ kind: "template", template: full })
    }
  })

  it("nothing else is altered: not a byte of the content, not an empty tag (N46-SIGN-4)", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary" }),
        fc.array(fc.array(fc.string({ unit: "binary" }), { maxLength: 3 }), { maxLength: 3 }),
        fc.nat(65_535),
        fc.nat(),
        (content, tags, kind, created_at) => {
          const template = { kind, content, tags, created_at }
          expect(parse(template)).toEqual({ kind: "template", template })
        },
      ),
    )
    const odd = { ...full, content: "\ufeff\u0000\u202e\r\n ", tags: [[]] }
    expect(parse(odd)).toEqual({ kind: "template", template: odd })
  })

  it.each<[string, unknown, RegExp]>([
    ["a foreign pubkey", { ...full, pubkey: "cd".repeat(32) }, /pubkey is not the user's/],
    ["a pubkey that is a number", { ...full, pubkey: 7 }, /pubkey is not the user's/],
    ["no kind", { content: "" }, /kind must be a number from 0 to 65535/],
    ["a kind in quotes", { ...full, kind: "1" }, /kind must be/],
    ["a negative kind", { ...full, kind: -1 }, /kind must be/],
    ["a kind too large", { ...full, kind: 65_536 }, /kind must be/],
    ["half a kind", { ...full, kind: 1.5 }, /kind must be/],
    ["no content", { kind: 1 }, /content must be a string/],
    ["content that is an object", { ...full, content: {} }, /content must be a string/],
    ["tags that are no arrays", { ...full, tags: ["t"] }, /tags must be arrays of strings/],
    ["tags that are an object", { ...full, tags: {} }, /tags must be/],
    ["tags that hold numbers", { ...full, tags: [["t", 1]] }, /tags must be/],
    ["half a second", { ...full, created_at: 1.5 }, /created_at must be whole unix seconds/],
    ["a date in words", { ...full, created_at: "2024-01-01" }, /created_at must be/],
    ["a time before 1970", { ...full, created_at: -1 }, /created_at must be/],
    ["a time beyond all numbers", { ...full, created_at: 2 ** 53 }, /created_at must be/],
    ["an array", [full], /needs an event as its first param/],
    ["null", null, /needs an event/],
  ])("%s is refused with the reason", (_, event, reason) => {
    expect(parse(event)).toEqual({ kind: "refused", reason: expect.stringMatching(reason) })
  })

  it.each([undefined, "", "{", "event", `${"[".repeat(100_000)}`, `{"kind":1,"content":"","tags":${"[".repeat(50)}`])(
    "%.20s is refused, and nothing throws",
    (json) => {
      expect(parseEventTemplate(json, USER, NOW).kind).toBe("refused")
    },
  )

  it("nothing is inherited from a __proto__", () => {
    const json = '{"__proto__":{"kind":1,"content":"evil"},"tags":[]}'
    expect(parseEventTemplate(json, USER, NOW).kind).toBe("refused")
  })
})
