import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { parseClientMetadata, readClientMetadata } from "./client-metadata.js"

describe("readClientMetadata", () => {
  it("the example in the docs", () => {
    expect(readClientMetadata({ name: "Notes", icon: "https://notes.example/i.png" })).toEqual({
      name: "Notes",
      image: "https://notes.example/i.png",
    })
  })

  it("keeps the three known fields, trimmed", () => {
    const raw = { name: " Notes ", url: "https://n.example", image: "https://i", description: "long", perms: "all" }
    expect(readClientMetadata(raw)).toEqual({ name: "Notes", url: "https://n.example", image: "https://i" })
  })

  it("QUIRKS signer 6: an image goes before an icon; an empty image does not", () => {
    expect(readClientMetadata({ image: "a", icon: "b" })).toEqual({ image: "a" })
    expect(readClientMetadata({ image: "  ", icon: "b" })).toEqual({ image: "b" })
  })

  it("cuts what is long, and never through a character", () => {
    const { name, url, image } = readClientMetadata({
      name: "n".repeat(9_999),
      url: "u".repeat(9_999),
      image: "i".repeat(9_999),
    })
    expect([name?.length, url?.length, image?.length]).toEqual([128, 1_024, 2_048])
    expect(readClientMetadata({ name: `${"n".repeat(127)}😀` })).toEqual({ name: "n".repeat(127) })
    expect(readClientMetadata({ name: `${"n".repeat(126)}😀!` })).toEqual({ name: `${"n".repeat(126)}😀` })
  })

  it.each([undefined, null, 1, true, "text", [], ["name"], () => 1, {}, { name: 1, url: null, image: {} }])(
    "%j is empty",
    (value) => {
      expect(readClientMetadata(value)).toEqual({})
    },
  )

  it("nothing is inherited", () => {
    expect(readClientMetadata(Object.create({ name: "inherited" }))).toEqual({})
    const evil: unknown = JSON.parse('{"__proto__":{"name":"evil","polluted":true},"constructor":{"name":"evil"}}')
    expect(readClientMetadata(evil)).toEqual({})
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined()
  })
})

describe("parseClientMetadata", () => {
  it.each([undefined, "", "null", "1", '"text"', "[]", "{", "undefined", "[".repeat(100_000), '{"a":'.repeat(100_000)])(
    "%.20s is empty",
    (json) => {
      expect(parseClientMetadata(json)).toEqual({})
    },
  )

  it("reads what connect carries (N46-METADATA-3)", () => {
    expect(parseClientMetadata('{"name":"Notes","url":"https://n.example"}')).toEqual({
      name: "Notes",
      url: "https://n.example",
    })
  })

  it("whatever the JSON, only short known strings come out", () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (json) => {
        for (const [field, value] of Object.entries(parseClientMetadata(json))) {
          expect(["name", "url", "image"]).toContain(field)
          expect(value.length).toBeLessThanOrEqual(2_048)
        }
      }),
    )
  })
})
