import { Command } from "commander"
import { grantSentence } from "../channel/grant-words.js"
import { kindWords } from "../channel/kind-names.js"
import type { DecisionExtent, RequestDetail, RequestSummary } from "../channel/owner-calls.js"
import type { OwnerClient } from "../channel/owner-client.js"
import { UserError } from "../config/user-error.js"
import { terminalWording } from "./apps/wording.js"
import { withBunker } from "./bunker.js"
import { formatDuration, parseDuration, withDataDir } from "./options.js"
import { npub, print, printHint, printJson, printTable, quoted, when } from "./output.js"
import { askYes, isInteractive } from "./prompt.js"
import { showChanges } from "./request-changes.js"
import { block, row } from "./rows.js"
import { UsageError } from "./usage.js"

interface RequestsOptions {
  dataDir?: string
  json?: boolean
}

interface ApproveOptions extends RequestsOptions {
  yes?: boolean
  always?: boolean
  for?: string
}

interface DenyOptions extends RequestsOptions {
  yes?: boolean
  block?: boolean
}

/** An event that is dated further off than this, in seconds, may be seen by nobody, or be meant for another day. */
const NEAR_NOW = 600

export function requestsCommand(): Command {
  const requests = new Command("requests").description("what apps ask for and you have not decided").addHelpText(
    "after",
    `
Examples:
  $ casemate requests list
  $ casemate requests show 8c1d
  $ casemate requests approve 8c1d --for 1h
  $ casemate requests deny 8c1d`,
  )

  withDataDir(requests.command("list"))
    .summary("show what waits for you")
    .description(
      "Shows what waits for you, oldest first; requests of one app that one approval for good would cover are one line. A request that was too late for its app can still be approved: the app is served when it asks again within ten minutes.",
    )
    .option("--json", "print a JSON object")
    .addHelpText("after", "\nExample:\n  $ casemate requests list")
    .action(async ({ dataDir, json }: RequestsOptions) => {
      const list = await withBunker(dataDir, (bunker) => bunker.call("requests.list", {}))
      if (json) return printJson(list)
      if (list.requests.length === 0) return printHint("Nothing waits for you.")
      printTable(
        ["ID", "APP", "KEY", "ASKS FOR", "STATE", "SINCE"],
        list.requests.map((request) => [
          request.id.slice(0, 8),
          nameOf(request),
          request.key,
          `${whatOf(request)}${request.count > 1 ? `, ${request.count} times` : ""}`,
          request.state === "pending" ? "waits" : "too late",
          when(request.askedAt),
        ]),
      )
      const more = list.total - list.requests.length
      if (more > 0) print(`and ${more} more`)
    })

  withDataDir(requests.command("show"))
    .summary("show one request: exactly what would be signed, encrypted or decrypted")
    .description(
      "Shows one request: exactly what would be signed, encrypted or decrypted. What cannot be seen is shown escaped. Of what takes the place of an earlier event, such as a profile or a list of follows, it is shown first what changes against the last one that was signed here.",
    )
    .argument("<id>", "its id, or enough of its beginning")
    .option("--json", "print a JSON object")
    .addHelpText("after", "\nExample:\n  $ casemate requests show 8c1d")
    .action(async (id: string, { dataDir, json }: RequestsOptions) => {
      const request = await withBunker(dataDir, (bunker) => bunker.call("requests.show", { id }))
      if (json) return printJson(request)
      return showRequest(request)
    })

  withDataDir(requests.command("approve"))
    .summary("let an app have what it asks for: this once, for a time, or always")
    .description(
      "Lets an app have what it asks for, and shows what that was. Equal requests that wait are approved with it. --for and --always cover everything of the same kind, of the same host for logins, and of the same person for encryption.",
    )
    .argument("<id>", "its id, or enough of its beginning")
    .option("--always", "and never ask again for the same")
    .option("--for <time>", "and not for so long, such as 1h")
    .option("--yes", "do not ask once more on a terminal")
    .option("--json", "print a JSON object")
    .addHelpText(
      "after",
      "\nExamples:\n  $ casemate requests approve 8c1d\n  $ casemate requests approve 8c1d --for 1h",
    )
    .action(async (id: string, { dataDir, json, yes, always, for: time }: ApproveOptions) => {
      if (always === true && time !== undefined)
        throw new UsageError("an approval is --always or --for a time, not both")
      const extent: DecisionExtent =
        always === true ? "always" : time === undefined ? "once" : { seconds: parseDuration(time, "--for") }
      const { request, result } = await withBunker(dataDir, async (bunker) => {
        const request = await seen(bunker, id, { json, yes, question: "Approve this?" })
        const { digest } = request
        return { request, result: await bunker.call("requests.approve", { id: request.id, digest, extent }) }
      })
      if (json) return printJson({ ...request, ...result })
      const others = result.served > 1 ? `, with ${result.served - 1} more of the same` : ""
      print(result.isLate ? lateWords(request, extent) : `Approved${others}.`)
      if (extent === "always") print(`From now on it ${scopeWords(request)}.`)
      else if (extent !== "once") print(`For ${formatDuration(extent.seconds)} it ${scopeWords(request)}.`)
      return undefined
    })

  withDataDir(requests.command("deny"))
    .summary("refuse what an app asks for")
    .description("Refuses what an app asks for, and shows what that was. Equal requests that wait are refused with it.")
    .argument("<id>", "its id, or enough of its beginning")
    .option("--block", "and refuse the same at once from now on")
    .option("--yes", "do not ask once more on a terminal")
    .option("--json", "print a JSON object")
    .addHelpText("after", "\nExample:\n  $ casemate requests deny 8c1d --block")
    .action(async (id: string, { dataDir, json, yes, block = false }: DenyOptions) => {
      const { request, result } = await withBunker(dataDir, async (bunker) => {
        const request = await seen(bunker, id, { json, yes, question: "Deny this?" })
        const { digest } = request
        return { request, result: await bunker.call("requests.deny", { id: request.id, digest, block }) }
      })
      if (json) return printJson({ ...request, ...result })
      if (result.isLate && !block) return print("Denied; its app had been told already that nobody decided.")
      return print(block ? "Denied, and its app is not to ask for this again." : "Denied.")
    })

  return requests
}

interface SeenOptions {
  readonly json: boolean | undefined
  readonly yes: boolean | undefined
  readonly question: string
}

/** Shows what is to be decided, and asks whoever sits there: the digest of what they saw goes with the decision. */
async function seen(bunker: OwnerClient, id: string, { json, yes, question }: SeenOptions): Promise<RequestDetail> {
  const request = await bunker.call("requests.show", { id })
  if (json === true) return request
  showRequest(request)
  print()
  if (yes !== true && isInteractive() && !(await askYes(question))) throw new UserError("nothing was decided")
  return request
}

function nameOf({ app }: RequestSummary): string {
  return app.name === "" ? app.id : quoted(app.name)
}

function whatOf({ method, param }: RequestSummary): string {
  if (param === undefined) return method
  return method === "sign_event" ? `sign ${kindWords(param)}` : `${method} ${npub(param).slice(0, 16)}…`
}

function showRequest(request: RequestDetail): void {
  const { id, app, key, userPubkey, asks, askedAt } = request
  row("id", id)
  row("app", `${app.name === "" ? "(no name)" : quoted(app.name)} (${app.id})`)
  row("signs as", `${key} (${npub(userPubkey)})`)
  row("asked", when(askedAt))
  if (!("kind" in asks)) {
    row("wants", `to ${asks.method.endsWith("_encrypt") ? "encrypt" : "decrypt"} (${asks.method})`)
    row("with", npub(asks.counterparty))
    row("--always", `lets it ${scopeWords(request).replace(/^may /, "")}`)
    block(asks.method.endsWith("_encrypt") ? "text" : "sealed", asks.text)
    return
  }
  row("wants", `to sign ${kindWords(asks.kind)}`)
  const isNear = Math.abs(asks.createdAt - askedAt) <= NEAR_NOW
  row("dated", `${when(asks.createdAt)}${isNear ? "" : ", which is far from when it was asked"}`)
  row("--always", `lets it ${scopeWords(request).replace(/^may /, "")}`)
  if (asks.previous !== undefined) showChanges(asks.previous, asks)
  for (const tag of asks.tags) row("tag", tag.map((part) => quoted(part)).join(" "))
  block("content", asks.content)
}

/** A login that is asked for again has a challenge of its own, so that approving the old one serves nobody. */
function lateWords({ scope }: RequestDetail, extent: DecisionExtent): string {
  const isLogin = scope.conditions.host !== undefined || scope.conditions.action !== undefined
  if (extent === "once" && isLogin) return "Approved, but too late for this login; --for or --always serves the next."
  return "Approved; its app had given up, and is served when it asks again."
}

/** What an approval that lasts lets it do: `may sign notes (kind 1)`. */
function scopeWords({ scope }: RequestDetail): string {
  const lasting = { id: "", effect: "allow", expiresAt: undefined, usesLeft: undefined, rate: undefined } as const
  return grantSentence({ ...lasting, ...scope }, terminalWording())
}
