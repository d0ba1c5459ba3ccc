// Runs every suite that this machine can run. What it cannot run is named, one line each, with what is
// missing; CASEMATE_REQUIRE_ALL=1 (CI) turns a skip into a failure.
import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))
const folder = mkdtempSync(join(tmpdir(), "casemate-test-"))
const report = join(folder, "report.json")
const vitest = join(root, "node_modules", "vitest", "vitest.mjs")

const run = spawnSync(
  process.execPath,
  [vitest, "run", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`, ...process.argv.slice(2)],
  { cwd: root, stdio: "inherit" },
)

let code = run.status ?? 1
try {
  const { numPassedTests, numFailedTests, numTotalTests, testResults } = JSON.parse(readFileSync(report, "utf8"))
  const skipped = numTotalTests - numPassedTests - numFailedTests
  for (const { assertionResults } of testResults) {
    const left = assertionResults.filter(({ status }) => status !== "passed" && status !== "failed")
    // A suite of which every test was skipped is one line; its title says what is missing and how to get it.
    const suites = left.map(({ ancestorTitles: [suite], fullName }) => {
      const isWhole = assertionResults.every((result) => result.ancestorTitles[0] !== suite || left.includes(result))
      return suite === undefined || !isWhole ? fullName : suite
    })
    for (const suite of new Set(suites)) console.log(`skipped: ${suite}`)
  }
  if (numTotalTests === 0) code = 1
  if (skipped > 0 && process.env.CASEMATE_REQUIRE_ALL === "1") {
    console.log("CASEMATE_REQUIRE_ALL is set, so a skipped test is a failed run")
    code ||= 1
  }
  console.log(`${numPassedTests} passed, ${numFailedTests} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`)
} catch (error) {
  console.log(`no test report: ${error.message}`)
  code ||= 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
process.exitCode = code
