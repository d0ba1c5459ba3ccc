import { createRequire } from "node:module"
import { Command } from "commander"
import { appsCommand } from "./apps.js"
import { completionCommand } from "./completion.js"
import { withManSections } from "./help.js"
import { keysCommand } from "./keys.js"
import { ownerCommand } from "./owner.js"
import { pairCommand } from "./pair.js"
import { relayCommand } from "./relay.js"
import { requestsCommand } from "./requests.js"
import { startCommand } from "./start.js"
import { uriCommand } from "./uri/uri.js"
import { withUsageErrors } from "./usage.js"
import { webhookCommand } from "./webhook.js"

const { version } = createRequire(import.meta.url)("../../package.json") as { version: string }

/** Every command, with its help and its mistakes as sentences. */
export function createProgram(): Command {
  const program = new Command("casemate")
    .description("A Nostr bunker: keeps your keys in one place and signs for the apps you let in (NIP-46).")
    .version(version)
    .addCommand(startCommand())
    .addCommand(pairCommand())
    .addCommand(keysCommand())
    .addCommand(appsCommand())
    .addCommand(requestsCommand())
    .addCommand(ownerCommand())
    .addCommand(webhookCommand())
    .addCommand(relayCommand())
    .addCommand(uriCommand())
    .addCommand(completionCommand())
    .addHelpText(
      "after",
      `
Examples:
  $ casemate start                 run the bunker and print a token for one app
  $ casemate pair                  print a token for another app and wait until it connects
  $ casemate apps list             who may ask this bunker
  $ casemate apps revoke 3f9a      shut one of them out
  $ casemate uri validate TOKEN    what is wrong with a token`,
    )
  return withUsageErrors(withManSections(program))
}
