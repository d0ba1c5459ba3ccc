import { describe, expect, it } from "vitest"
import { changesBetween } from "../channel/changes.js"
import { changedLines, changeWords } from "./request-changes.js"

type Event = Parameters<typeof changesBetween>[0]

const words = (previous: Event, next: Event): string => changeWords(changesBetween(previous, next), previous)

function lines(previous: string, next: string): string[] {
  const { content } = changesBetween({ content: previous, tags: [] }, { content: next, tags: [] })
  if (content.kind === "same") return []
  return changedLines(content.parts).map(({ sign, text }) => `${sign}${text}`)
}

describe("what changes, in words", () => {
  const follows = (count: number): string[][] => Array.from({ length: count }, (_, n) => ["p", String(n)])

  it("counts what goes and what comes", () => {
    expect(words({ content: "", tags: follows(412) }, { content: "", tags: follows(12) })).toBe(
      "removes 400 of 412 tags",
    )
    expect(words({ content: "", tags: follows(2) }, { content: "", tags: [...follows(1), ["p", "x"]] })).toBe(
      "removes 1 of 2 tags, adds 1 tag",
    )
    expect(words({ content: "a", tags: follows(1) }, { content: "b", tags: [] })).toBe(
      "removes 1 of 1 tag, changes the content",
    )
  })

  it("says that nothing does", () => {
    const tags = follows(2)
    expect(words({ content: "a", tags }, { content: "a", tags: [...tags].reverse() })).toMatch(/^nothing but its date/)
  })
})

describe("the lines that changed", () => {
  it("are whole lines, though a word of them changed", () => {
    expect(lines("one\nnever sell your coins\nthree", "one\nalways sell your coins\nthree")).toEqual([
      "-never sell your coins",
      "+always sell your coins",
    ])
  })

  it("are those of fields", () => {
    expect(
      lines('{"name":"ann","lud16":"ann@a.example"}', '{"name":"ann","lud16":"eve@e.example","nip05":"x"}'),
    ).toEqual([
      '-  "lud16": "ann@a.example",',
      '-  "name": "ann"',
      '+  "lud16": "eve@e.example",',
      '+  "name": "ann",',
      '+  "nip05": "x"',
    ])
  })

  it("are only those that came, or went, between others that stay", () => {
    const [short, long] = ["one two three\nfour five six", "one two three\nnew\nfour five six"]
    expect(lines(short, long)).toEqual(["+new"])
    expect(lines(long, short)).toEqual(["-new"])
    expect(lines("first line\n", "first line\n\nlast")).toEqual(["+", "+last"])
  })

  it("are all of it where all of it is new", () => {
    expect(lines("abc", "xyz")).toEqual(["-abc", "+xyz"])
    expect(lines("", "a\nb")).toEqual(["+a", "+b"])
  })
})
