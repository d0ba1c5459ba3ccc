import { createRequire } from "node:module"
import { Command } from "commander"
import { OwnerCallError } from "../channel/owner-client.js"
import { UserError } from "../config/user-error.js"
import { appsCommand } from "./apps.js"
import { keysCommand } from "./keys.js"
import { pairCommand } from "./pair.js"
import { relayCommand } from "./relay.js"
import { startCommand } from "./start.js"

const { version } = createRequire(import.meta.url)("../../package.json") as { version: string }

const program = new Command("casemate")
  .description("A Nostr bunker: keeps your keys in one place and signs for the apps you let in (NIP-46).")
  .version(version)
  .showHelpAfterError("(add --help for what there is)")
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

try {
  await program.parseAsync()
} catch (error) {
  // A person's mistake is one sentence; anything else is ours, and its stack belongs in a report.
  const expected = error instanceof UserError || error instanceof OwnerCallError
  process.stderr.write(expected ? `casemate: ${error.message}\n` : `casemate failed: ${stackOf(error)}\n`)
  process.exitCode = 1
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : "unknown error"
}
