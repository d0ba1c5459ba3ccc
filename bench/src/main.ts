import { writeFileSync } from "node:fs"
import { CONTESTANTS } from "./contestants.js"
import { type Options, readOptions, USAGE } from "./options.js"
import { renderReport, reportOf } from "./report.js"
import { runRounds } from "./rounds.js"

function optionsOrExit(): Options {
  try {
    return readOptions(process.argv.slice(2))
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}\n`)
    process.exit(2)
  }
}

const options = optionsOrExit()
if (process.platform !== "linux") {
  process.stderr.write("the bench reads CPU and memory from /proc, so run it on Linux, such as in a container\n")
  process.exit(1)
}
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130))
const chosen = CONTESTANTS.filter(({ name }) => options.only.includes(name))
const missing = chosen.filter((contestant) => contestant.missing !== undefined)
const measured = await runRounds(
  chosen.filter((contestant) => contestant.missing === undefined),
  options,
)
const report = reportOf(measured, missing, options)
process.stdout.write(renderReport(report))
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`)
