import { createRequire } from "node:module"
import { Command, CommanderError } from "commander"
import { OwnerCallError } from "../channel/owner-client.js"
import { UserError } from "../config/user-error.js"
import { appsCommand } from "./apps.js"
import { keysCommand } from "./keys.js"
import { asTyped } from "./npm.js"
import { hideSecrets, safe } from "./output.js"
import { pairCommand } from "./pair.js"
import { relayCommand } from "./relay.js"
import { startCommand } from "./start.js"
import { refuseSecretArguments, withUsageErrors } from "./usage.js"

const { version } = createRequire(import.meta.url)("../../package.json") as { version: string }

const program = new Command("casemate")
  .description("A Nostr bunker: keeps your keys in one place and signs for the apps you let in (NIP-46).")
  .version(version)
  .addCommand(startCommand())
  .addCommand(pairCommand())
  .addCommand(keysCommand())
  .addCommand(appsCommand())
  .addCommand(relayCommand())
  .addHelpText(
    "after",
    `
Examples:
  $ casemate start                 run the bunker and print a token for one app
  $ casemate pair                  print a token for another app and wait until it connects
  $ casemate apps list             who may ask this bunker
  $ casemate apps revoke 3f9a      shut one of them out`,
  )

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  // A reader that has seen enough (`| head -1`) is no failure, and no reason for a bunker to end.
  if (error.code !== "EPIPE") process.exitCode = complain(`what was asked for could not be written: ${error.message}`)
})

try {
  refuseSecretArguments(process.argv.slice(2))
  await withUsageErrors(program).parseAsync()
} catch (error) {
  process.exitCode = report(error)
}

/** A person's mistake is one sentence; anything else is ours, and its stack belongs in a report. */
function report(error: unknown): number {
  // Its text is on the screen already.
  if (error instanceof CommanderError) return error.exitCode
  if (error instanceof UserError || error instanceof OwnerCallError) return complain(safe(error.message))
  return complain(`this is a fault of casemate itself:\n${error instanceof Error ? error.stack : "unknown error"}`)
}

function complain(text: string): number {
  process.stderr.write(`casemate: ${hideSecrets(asTyped(text))}\n`)
  return 1
}
