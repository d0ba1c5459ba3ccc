import { Nip46Error, parseNostrconnectToken } from "@casemate/nip46/protocol"
import type { AcceptArgs, AppInfo, PreviewInfo, RequestInfo } from "../channel/owner-calls.js"
import { parseDataDir, parseRelays } from "../config/config.js"
import { UserError } from "../config/user-error.js"
import { nameOf } from "./apps/name.js"
import { withBunker, withBunkerAgain } from "./bunker.js"
import { npub, print, printJson, quoted, safe } from "./output.js"
import type { PairOptions } from "./pair.js"
import { askYes, isInteractive } from "./prompt.js"

/** Lets an app in that shows a nostrconnect:// token: shows who asks for what, asks, and waits for its first request. */
export async function pairWith(uri: string, options: PairOptions): Promise<void> {
  const { dataDir, wait, json = false, yes = false } = options
  const args = argsOf(uri, options)
  if (!yes && (json || !isInteractive())) {
    throw new UserError("nobody is here to be asked: add --yes to let this app in, and --perms for what it may do")
  }
  const folder = parseDataDir(dataDir)
  const app = await withBunker(folder, async (bunker) => {
    if (!json) showProposal(await bunker.call("connections.preview", args))
    if (!yes && !(await askYes("Let it in?"))) throw new UserError("the app was not let in, and nothing was changed")
    return bunker.call("connections.accept", args)
  })
  if (json) printJson({ event: "accepted", ...app })
  else
    print(
      app.isNew
        ? `Let in: ${nameOf(app)} (${app.id}).`
        : `This token was let in before, as ${app.id}; nothing was changed.`,
    )
  if (wait) await showFirstRequest(folder, app, json)
}

/** @throws UserError that says what is wrong with the token, before any bunker is asked */
function argsOf(uri: string, { key, perms, relay, ttl, style, allowPrivateRelays }: PairOptions): AcceptArgs {
  if (ttl !== undefined)
    throw new UserError("--ttl is for a token that the bunker makes; leave it out with an app's own")
  if (/^bunker:/i.test(uri.trim())) {
    throw new UserError(
      "a bunker:// token goes into the app; what goes here is the nostrconnect:// token that an app shows",
    )
  }
  try {
    parseNostrconnectToken(uri)
  } catch (error) {
    if (!(error instanceof Nip46Error)) throw error
    // The shell takes an & for itself, and what follows it is lost.
    const isCut = ["secret", "relay"].includes(String(error.details["field"])) && !uri.includes("&")
    throw new UserError(isCut ? `${error.message}; put the whole token in quotes` : error.message)
  }
  return {
    uri,
    ...(key === undefined ? {} : { key }),
    ...(perms === undefined ? {} : { perms }),
    ...(relay === undefined ? {} : { relays: parseRelays(relay) }),
    ...(style === undefined ? {} : { style }),
    ...(allowPrivateRelays === true ? { allowPrivateRelays } : {}),
  }
}

function showProposal(preview: PreviewInfo): void {
  const { name, url, clientPubkey, relays, refusedRelays, movesTo, requestedPerms, perms, notGranted, key } = preview
  const rows: [string, string][] = [
    ["calls itself", name === "" ? "(no name)" : quoted(name)],
    ["web page", url === undefined ? "not said" : safe(url)],
    ["its public key", clientPubkey],
    ["meets at", relays.map(safe).join(", ")],
    ...refusedRelays.map((relay): [string, string] => ["not dialled", `${safe(relay.url)}: ${relay.why}`]),
    ...(movesTo.length === 0 ? [] : [["moves to", movesTo.join(", ")] satisfies [string, string]]),
    ["asks for", requestedPerms === "" ? "nothing in particular" : safe(requestedPerms.slice(0, 1_024))],
    ["may", perms.join(", ") || "know your public key, and nothing else; --perms gives it more"],
    ...(notGranted.length === 0
      ? []
      : [["may not", `${notGranted.join(", ")}; --perms decides`] satisfies [string, string]]),
    ["signs as", `${key} (${npub(preview.userPubkey)})`],
  ]
  print("An app asks to be let in:")
  for (const [label, value] of rows) print(`  ${label.padEnd(15)} ${value}`)
}

async function showFirstRequest(folder: string, { id, lastUsedAt }: AppInfo, json: boolean): Promise<void> {
  if (!json && lastUsedAt === undefined) {
    print("\nWaiting for its first request; Ctrl-C ends the waiting, not the connection.")
  }
  const { app, request } = await withBunkerAgain(folder, (bunker) => bunker.call("connections.firstRequest", { id }))
  if (json) printJson({ event: "first_request", id: app.id, ...request })
  else print(`${nameOf(app)} is connected${request === undefined ? "" : `; it asked first: ${describe(request)}`}.`)
}

function describe({ action, param, verdict, why }: RequestInfo): string {
  const what = safe(param === undefined ? action : `${action} ${param}`)
  return verdict === "allow" ? what : `${what}, and was refused: ${safe(why)}`
}
