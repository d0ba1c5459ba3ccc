import { grantLines, STYLE_WORDS } from "../../channel/grant-words.js"
import type { AppInfo, GrantInfo } from "../../channel/owner-calls.js"
import { npub, print, safe, when } from "../output.js"
import { nameOf } from "./name.js"
import { terminalWording } from "./wording.js"

const LABEL_WIDTH = 15

export function showApp(app: AppInfo): void {
  const { grants } = app
  const denied = linesOf(grants.filter(({ effect }) => effect === "deny"))
  const rows: [string, string | readonly string[]][] = [
    ["id", app.id],
    ["status", app.status],
    ["calls itself", nameOf(app)],
    ["web page", app.url === undefined ? "not said" : safe(app.url)],
    ["its public key", app.clientPubkey ?? "nobody has connected yet"],
    ["signs as", `${keyOf(app)} (${npub(app.userPubkey)})`],
    ["may", linesOf(grants.filter(({ effect }) => effect === "allow"))],
    ...(denied.length === 0 ? [] : [["never", denied] satisfies [string, string[]]]),
    ["anything else", STYLE_WORDS[app.style]],
    ["session ends", app.expiresAt === undefined ? "when you revoke it" : when(app.expiresAt)],
    ["asked for", app.requestedPerms === "" ? "nothing in particular" : safe(app.requestedPerms)],
    ["reached over", app.relays.join(", ")],
    ["encryption", encryptionOf(app)],
    ["since", when(app.createdAt)],
    ["last used", when(app.lastUsedAt)],
  ]
  for (const [label, value] of rows) {
    const [first = "nothing", ...more] = typeof value === "string" ? [value] : value
    print(`${label.padEnd(LABEL_WIDTH)} ${first}`)
    for (const line of more) print(`${"".padEnd(LABEL_WIDTH)} ${line}`)
  }
}

/** The key that it signs with. */
export function keyOf({ key }: AppInfo): string {
  return key === "" ? "(removed)" : key
}

/** What is limited has an id, by which that alone can be taken back. */
function linesOf(grants: readonly GrantInfo[]): string[] {
  return grantLines(grants, terminalWording()).map(({ words, ids, isLimited }) =>
    isLimited ? `${words} [${ids.join(", ")}]` : words,
  )
}

function encryptionOf({ id, nip04Transport, nip04Dropped }: AppInfo): string {
  if (nip04Transport) return "NIP-44, and NIP-04 because you allow it"
  if (nip04Dropped === 0) return "NIP-44"
  const messages = nip04Dropped === 1 ? "1 message" : `${nip04Dropped} messages`
  return `NIP-44; ${messages} in the old NIP-04 dropped: \`casemate apps nip04 ${id} on\` allows it`
}
