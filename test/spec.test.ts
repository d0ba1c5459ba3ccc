import { describe, expect, it } from "vitest"
import {
  countBySide,
  findProblems,
  findQuirkProblems,
  parseQuirks,
  parseSpec,
  titledIds,
  titledQuirks,
} from "../scripts/check-spec.mjs"

const HEAD = "| id | level | binds | what it asks | words | notes |\n|---|---|---|---|---|---|\n"
const document = (...rows: string[]) => `# A made-up NIP\n\n${HEAD}${rows.map((row) => `| ${row} |`).join("\n")}\n`
const clausesOf = (...rows: string[]) => {
  const { clauses, problems } = parseSpec(document(...rows))
  expect(problems).toEqual([])
  return clauses
}
const tested = (...ids: string[]) => new Map(ids.map((id) => [id, ["a.test.ts"]]))

const MUST = 'N46-DOOR-1 | MUST | client | knocks | "must knock" | '
const SHOULD = 'N46-DOOR-2 | SHOULD | remote-signer | opens | "should open" | '
const REFUSED = 'N46-DOOR-3 | SHOULD | both | waves | "should wave" | not done: nobody sees it'
const MAY = 'N46-DOOR-4 | MAY | client | sings | "may sing" | not done: it cannot'
const IF_MAY = 'N46-DOOR-5 | MUST | client | in tune | "in tune" | if N46-DOOR-4'

describe("what is found", () => {
  it("nothing, where every MUST and SHOULD has a test or its refusal", () => {
    const clauses = clausesOf(MUST, SHOULD, REFUSED, MAY, IF_MAY)
    expect(findProblems(clauses, tested("N46-DOOR-1", "N46-DOOR-2"))).toEqual([])
  })

  it("a MUST without a test, with its side and what it asks", () => {
    expect(findProblems(clausesOf(MUST, SHOULD), tested("N46-DOOR-2"))).toEqual([
      "N46-DOOR-1 (MUST, client): no test names it: knocks",
    ])
  })

  it("an id in a test that the document does not know", () => {
    expect(findProblems(clausesOf(MUST), tested("N46-DOOR-1", "N46-DOOR-9"))).toEqual([
      "N46-DOOR-9: named by a test in a.test.ts, unknown to the document",
    ])
  })

  it("a SHOULD without a test, but not one that is refused", () => {
    expect(findProblems(clausesOf(SHOULD, REFUSED), tested())).toEqual([
      "N46-DOOR-2 (SHOULD, remote-signer): neither a test nor a recorded refusal: opens",
    ])
  })

  it("no MAY without a test", () => {
    expect(findProblems(clausesOf('N46-DOOR-6 | MAY | client | sings | "may" | '), tested())).toEqual([])
  })

  it("a refusal that a test belies", () => {
    expect(findProblems(clausesOf(REFUSED), tested("N46-DOOR-3"))).toEqual([
      "N46-DOOR-3: recorded as not done, and yet tested in a.test.ts",
    ])
  })

  it("a MUST whose condition is met after all", () => {
    const sings = 'N46-DOOR-4 | MAY | client | sings | "may sing" | '
    expect(findProblems(clausesOf(sings, IF_MAY), tested())).toEqual([
      "N46-DOOR-5 (MUST, client): no test names it: in tune",
    ])
  })
})

describe("a document is refused", () => {
  it.each<[string, string[], RegExp]>([
    ["without a clause", [], /no clause/],
    ["with one id twice", [MUST, MUST], /^N46-DOOR-1: the document has it twice/],
    ["with a level that is none", ['N46-DOOR-1 | must | client | knocks | "must" | '], /^N46-DOOR-1: this row/],
    ["with a side that is none", ['N46-DOOR-1 | MUST | server | knocks | "must" | '], /this row/],
    ["with an id that is none", ['N46-door-1 | MUST | client | knocks | "must" | '], /^N46-door-1: this row/],
    ["without what a clause asks", ['N46-DOOR-1 | MUST | client | | "must" | '], /this row/],
    ["without the NIP's words", ["N46-DOOR-1 | MUST | client | knocks | | "], /this row/],
    ["with a cell too many", [`${MUST} | more`], /this row/],
    ["that refuses a MUST", [`${MUST}not done: too loud`], /a MUST cannot be refused/],
    ["with a condition that is nowhere", [MUST, IF_MAY], /condition N46-DOOR-4 is no clause/],
    ["with a condition that is a MUST", [MUST, IF_MAY.replace("DOOR-4", "DOOR-1")], /condition N46-DOOR-1 is no/],
  ])("%s", (_, rows, problem) => {
    expect(parseSpec(document(...rows)).problems).toContainEqual(expect.stringMatching(problem))
  })
})

it("counts by side and level", () => {
  const counts = countBySide(clausesOf(MUST, SHOULD, REFUSED, MAY, IF_MAY), tested("N46-DOOR-2"))
  const some = counts.filter(({ clauses }) => clauses > 0)
  expect(some).toEqual([
    { side: "client", level: "MUST", clauses: 2, tested: 0, undone: 1, missing: 1 },
    { side: "client", level: "MAY", clauses: 1, tested: 0, undone: 1, missing: 0 },
    { side: "remote-signer", level: "SHOULD", clauses: 1, tested: 1, undone: 0, missing: 0 },
    { side: "both", level: "SHOULD", clauses: 1, tested: 0, undone: 1, missing: 0 },
  ])
})

describe("ids in titles", () => {
  it.each<[string, string, string[]]>([
    ["a test", `it("knocks (N46-DOOR-1)", () => {})`, ["N46-DOOR-1"]],
    ["several in one", `test("(N46-DOOR-1, N46-DOOR-2)", async () => {})`, ["N46-DOOR-1", "N46-DOOR-2"]],
    ["a table", `it.each<[string]>([\n["x"],\n])("%s (N46-DOOR-1)", (x) => {})`, ["N46-DOOR-1"]],
    ["a template", "it(`$" + "{n} knocks (N46-DOOR-1)`, { timeout: 9 }, () => {})", ["N46-DOOR-1"]],
    ["a title on its own line", `it(\n  "knocks (N46-DOOR-1)",\n  () => {})`, ["N46-DOOR-1"]],
    ["a suite", `describe("N46-DOOR-1", () => {})`, ["N46-DOOR-1"]],
    ["a suite of one system", `describe.skipIf(!isLinux)(isLinux ? "N46-DOOR-1" : "skipped", f)`, ["N46-DOOR-1"]],
    ["a quote in the title", `it("says \\"come in\\" (N46-DOOR-1)", f)`, ["N46-DOOR-1"]],
    ["an apostrophe in the title", `it("the door's (N46-DOOR-1)", f)`, ["N46-DOOR-1"]],
    ["a misspelt one, to be found unknown", `it("knocks (N46-door-1, N46-DOOR)", f)`, ["N46-door-1", "N46-DOOR"]],
    ["a comment", `// it("knocks (N46-DOOR-1)", f)`, []],
    ["a comment of two lines", `/*\n it("knocks (N46-DOOR-1)", f)\n*/`, []],
    ["a skipped test", `it.skip("knocks (N46-DOOR-1)", f)`, []],
    ["a test to be written", `test.todo("knocks (N46-DOOR-1)")`, []],
    ["a string elsewhere", `const why = "N46-DOOR-1"`, []],
  ])("%s", (_, source, ids) => {
    expect(titledIds(source)).toEqual(ids)
  })
})

describe("quirks", () => {
  const HERE = "QUIRKS client 1 | knocks twice | "
  const LATER = "QUIRKS signer 2 | opens slowly | comes with hinges: the slow half"
  const quirksOf = (...rows: string[]) => parseQuirks(rows.map((row) => `| ${row} |`).join("\n"))

  it("each needs a test, but for those that are to come; a test may name those too", () => {
    const { quirks, problems } = quirksOf(HERE, LATER)
    expect(problems).toEqual([])
    expect(findQuirkProblems(quirks, tested("QUIRKS client 1"))).toEqual([])
    expect(findQuirkProblems(quirks, tested("QUIRKS client 1", "QUIRKS signer 2"))).toEqual([])
    expect(findQuirkProblems(quirks, tested())).toEqual(["QUIRKS client 1: no test names it: knocks twice"])
    expect(findQuirkProblems(quirks, tested("QUIRKS client 1", "QUIRKS client 9"))).toEqual([
      "QUIRKS client 9: named by a test in a.test.ts, unknown to the document",
    ])
  })

  it.each<[string, string[], RegExp]>([
    ["without one", [], /no quirk/],
    ["with one twice", [HERE, HERE], /^QUIRKS client 1: the document has it twice/],
    ["with an id that is none", ["QUIRKS door 1 | knocks | "], /^QUIRKS door 1: this row/],
    ["that does not say what it is", ["QUIRKS client 1 | | "], /this row/],
    ["with a cell too many", [`${HERE} | more`], /this row/],
  ])("a document %s is refused", (_, rows, problem) => {
    expect(quirksOf(...rows).problems).toContainEqual(expect.stringMatching(problem))
  })

  it.each<[string, string, string[]]>([
    ["in front", `it("QUIRKS signer 1: knocks", f)`, ["QUIRKS signer 1"]],
    ["behind, beside a clause", `test("knocks (QUIRKS relays 12; N46-DOOR-1)", f)`, ["QUIRKS relays 12"]],
    ["two", `describe("(QUIRKS signer 1, QUIRKS signer 2)", f)`, ["QUIRKS signer 1", "QUIRKS signer 2"]],
    ["badly, to be found unknown", `it("QUIRKS, signer 1: QUIRKS", f)`, ["QUIRKS, signer 1", "QUIRKS"]],
    ["not in a title", `// QUIRKS signer 1\nit.skip("QUIRKS signer 1", f)`, []],
  ])("a title names them %s", (_, source, ids) => {
    expect(titledQuirks(source)).toEqual(ids)
  })
})
