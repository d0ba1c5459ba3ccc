import { Command } from "commander"
import type { OwnerInfo } from "../channel/owner-calls.js"
import { UserError } from "../config/user-error.js"
import { withBunker } from "./bunker.js"
import { withDataDir } from "./options.js"
import { print, printHint, printJson, printTable, safe, when } from "./output.js"
import { askYes, isInteractive } from "./prompt.js"

interface OwnerOptions {
  dataDir?: string
  json?: boolean
}

interface RemoveOptions extends OwnerOptions {
  yes?: boolean
}

export function ownerCommand(): Command {
  const owner = new Command("owner").description("who may decide in a browser what apps may do").addHelpText(
    "after",
    `
Examples:
  $ casemate owner invite
  $ casemate owner list
  $ casemate owner remove alice`,
  )

  withDataDir(owner.command("invite"))
    .summary("print a link that makes whoever opens it an owner")
    .description(
      "Prints a link that makes whoever opens it an owner: it opens once, within 10 minutes, in a browser, and asks for a passkey, or for a password with an authenticator app. An owner may decide everything that apps ask for; exporting and removing keys stays at the terminal.",
    )
    .option("--json", "print a JSON object")
    .addHelpText("after", "\nExample:\n  $ casemate owner invite")
    .action(async ({ dataDir, json }: OwnerOptions) => {
      const invitation = await withBunker(dataDir, (bunker) => bunker.call("owners.invite", {}))
      if (json) return printJson(invitation)
      print("Whoever opens this within 10 minutes becomes an owner; it works once:")
      print()
      return print(`  ${invitation.url}`)
    })

  withDataDir(owner.command("list"))
    .summary("show who they are and how they sign in")
    .description(
      "Shows every owner: how they sign in, how many recovery codes they have left, and in how many browsers they are signed in.",
    )
    .option("--json", "print a JSON array")
    .addHelpText("after", "\nExample:\n  $ casemate owner list")
    .action(async ({ dataDir, json }: OwnerOptions) => {
      const list = await withBunker(dataDir, (bunker) => bunker.call("owners.list", {}))
      if (json) return printJson(list)
      if (list.length === 0) return printHint("There is no owner yet; `casemate owner invite` makes one.")
      return printTable(
        ["NAME", "SIGNS IN WITH", "RECOVERY CODES", "SIGNED IN", "SINCE"],
        list.map((info) => [
          safe(info.name),
          waysOf(info),
          String(info.recoveryCodesLeft),
          String(info.sessions),
          when(info.createdAt),
        ]),
      )
    })

  withDataDir(owner.command("remove"))
    .summary("take an owner away, and sign them out everywhere")
    .description(
      "Takes an owner away with all their passkeys, password and recovery codes, and signs them out everywhere at once. What they allowed stays allowed; `casemate apps list` shows it.",
    )
    .argument("<name>", "the owner's name")
    .option("--yes", "do not ask")
    .option("--json", "print a JSON object; with --yes")
    .addHelpText("after", "\nExamples:\n  $ casemate owner remove alice\n  $ casemate owner remove alice --yes")
    .action(async (name: string, { dataDir, yes = false, json = false }: RemoveOptions) => {
      const removed = await withBunker(dataDir, async (bunker) => {
        if (!yes) {
          if (json || !isInteractive())
            throw new UserError("nobody is here to be asked: add --yes to remove this owner")
          if (!(await askYes(`Remove the owner ${safe(name)}, and sign them out everywhere?`)))
            throw new UserError("nobody was removed")
        }
        return bunker.call("owners.remove", { name })
      })
      if (json) return printJson(removed)
      return print(`Removed the owner ${safe(removed.name)}.`)
    })

  return owner
}

function waysOf({ passkeys, hasPassword }: OwnerInfo): string {
  const ways = [
    ...(passkeys === 0 ? [] : [passkeys === 1 ? "1 passkey" : `${passkeys} passkeys`]),
    ...(hasPassword ? ["a password"] : []),
  ]
  return ways.join(", ")
}
