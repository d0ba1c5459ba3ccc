import { Command } from "commander"
import { UserError } from "../config/user-error.js"
import { grantCommand, ungrantCommand } from "./apps/grant.js"
import { nameOf, titleOf } from "./apps/name.js"
import { presetCommand } from "./apps/preset.js"
import { keyOf, showApp } from "./apps/show.js"
import { extendCommand, pauseCommand, resumeCommand, styleCommand } from "./apps/terms.js"
import { withBunker } from "./bunker.js"
import { withDataDir } from "./options.js"
import { print, printHint, printJson, printTable, when } from "./output.js"

interface AppsOptions {
  dataDir?: string
  json?: boolean
}

export function appsCommand(): Command {
  const apps = new Command("apps").description("the apps that may ask this bunker").addHelpText(
    "after",
    `
Examples:
  $ casemate apps list
  $ casemate apps show 3f9a
  $ casemate apps grant 3f9a sign_event:30023 --for 1h
  $ casemate apps preset 3f9a social
  $ casemate apps pause 3f9a
  $ casemate apps revoke 3f9a
  $ casemate apps nip04 3f9a on`,
  )

  withDataDir(apps.command("list"))
    .summary("show every app and every open token")
    .description(
      "Shows every app and every open token: its id, whether it is connected, the key that it signs with, when it last asked, and what it calls itself. What an app calls itself is its own claim.",
    )
    .option("--json", "print a JSON array")
    .addHelpText("after", "\nExample:\n  $ casemate apps list")
    .action(async ({ dataDir, json }: AppsOptions) => {
      const list = await withBunker(dataDir, (bunker) => bunker.call("apps.list", {}))
      if (json) return printJson(list)
      if (list.length === 0) return printHint("No app has a token yet; make one with `casemate pair`.")
      return printTable(
        ["ID", "STATUS", "KEY", "LAST USED", "APP"],
        list.map((app) => [app.id, app.status, keyOf(app), when(app.lastUsedAt), nameOf(app)]),
      )
    })

  withDataDir(apps.command("show"))
    .summary("show one app: who it is and what it may do")
    .description(
      "Shows one app: its public key, what it may do and what becomes of the rest, how long, what it asked for at first, where it is met, how it encrypts, and when it last asked.",
    )
    .argument("<id>", "its id, or enough of its beginning")
    .option("--json", "print a JSON object")
    .addHelpText("after", "\nExample:\n  $ casemate apps show 3f9a")
    .action(async (id: string, { dataDir, json }: AppsOptions) => {
      const app = await withBunker(dataDir, (bunker) => bunker.call("apps.show", { id }))
      if (json) return printJson(app)
      return showApp(app)
    })

  apps
    .addCommand(grantCommand())
    .addCommand(ungrantCommand())
    .addCommand(presetCommand())
    .addCommand(styleCommand())
    .addCommand(extendCommand())
    .addCommand(pauseCommand())
    .addCommand(resumeCommand())

  withDataDir(apps.command("revoke"))
    .summary("shut an app out, for good: it gets no signature any more")
    .description(
      "Shuts an app out, for good: from now on it gets no signature and no answer that uses a key. An open token is taken back in the same way. There is no way back but a new token.",
    )
    .argument("<id>", "its id, or enough of its beginning")
    .option("--json", "print a JSON object")
    .addHelpText("after", "\nExample:\n  $ casemate apps revoke 3f9a")
    .action(async (id: string, { dataDir, json }: AppsOptions) => {
      const app = await withBunker(dataDir, (bunker) => bunker.call("apps.revoke", { id }))
      if (json) return printJson(app)
      return print(`Revoked ${titleOf(app)}.`)
    })

  withDataDir(apps.command("nip04"))
    .summary("let an old app encrypt its messages to the bunker with NIP-04, or no longer")
    .description(
      "Lets an old app encrypt its messages to the bunker with NIP-04, or no longer. `apps show` says how many of its messages were dropped because it does.",
    )
    .argument("<id>", "its id, or enough of its beginning")
    .argument("<on|off>", "NIP-04 is weaker than NIP-44, so it is off unless an app knows nothing better")
    .option("--json", "print a JSON object")
    .addHelpText("after", "\nExample:\n  $ casemate apps nip04 3f9a on")
    .action(async (id: string, to: string, { dataDir, json }: AppsOptions) => {
      if (to !== "on" && to !== "off")
        throw new UserError(`NIP-04 is switched on or off, not ${JSON.stringify(to.slice(0, 40))}`)
      const app = await withBunker(dataDir, (bunker) => bunker.call("apps.nip04", { id, allowed: to === "on" }))
      if (json) return printJson(app)
      const now = app.nip04Transport
        ? "may encrypt its messages with NIP-04 now"
        : "must encrypt its messages with NIP-44"
      return print(`${titleOf(app)} ${now}.`)
    })

  return apps
}
