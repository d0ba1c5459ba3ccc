import { Command } from "commander"
import { printJson } from "../output.js"
import { readToken, type TokenSource } from "./input.js"
import { contentOf, inspect, loadBackend, showFindings } from "./report.js"

const TOKEN = "a bunker:// or nostrconnect:// token in quotes, or - for standard input"

export function parseCommand(): Command {
  return withToken(new Command("parse"))
    .summary("show what a token says")
    .description(
      "Shows what a bunker:// or nostrconnect:// token says: public key, relays, secret, permissions, and what the app says of itself. A token is read as tolerantly as apps and bunkers read it; what was odd about it is listed. The secret is shown as well, since programs need it: whoever sees this output can use the token.",
    )
    .addHelpText(
      "after",
      `
Output:
  valid, scheme, errors and warnings always; of a bunker:// token remoteSignerPubkey, relays and secret; of a
  nostrconnect:// token clientPubkey, relays, secret, perms, name, url and image. What it does not say is null.

Examples:
  $ casemate uri parse 'bunker://…'
  $ casemate uri parse - < token.txt
  $ casemate uri parse --qr screenshot.png`,
    )
    .action(async (argument: string | undefined, source: TokenSource) => {
      const report = inspect(await readToken(argument, source), await loadBackend())
      const { scheme = null, errors, warnings } = report
      printJson({ valid: errors.length === 0, scheme, ...contentOf(report), errors, warnings })
      finish(report)
    })
}

export function validateCommand(): Command {
  return withToken(new Command("validate"))
    .summary("say what is wrong with a token, and what is unusual")
    .description(
      "Says what is wrong with a bunker:// or nostrconnect:// token, all at once. An error is a reason why nobody can use it; a warning is something left out, insecure or unusual. Each has a stable code, the field it is about, and one sentence. The secret is never shown.",
    )
    .addHelpText(
      "after",
      `
Output:
  {"valid":…,"errors":[{"code":…,"field":…,"message":…}],"warnings":[…]}

Examples:
  $ casemate uri validate 'nostrconnect://…'
  $ casemate uri validate - < token.txt && echo good
  $ casemate uri validate --qr screenshot.png`,
    )
    .action(async (argument: string | undefined, source: TokenSource) => {
      const report = inspect(await readToken(argument, source), await loadBackend())
      const { errors, warnings } = report
      printJson({ valid: errors.length === 0, errors, warnings })
      finish(report)
    })
}

function withToken(command: Command): Command {
  return command.argument("[token]", TOKEN).option("--qr <file>", "read it from the QR code in this PNG image")
}

function finish(report: Parameters<typeof showFindings>[0]): void {
  showFindings(report)
  if (report.errors.length > 0) process.exitCode = 1
}
