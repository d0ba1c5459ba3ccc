import { parsePermissions } from "@casemate/nip46/protocol"
import { Argument, Command } from "commander"
import { grantLines } from "../../channel/grant-words.js"
import type { PresetInfo } from "../../channel/owner-calls.js"
import { UserError } from "../../config/user-error.js"
import { withBunker } from "../bunker.js"
import { withDataDir } from "../options.js"
import { print, printHint, printJson } from "../output.js"
import { askYes, isInteractive } from "../prompt.js"
import { UsageError } from "../usage.js"
import { titleOf } from "./name.js"
import { terminalWording } from "./wording.js"

interface PresetOptions {
  dataDir?: string
  list?: boolean
  yes?: boolean
  json?: boolean
}

export function presetCommand(): Command {
  return withDataDir(new Command("preset"))
    .summary("give an app a ready answer in place of all its grants: ask, social or full")
    .description(
      "Gives an app a ready answer to what it may do, in place of all that was granted; what you denied stays denied, and what the preset leaves out asks you. --list says what each contains.",
    )
    .argument("[id]", "its id, or enough of its beginning")
    .addArgument(new Argument("[preset]", "which one").choices(["ask", "social", "full"]))
    .option("--list", "show what each preset contains")
    .option("--yes", "give the preset full without asking")
    .option("--json", "print a JSON object, or with --list an array")
    .addHelpText(
      "after",
      `
Examples:
  $ casemate apps preset --list
  $ casemate apps preset 3f9a social
  $ casemate apps preset 3f9a full --yes`,
    )
    .action(preset)
}

async function preset(id: string | undefined, name: string | undefined, options: PresetOptions): Promise<void> {
  const { dataDir, list = false, yes = false, json = false } = options
  if (list) {
    if (id !== undefined) throw new UsageError("--list is for all apps; leave the id out, or leave --list out")
    return listPresets(dataDir, json)
  }
  if (id === undefined) throw new UsageError("<id> is missing; `casemate apps preset --help` shows an example")
  if (name === undefined)
    throw new UsageError("<preset> is missing; `casemate apps preset --list` shows those there are")
  await withBunker(dataDir, async (bunker) => {
    const before = await bunker.call("apps.show", { id })
    const chosen = (await bunker.call("apps.presets", {})).find((each) => each.name === name)
    if (chosen?.name === "full" && !yes) {
      if (json || !isInteractive())
        throw new UserError("nobody is here to be asked: add --yes to give this app the preset full")
      print(`${titleOf(before)} would sign for you without asking:`)
      showPreset(chosen)
      if (!(await askYes("Give it the preset full?"))) throw new UserError("nothing was changed")
    }
    const app = await bunker.call("apps.preset", { id: before.id, preset: name })
    if (json) return printJson(app)
    print(`${titleOf(app)} has the preset ${name}: it ${chosen?.summary ?? "is set"}.`)
    if (before.style === "deny")
      printHint(`To have the rest refused at once instead: \`casemate apps style ${app.id} deny\``)
    return undefined
  })
}

async function listPresets(dataDir: string | undefined, json: boolean): Promise<void> {
  const presets = await withBunker(dataDir, (bunker) => bunker.call("apps.presets", {}))
  if (json) return printJson(presets)
  for (const each of presets) showPreset(each)
}

function showPreset({ name, summary, perms }: PresetInfo): void {
  print(`${name.padEnd(8)}${summary}`)
  const grants = parsePermissions(perms.join(",")).map((permission, i) => ({
    ...permission,
    id: String(i),
    effect: "allow" as const,
    expiresAt: undefined,
    usesLeft: undefined,
    rate: undefined,
    conditions: {},
  }))
  for (const { words } of grantLines(grants, terminalWording())) print(`          ${words}`)
}
