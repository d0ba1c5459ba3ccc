import { Command } from "commander"
import { bunkerCommand, nostrconnectCommand } from "./build.js"
import { parseCommand, validateCommand } from "./parse.js"

export function uriCommand(): Command {
  return new Command("uri")
    .summary("read, check and build connection tokens, offline")
    .description(
      "Reads, checks and builds bunker:// and nostrconnect:// tokens. Works offline: no bunker and no data folder is needed, and nothing is dialled. One JSON object comes on stdout; errors and warnings come on stderr as well, as sentences.",
    )
    .addCommand(parseCommand())
    .addCommand(validateCommand())
    .addCommand(bunkerCommand())
    .addCommand(nostrconnectCommand())
    .addHelpText(
      "after",
      `
Examples:
  $ casemate uri parse 'bunker://…'
  $ casemate uri validate --qr screenshot.png
  $ casemate uri bunker --pubkey npub1… --relays wss://relay.example.com --new-secret
  $ casemate uri nostrconnect --relays wss://relay.example.com --name Notes --qr`,
    )
}
