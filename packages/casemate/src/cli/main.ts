import { CommanderError } from "commander"
import { OwnerCallError } from "../channel/owner-client.js"
import { UserError } from "../config/user-error.js"
import { complain, safe } from "./output.js"
import { createProgram } from "./program.js"
import { refuseSecretArguments, UsageError } from "./usage.js"

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  // A reader that has seen enough (`| head -1`) is no failure, and no reason for a bunker to end.
  if (error.code === "EPIPE") return
  complain(`what was asked for could not be written: ${error.message}`)
  process.exitCode = 1
})

try {
  refuseSecretArguments(process.argv.slice(2))
  await createProgram().parseAsync()
} catch (error) {
  process.exitCode = report(error)
}

/**
 * A person's mistake is one sentence; anything else is ours, and its stack belongs in a report. 2 is for a command
 * line that cannot be read, 1 for everything else that did not work.
 */
function report(error: unknown): number {
  // Its text is on the screen already. Help that nobody asked for stands where a command was missing.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  if (error instanceof UserError || error instanceof OwnerCallError) {
    complain(safe(error.message))
    return error instanceof UsageError ? 2 : 1
  }
  complain(`this is a fault of casemate itself:\n${error instanceof Error ? error.stack : "unknown error"}`)
  return 1
}
