import { Command } from "commander"
import type { AppInfo } from "../channel/owner-calls.js"
import { UserError } from "../config/user-error.js"
import { withBunker } from "./bunker.js"
import { withDataDir } from "./options.js"
import { npub, print, printHint, printJson, printTable, quoted, safe, when } from "./output.js"

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
      "Shows one app: its public key, where it is met, what it may do, what it asked for at first, how it encrypts, and when it last asked.",
    )
    .argument("<id>", "its id, or enough of its beginning")
    .option("--json", "print a JSON object")
    .addHelpText("after", "\nExample:\n  $ casemate apps show 3f9a")
    .action(async (id: string, { dataDir, json }: AppsOptions) => {
      const app = await withBunker(dataDir, (bunker) => bunker.call("apps.show", { id }))
      if (json) return printJson(app)
      return showApp(app)
    })

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
      return print(`Revoked ${nameOf(app)} (${app.id}).`)
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
      return print(`${nameOf(app)} (${app.id}) ${now}.`)
    })

  return apps
}

/** What an app calls itself is its own claim, so it is always shown as one. */
export function nameOf({ name, clientPubkey }: AppInfo): string {
  if (name !== "") return quoted(name)
  return clientPubkey === undefined ? "(nobody yet)" : "(no name)"
}

function keyOf({ key }: AppInfo): string {
  return key === "" ? "(removed)" : key
}

function showApp(app: AppInfo): void {
  const rows: [string, string][] = [
    ["id", app.id],
    ["status", app.status],
    ["calls itself", nameOf(app)],
    ["web page", app.url === undefined ? "not said" : safe(app.url)],
    ["its public key", app.clientPubkey ?? "nobody has connected yet"],
    ["signs as", `${keyOf(app)} (${npub(app.userPubkey)})`],
    ["may", app.perms.join(", ") || "nothing"],
    ["asked for", app.requestedPerms === "" ? "nothing in particular" : safe(app.requestedPerms)],
    ["reached over", app.relays.join(", ")],
    ["encryption", encryptionOf(app)],
    ["since", when(app.createdAt)],
    ["last used", when(app.lastUsedAt)],
  ]
  for (const [label, value] of rows) print(`${label.padEnd(15)} ${value}`)
}

function encryptionOf({ id, nip04Transport, nip04Dropped }: AppInfo): string {
  if (nip04Transport) return "NIP-44, and NIP-04 because you allow it"
  if (nip04Dropped === 0) return "NIP-44"
  const messages = nip04Dropped === 1 ? "1 message" : `${nip04Dropped} messages`
  return `NIP-44; ${messages} in the old NIP-04 dropped: \`casemate apps nip04 ${id} on\` allows it`
}
