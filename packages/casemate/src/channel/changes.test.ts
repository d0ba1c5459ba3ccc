import { describe, expect, it } from "vitest"
import { type Changes, changesBetween } from "./changes.js"

const text = (previous: string, next: string): Changes["content"] =>
  changesBetween({ content: previous, tags: [] }, { content: next, tags: [] }).content

/** Both texts, as the parts have them. */
function sides(content: Changes["content"]): [string, string] {
  if (content.kind === "same") throw new Error("nothing changed")
  const side = (not: string): string =>
    content.parts
      .filter(({ kind }) => kind !== not)
      .map((part) => part.text)
      .join("")
  return [side("added"), side("removed")]
}

describe("tags", () => {
  const tags = (previous: string[][], next: string[][]): Pick<Changes, "tagsAdded" | "tagsRemoved"> => {
    const { tagsAdded, tagsRemoved } = changesBetween({ content: "", tags: previous }, { content: "", tags: next })
    return { tagsAdded, tagsRemoved }
  }

  it("are those that come and those that go, in their order", () => {
    expect(
      tags(
        [
          ["p", "a"],
          ["p", "b"],
          ["p", "c"],
        ],
        [
          ["p", "d"],
          ["p", "b"],
          ["p", "e"],
        ],
      ),
    ).toEqual({
      tagsAdded: [
        ["p", "d"],
        ["p", "e"],
      ],
      tagsRemoved: [
        ["p", "a"],
        ["p", "c"],
      ],
    })
  })

  it("change nothing by their order", () => {
    expect(
      tags(
        [
          ["p", "a"],
          ["p", "b"],
        ],
        [
          ["p", "b"],
          ["p", "a"],
        ],
      ),
    ).toEqual({ tagsAdded: [], tagsRemoved: [] })
  })

  it("count as often as they stand there", () => {
    expect(
      tags(
        [
          ["p", "a"],
          ["p", "a"],
          ["p", "a"],
        ],
        [["p", "a"]],
      ),
    ).toEqual({
      tagsAdded: [],
      tagsRemoved: [
        ["p", "a"],
        ["p", "a"],
      ],
    })
  })

  it("are others when any part of them is, however it is cut", () => {
    expect(tags([["p", "a", "wss://x"]], [["p", "a"]]).tagsAdded).toEqual([["p", "a"]])
    expect(tags([["a", "b,c"]], [["a", "b", "c"]]).tagsRemoved).toEqual([["a", "b,c"]])
  })

  it("are compared in a moment, ten thousand of them", () => {
    const many = Array.from({ length: 10_000 }, (_, n) => ["p", String(n)])
    const start = performance.now()
    expect(tags(many, many.slice(9_000).reverse()).tagsRemoved).toHaveLength(9_000)
    expect(performance.now() - start).toBeLessThan(1_000)
  })
})

describe("content", () => {
  it("is the same only to the letter", () => {
    expect(text("hello", "hello")).toEqual({ kind: "same" })
    expect(text("", "")).toEqual({ kind: "same" })
    expect(text("hello", "hello ").kind).toBe("changed")
    expect(text('{"a":1}', '{ "a":1}').kind).toBe("changed")
  })

  it("shows the word that changed", () => {
    expect(text("never sell your coins\nat all", "always sell your coins\nat all")).toEqual({
      kind: "changed",
      parts: [
        { kind: "removed", text: "never" },
        { kind: "added", text: "always" },
        { kind: "same", text: " sell your coins\nat all" },
      ],
    })
  })

  it("shows the field that changed, in whatever order they come", () => {
    const content = text('{"name":"ann","lud16":"ann@a.example"}', '{"lud16":"eve@e.example","name":"ann"}')
    expect(content).toEqual({
      kind: "changed",
      parts: [
        { kind: "same", text: "{\n" },
        { kind: "removed", text: '  "lud16": "ann@a.example",\n' },
        { kind: "added", text: '  "lud16": "eve@e.example",\n' },
        { kind: "same", text: '  "name": "ann"\n}\n' },
      ],
    })
  })

  it("is a change where only the writing of the same fields is another", () => {
    const [previous, next] = ['{"name":"eve","name":"ann"}', '{"name":"ann"}']
    expect(sides(text(previous, next))).toEqual([previous, next])
  })

  it("takes a field called __proto__ for a field", () => {
    expect(sides(text('{"__proto__":{"a":1}}', '{"__proto__":{"a":2}}'))).toEqual([
      '{\n  "__proto__": {\n    "a": 1\n  }\n}\n',
      '{\n  "__proto__": {\n    "a": 2\n  }\n}\n',
    ])
  })

  it("is shown as a whole where little stays, as what is encrypted", () => {
    const [previous, next] = ["AgK+3/a9x+Yk/t1+aa==", "AqP/8+bb/x+Lm+q2/a=="]
    expect(text(previous, next)).toEqual({
      kind: "changed",
      parts: [
        { kind: "removed", text: previous },
        { kind: "added", text: next },
      ],
    })
    expect(text("", "all of it")).toEqual({ kind: "changed", parts: [{ kind: "added", text: "all of it" }] })
    expect(text("all of it", "")).toEqual({ kind: "changed", parts: [{ kind: "removed", text: "all of it" }] })
  })

  it.each([
    ["words without end", "ab ".repeat(20_000), "ba ".repeat(20_000)],
    [
      "lines without end",
      Array.from({ length: 10_000 }, (_, n) => n * 2).join("\n"),
      Array.from({ length: 10_000 }, (_, n) => n * 2 + 1).join("\n"),
    ],
    ["one word in much", `${"word ".repeat(12_000)}old`, `${"word ".repeat(12_000)}new`],
    ["half of it", "a b c d ".repeat(6_000), "a x c d ".repeat(6_000)],
    ["a nest of JSON", `{"a":${"[".repeat(30_000)}${"]".repeat(30_000)}}`, '{"a":1}'],
    ["more than can be asked", "a ".repeat(500_000), "b ".repeat(500_000)],
  ])("comes to an end and loses nothing: %s", (_name, previous, next) => {
    const start = performance.now()
    const content = text(previous, next)
    expect(performance.now() - start).toBeLessThan(2_000)
    expect(sides(content)).toEqual([previous, next])
  })

  it("loses no character, whatever they are", () => {
    const odd = ["a", " ", "\n", "\r", "\r\n", "\ud83d", "\ude00", "😀", "漢", "\u0301", "\u2028", "\0", "\t", "_"]
    let seed = 1
    const pick = (below: number): number => {
      seed = (seed * 48_271) % 2_147_483_647
      return seed % below
    }
    const make = (): string => Array.from({ length: pick(12) }, () => odd[pick(odd.length)]).join("")
    for (let round = 0; round < 3_000; round++) {
      const previous = make()
      const next = round % 2 === 0 ? make() : previous.slice(0, pick(6)) + make() + previous.slice(pick(6))
      if (previous !== next) expect(sides(text(previous, next))).toEqual([previous, next])
    }
  })
})
