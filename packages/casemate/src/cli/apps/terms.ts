import { Argument, Command, Option } from "commander"
import { STYLE_WORDS } from "../../channel/grant-words.js"
import type { ApprovalStyle } from "../../channel/owner-calls.js"
import { withBunker } from "../bunker.js"
import { parseDuration, parseUntil, withDataDir } from "../options.js"
import { print, printHint, printJson, when } from "../output.js"
import { UsageError } from "../usage.js"
import { titleOf } from "./name.js"

interface AppOptions {
  dataDir?: string
  json?: boolean
}

interface ExtendOptions extends AppOptions {
  for?: number
  until?: number
  forever?: boolean
}

const ID = "its id, or enough of its beginning"

export function extendCommand(): Command {
  return withDataDir(new Command("extend"))
    .summary("set how long an app stays connected")
    .description(
      "Sets how long an app stays connected, counted from now; whatever was set before no longer counts. A session that has run out begins again.",
    )
    .argument("<id>", ID)
    .addOption(
      new Option("--for <time>", "for so long from now: 10m, 1h, 30d")
        .argParser((text) => parseDuration(text, "--for"))
        .conflicts(["until", "forever"]),
    )
    .addOption(
      new Option("--until <time>", "until then: 2030-12-31, which ends with that day, or 2030-12-31T18:00")
        .argParser(parseUntil)
        .conflicts("forever"),
    )
    .option("--forever", "until you revoke it")
    .option("--json", "print a JSON object")
    .addHelpText(
      "after",
      "\nExamples:\n  $ casemate apps extend 3f9a --for 30d\n  $ casemate apps extend 3f9a --until 2030-12-31\n  $ casemate apps extend 3f9a --forever",
    )
    .action(async (id: string, options: ExtendOptions) => {
      const expiresAt = endOf(options)
      const app = await withBunker(options.dataDir, (bunker) => bunker.call("apps.extend", { id, expiresAt }))
      if (options.json) return printJson(app)
      const end = app.expiresAt === undefined ? "you revoke it" : when(app.expiresAt)
      return print(`${titleOf(app)} stays connected until ${end}.`)
    })
}

function endOf(options: ExtendOptions): number | null {
  if (options.forever === true) return null
  if (options.for !== undefined) return Math.floor(Date.now() / 1000) + options.for
  if (options.until !== undefined) return options.until
  throw new UsageError("how long is missing: give --for, --until or --forever")
}

export function pauseCommand(): Command {
  return withDataDir(new Command("pause"))
    .summary("stop an app for a while: it gets no signature until you resume it")
    .description(
      "Stops an app for a while: whatever it asks is refused with an error that says so, until `casemate apps resume`. It keeps its grants.",
    )
    .argument("<id>", ID)
    .option("--json", "print a JSON object")
    .addHelpText("after", "\nExample:\n  $ casemate apps pause 3f9a")
    .action(async (id: string, { dataDir, json }: AppOptions) => {
      const app = await withBunker(dataDir, (bunker) => bunker.call("apps.pause", { id }))
      if (json) return printJson(app)
      return printHint(`Paused ${titleOf(app)}; \`casemate apps resume ${app.id}\` lets it go on.`)
    })
}

export function resumeCommand(): Command {
  return withDataDir(new Command("resume"))
    .summary("let an app go on that you paused")
    .description("Lets an app go on that you paused, with the grants that it had.")
    .argument("<id>", ID)
    .option("--json", "print a JSON object")
    .addHelpText("after", "\nExample:\n  $ casemate apps resume 3f9a")
    .action(async (id: string, { dataDir, json }: AppOptions) => {
      const app = await withBunker(dataDir, (bunker) => bunker.call("apps.resume", { id }))
      if (json) return printJson(app)
      if (app.status !== "expired") return print(`Resumed ${titleOf(app)}.`)
      return printHint(
        `${titleOf(app)} is not paused any more, but its session is over; \`casemate apps extend ${app.id} --for 30d\` begins it again.`,
      )
    })
}

export function styleCommand(): Command {
  return withDataDir(new Command("style"))
    .summary("choose what becomes of what an app is not granted")
    .description("Chooses what becomes of what an app asks for and is not granted. What you denied is always refused.")
    .argument("<id>", ID)
    .addArgument(new Argument("<style>", "which one").choices(["auth_url", "hold", "deny"]))
    .option("--json", "print a JSON object")
    .addHelpText(
      "after",
      `
Styles:
  auth_url   ask you: the app is sent to a page where you decide, and waits
  hold       ask you: the app waits, and hears nothing until you decide
  deny       refuse it at once

Example:
  $ casemate apps style 3f9a hold`,
    )
    .action(async (id: string, style: ApprovalStyle, { dataDir, json }: AppOptions) => {
      const app = await withBunker(dataDir, (bunker) => bunker.call("apps.style", { id, style }))
      if (json) return printJson(app)
      return print(`Anything else that ${titleOf(app)} asks for ${STYLE_WORDS[app.style]}.`)
    })
}
