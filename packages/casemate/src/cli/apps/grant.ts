import { formatPermission, parsePermissions } from "@casemate/nip46/protocol"
import { Command } from "commander"
import { grantLines, isLimited, listed } from "../../channel/grant-words.js"
import type { AppInfo, GrantInfo } from "../../channel/owner-calls.js"
import { withBunker } from "../bunker.js"
import { withDataDir } from "../options.js"
import { print, printHint, printJson } from "../output.js"
import { type LimitOptions, limitsOf, withLimits } from "./limits.js"
import { titleOf } from "./name.js"
import { terminalWording } from "./wording.js"

interface AppOptions {
  dataDir?: string
  json?: boolean
}

export function grantCommand(): Command {
  return withLimits(withDataDir(new Command("grant")))
    .summary("let an app do something more, with limits; or deny it for good")
    .description(
      "Lets an app do something more, or denies it. Limits hold for each of the permissions that are named. Granting the same once more sets its limits anew. A denial outweighs every grant.",
    )
    .argument("<id>", "its id, or enough of its beginning")
    .argument("<perms>", "what it may do, such as sign_event:1,nip44_encrypt")
    .option("--json", "print a JSON object")
    .addHelpText(
      "after",
      `
Examples:
  $ casemate apps grant 3f9a sign_event:1,sign_event:7
  $ casemate apps grant 3f9a sign_event:30023 --for 1h --uses 3
  $ casemate apps grant 3f9a sign_event:1 --rate 20/h --until 2030-12-31
  $ casemate apps grant 3f9a nip44_encrypt,nip44_decrypt --with npub1…
  $ casemate apps grant 3f9a sign_event:27235 --host api.example.com --action GET
  $ casemate apps grant 3f9a sign_event:5 --deny`,
    )
    .action(grant)
}

async function grant(id: string, perms: string, options: LimitOptions & AppOptions): Promise<void> {
  const { dataDir, json } = options
  const limits = limitsOf(options, Math.floor(Date.now() / 1000))
  const { before, after } = await withBunker(dataDir, async (bunker) => ({
    before: await bunker.call("apps.show", { id }),
    after: await bunker.call("apps.grant", { id, perms, ...limits }),
  }))
  if (json) return printJson(after)
  const known = new Set(before.grants.map((each) => each.id))
  const added = after.grants.filter((each) => !known.has(each.id))
  const words = listed(
    grantLines(added, terminalWording()).map((line) => line.words),
    options.deny === true ? "or" : "and",
  )
  print(`${titleOf(after)} may ${options.deny === true ? "never " : ""}${words}.`)
  for (const wider of added.flatMap((each) => widerThan(each, after))) {
    printHint(
      `It may do that without these limits too; \`casemate apps ungrant ${after.id} ${wider.id}\` takes ${formatPermission(wider)} back.`,
    )
  }
}

/** What lets an app do without limit what a new grant would limit. */
function widerThan(limited: GrantInfo, { grants }: AppInfo): GrantInfo[] {
  if (limited.effect === "deny" || !isLimited(limited)) return []
  return grants.filter(
    (each) =>
      each.effect === "allow" && !isLimited(each) && each.method === limited.method && each.param === limited.param,
  )
}

export function ungrantCommand(): Command {
  return withDataDir(new Command("ungrant"))
    .summary("take grants or denials back")
    .description(
      "Takes grants or denials back: all those of exactly the permissions that are named, or one by its id or the beginning of it, which `apps show` puts in brackets behind what is limited.",
    )
    .argument("<id>", "its id, or enough of its beginning")
    .argument("<perms|grant>", "permissions, such as sign_event:1,nip44_encrypt, or the id of one grant")
    .option("--json", "print a JSON object")
    .addHelpText(
      "after",
      "\nExamples:\n  $ casemate apps ungrant 3f9a sign_event:1\n  $ casemate apps ungrant 3f9a 81c0",
    )
    .action(async (id: string, what: string, { dataDir, json }: AppOptions) => {
      const app = await withBunker(dataDir, (bunker) => bunker.call("apps.ungrant", { id, what }))
      if (json) return printJson(app)
      return print(`${titleOf(app)} ${lossOf(what)}.`)
    })
}

/** keyd has read it: either of the two. */
function lossOf(what: string): string {
  if (/^[0-9a-f]+$/.test(what)) return `no longer has the grant ${what}`
  return `has no grant and no denial of ${parsePermissions(what).map(formatPermission).join(", ")} any more`
}
