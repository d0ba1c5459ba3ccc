// Holds the titles of all tests against docs/spec/nip46.md: each MUST has a test, each SHOULD a test or a
// recorded refusal, and no test names a clause that there is not. The same for docs/spec/quirks.md: each quirk has
// a test, but for what comes with a later part, and no test names a quirk that there is not.
import { readdirSync, readFileSync } from "node:fs"
import { join, relative } from "node:path"
import { fileURLToPath } from "node:url"

const LEVELS = ["MUST", "SHOULD", "MAY"]
const SIDES = ["client", "remote-signer", "both"]
const ID = /^N46-[A-Z0-9]+-[1-9][0-9]*$/
/** Wider than ID, so that a misspelt id in a title is unknown instead of unseen. */
const MENTION = /\bN46-\w+(?:-\w+)*/g
const QUIRK = /^QUIRKS (?:signer|client|relays) [1-9][0-9]*$/
const QUIRK_MENTION = /\bQUIRKS\b(?:,? [a-z]+(?: [0-9]+)?)?/g

/**
 * The clauses of the document, and what is wrong with its tables.
 * A row is `| id | level | binds | what it asks | the NIP's words | notes |`.
 */
export function parseSpec(markdown) {
  const clauses = new Map()
  const problems = []
  for (const line of markdown.split("\n").filter((line) => /^\|\s*`?N46-/i.test(line))) {
    const [id = "", level = "", side = "", meaning = "", quote = "", notes = "", ...more] = cellsOf(line)
    const isWhole = ID.test(id) && LEVELS.includes(level) && SIDES.includes(side) && meaning !== "" && quote !== ""
    if (!isWhole || more.length > 0) problems.push(`${id}: this row does not have an id, a level, a side and a clause`)
    else if (clauses.has(id)) problems.push(`${id}: the document has it twice`)
    else {
      const refusal = /\bnot done: (.+)/.exec(notes)?.[1]
      clauses.set(id, { id, level, side, meaning, refusal, condition: /\bif (N46-\S+)/.exec(notes)?.[1] })
    }
  }
  if (clauses.size === 0) problems.push("the document has no clause")
  for (const { id, level, refusal, condition } of clauses.values()) {
    if (level === "MUST" && refusal !== undefined) problems.push(`${id}: a MUST cannot be refused`)
    if (condition !== undefined && (clauses.get(condition)?.level ?? "MUST") === "MUST") {
      problems.push(`${id}: its condition ${condition} is no clause that one may leave undone`)
    }
  }
  return { clauses, problems }
}

/**
 * The quirks of the document, and what is wrong with its tables. A row is `| id | what is coped with | notes |`,
 * and a note that begins with "comes with" says what the rest of it waits for.
 */
export function parseQuirks(markdown) {
  const quirks = new Map()
  const problems = []
  for (const line of markdown.split("\n").filter((line) => /^\|\s*QUIRKS/i.test(line))) {
    const [id = "", meaning = "", notes = "", ...more] = cellsOf(line)
    if (!QUIRK.test(id) || meaning === "" || more.length > 0) {
      problems.push(`${id}: this row does not have an id and what is coped with`)
    } else if (quirks.has(id)) problems.push(`${id}: the document has it twice`)
    else quirks.set(id, { id, meaning, isLater: notes.startsWith("comes with") })
  }
  if (quirks.size === 0) problems.push("the document has no quirk")
  return { quirks, problems }
}

/** One line for each quirk that no test names and that is there already, and for each that the document does not know. */
export function findQuirkProblems(quirks, tested) {
  const untested = [...quirks.values()].filter(({ id, isLater }) => !isLater && !tested.has(id))
  return [
    ...untested.map(({ id, meaning }) => `${id}: no test names it: ${meaning}`),
    ...[...tested]
      .filter(([id]) => !quirks.has(id))
      .map(([id, files]) => `${id}: named by a test in ${files.join(", ")}, unknown to the document`),
  ]
}

/** The ids of clauses in the titles of a file of tests. */
export function titledIds(source) {
  return titlesOf(source).flatMap((title) => title.match(MENTION) ?? [])
}

/** The quirks that they name. */
export function titledQuirks(source) {
  return titlesOf(source).flatMap((title) => title.match(QUIRK_MENTION) ?? [])
}

/** A title in a comment, or of a skipped test, is none. */
function titlesOf(source) {
  const code = source.replace(/^\s*\/\*[\s\S]*?\*\//gm, "").replace(/^\s*\/\/.*$/gm, "")
  // The first argument of it(…), test.each(…)(…), describe.skipIf(…)(…), also as the first of two: `isLinux ? "…" : "…"`.
  const title =
    /((?:\b(?:it|test|describe)(?:\.\w+)*|\))\s*\()\s*(?:\w+ \? )?("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)/g
  return [...code.matchAll(title)].filter(([, call]) => !/\.(?:skip|todo|fails)\b/.test(call)).map(([, , text]) => text)
}

/** One line for each clause that is not kept, and for each id that is none. `tested` maps ids to the files that name them. */
export function findProblems(clauses, tested) {
  const problems = []
  for (const clause of clauses.values()) {
    const { id, level, side, meaning, refusal } = clause
    if (refusal !== undefined && tested.has(id)) {
      problems.push(`${id}: recorded as not done, and yet tested in ${tested.get(id).join(", ")}`)
    }
    if (!isOpen(clause, clauses, tested)) continue
    const lack = level === "MUST" ? "no test names it" : "neither a test nor a recorded refusal"
    problems.push(`${id} (${level}, ${side}): ${lack}: ${meaning}`)
  }
  for (const [id, files] of tested) {
    if (!clauses.has(id)) problems.push(`${id}: named by a test in ${files.join(", ")}, unknown to the document`)
  }
  return problems
}

/** For each side and level: how many clauses, how many of them with a test, left undone by the document, and missing. */
export function countBySide(clauses, tested) {
  return SIDES.flatMap((side) =>
    LEVELS.map((level) => {
      const those = [...clauses.values()].filter((clause) => clause.side === side && clause.level === level)
      return {
        side,
        level,
        clauses: those.length,
        tested: those.filter(({ id }) => tested.has(id)).length,
        undone: those.filter((clause) => !tested.has(clause.id) && isUndone(clause, clauses)).length,
        missing: those.filter((clause) => isOpen(clause, clauses, tested)).length,
      }
    }),
  )
}

function isOpen(clause, clauses, tested) {
  return clause.level !== "MAY" && !tested.has(clause.id) && !isUndone(clause, clauses)
}

/** Recorded as not done, or hanging on something that is. */
function isUndone({ level, refusal, condition }, clauses) {
  const permission = condition === undefined ? undefined : clauses.get(condition)
  return (level !== "MUST" && refusal !== undefined) || permission?.refusal !== undefined
}

function cellsOf(row) {
  return row
    .replace(/^\||\|\s*$/g, "")
    .split("|")
    .map((cell) => cell.trim())
}

/** Every file of tests below a folder. */
function testFiles(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return /^(\.|node_modules$|dist$)/.test(entry.name) ? [] : testFiles(path)
    return entry.name.endsWith(".test.ts") ? [path] : []
  })
}

function main(root) {
  const read = (name) => readFileSync(join(root, "docs", "spec", name), "utf8")
  const { clauses, problems } = parseSpec(read("nip46.md"))
  const { quirks, problems: quirkProblems } = parseQuirks(read("quirks.md"))
  // The test of this script is full of made-up ids.
  const files = testFiles(root).filter((file) => relative(root, file) !== join("test", "spec.test.ts"))
  const tested = new Map()
  const testedQuirks = new Map()
  for (const file of files) {
    const source = readFileSync(file, "utf8")
    const add = (map, id) => map.set(id, [...(map.get(id) ?? []), relative(root, file)])
    for (const id of new Set(titledIds(source))) add(tested, id)
    for (const id of new Set(titledQuirks(source))) add(testedQuirks, id)
  }
  problems.push(...findProblems(clauses, tested), ...quirkProblems, ...findQuirkProblems(quirks, testedQuirks))
  for (const problem of problems) console.log(problem)
  console.table(countBySide(clauses, tested))
  const later = [...quirks.values()].filter(({ isLater }) => isLater).length
  console.log(`${quirks.size} quirks, ${later} of them in part to come`)
  console.log(`${clauses.size} clauses, ${files.length} files of tests, ${problems.length} problems`)
  return problems.length === 0 ? 0 : 1
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.exitCode = main(fileURLToPath(new URL("..", import.meta.url)))
}
