// Holds the titles of all tests against docs/spec/nip46.md: each MUST has a test, each SHOULD a test or a
// recorded refusal, and no test names a clause that there is not.
import { readdirSync, readFileSync } from "node:fs"
import { join, relative } from "node:path"
import { fileURLToPath } from "node:url"

const LEVELS = ["MUST", "SHOULD", "MAY"]
const SIDES = ["client", "remote-signer", "both"]
const ID = /^N46-[A-Z0-9]+-[1-9][0-9]*$/
/** Wider than ID, so that a misspelt id in a title is unknown instead of unseen. */
const MENTION = /\bN46-\w+(?:-\w+)*/g

/**
 * The clauses of the document, and what is wrong with its tables.
 * A row is `| id | level | binds | what it asks | the NIP's words | notes |`.
 */
export function parseSpec(markdown) {
  const clauses = new Map()
  const problems = []
  for (const line of markdown.split("\n").filter((line) => /^\|\s*`?N46-/i.test(line))) {
    const [id = "", level = "", side = "", meaning = "", quote = "", notes = "", ...more] = line
      .replace(/^\||\|\s*$/g, "")
      .split("|")
      .map((cell) => cell.trim())
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

/** The ids in the titles of a file of tests; a title in a comment, or of a skipped test, is none. */
export function titledIds(source) {
  const code = source.replace(/^\s*\/\*[\s\S]*?\*\//gm, "").replace(/^\s*\/\/.*$/gm, "")
  // The first argument of it(…), test.each(…)(…), describe.skipIf(…)(…), also as the first of two: `isLinux ? "…" : "…"`.
  const title =
    /((?:\b(?:it|test|describe)(?:\.\w+)*|\))\s*\()\s*(?:\w+ \? )?("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)/g
  return [...code.matchAll(title)]
    .filter(([, call]) => !/\.(?:skip|todo|fails)\b/.test(call))
    .flatMap(([, , text]) => text.match(MENTION) ?? [])
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

/** Every file of tests below a folder. */
function testFiles(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return /^(\.|node_modules$|dist$)/.test(entry.name) ? [] : testFiles(path)
    return entry.name.endsWith(".test.ts") ? [path] : []
  })
}

function main(root) {
  const { clauses, problems } = parseSpec(readFileSync(join(root, "docs", "spec", "nip46.md"), "utf8"))
  const files = testFiles(root).filter((file) => relative(root, file) !== join("test", "spec.test.ts"))
  const tested = new Map()
  for (const file of files) {
    for (const id of new Set(titledIds(readFileSync(file, "utf8")))) {
      tested.set(id, [...(tested.get(id) ?? []), relative(root, file)])
    }
  }
  problems.push(...findProblems(clauses, tested))
  for (const problem of problems) console.log(problem)
  console.table(countBySide(clauses, tested))
  console.log(`${clauses.size} clauses, ${files.length} files of tests, ${problems.length} problems`)
  return problems.length === 0 ? 0 : 1
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.exitCode = main(fileURLToPath(new URL("..", import.meta.url)))
}
