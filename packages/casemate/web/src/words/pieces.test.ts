import fc from "fast-check"
import { expect, it } from "vitest"
import { UNSEEN } from "../../../src/channel/visible-text.js"
import { type Piece, piecesOf } from "./pieces.js"

it("shows what can be seen as it is", () => {
  expect(piecesOf("<b>שלום</b> & 你好")).toEqual([{ kind: "text", text: "<b>שלום</b> & 你好" }])
  expect(piecesOf("")).toEqual([])
})

it("shows what cannot be seen as an escape of its own, a run of it as one", () => {
  expect(piecesOf("a\u202e\u200bb\u0000")).toEqual([
    { kind: "text", text: "a" },
    { kind: "escape", text: "\\u{202e}\\u{200b}" },
    { kind: "text", text: "b" },
    { kind: "escape", text: "\\u{0}" },
  ])
})

it("piles no more marks on a letter than a script does, so that none covers another line", () => {
  const marks = "\u0300\u0316\u0334\u0489\u20dd"
  expect(piecesOf(`a${marks}`)).toEqual([{ kind: "text", text: `a${marks}` }])
  expect(piecesOf(`a\nb${marks}\u0301\u0301c`, { lines: true })).toEqual([
    { kind: "text", text: `a\nb${marks}` },
    { kind: "escape", text: "\\u{301}\\u{301}" },
    { kind: "text", text: "c" },
  ])
  // Letters of Tibetan, Hebrew and Vietnamese with all that goes with them.
  for (const word of ["\u0f67\u0f90\u0fb5\u0fa8\u0fb3", "\u05e9\u05c1\u05bc\u05b8\u0591\u05bd", "e\u0302\u0323"])
    expect(piecesOf(word)).toEqual([{ kind: "text", text: word }])
})

it("keeps line feeds where there are lines, and those alone", () => {
  expect(piecesOf("a\r\nb\n\u2028", { lines: true })).toEqual([
    { kind: "text", text: "a" },
    { kind: "escape", text: "\\u{d}" },
    { kind: "text", text: "\nb\n" },
    { kind: "escape", text: "\\u{2028}" },
  ])
  expect(piecesOf("a\nb")[1]).toEqual({ kind: "escape", text: "\\u{a}" })
})

it("doubles an escape that the app wrote itself", () => {
  expect(piecesOf("\\u{202e}")).toEqual([{ kind: "text", text: "\\\\u{202e}" }])
})

it("leaves nothing out and lets nothing unseen through", () => {
  const characters = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("\u202e", "\u200b", "\n", "\\u{", "}", "\ud800", "\u{e0041}", "\u3164", "\u0301\u0301\u0301"),
  )
  const texts = fc.array(characters).map((parts) => parts.join(""))
  fc.assert(
    fc.property(texts, fc.boolean(), (text, lines) => {
      const pieces = piecesOf(text, { lines })
      expect(pieces.map(written).join("")).toBe(text)
      const seen = pieces.map((piece) => piece.text).join("")
      expect((lines ? seen.replaceAll("\n", " ") : seen).match(UNSEEN)).toBeNull()
    }),
  )
})

/** What the app wrote for it to be shown so. */
function written({ kind, text }: Piece): string {
  if (kind === "text") return text.replaceAll("\\\\u{", "\\u{")
  return text.replace(/\\u\{([0-9a-f]+)\}/g, (_, code: string) => String.fromCodePoint(Number.parseInt(code, 16)))
}
