import { Command, Option } from "commander"
import type { ApprovalStyle } from "../channel/owner-calls.js"
import { parseDataDir, parseRelays } from "../config/config.js"
import { UserError } from "../config/user-error.js"
import { nameOf } from "./apps/name.js"
import { withBunker, withBunkerAgain } from "./bunker.js"
import { collect, formatDuration, parseDuration, withDataDir } from "./options.js"
import { npub, print, printJson } from "./output.js"
import { pairWith } from "./pair-with.js"
import { showToken, unreachableRelays } from "./token.js"

const DEFAULT_TTL = 600
const FLAGS = { yes: "--yes", allowPrivateRelays: "--allow-private-relays" } as const

export interface PairOptions {
  dataDir?: string
  key?: string
  perms?: string
  ttl?: number
  relay?: string[]
  style?: ApprovalStyle
  wait: boolean
  json?: boolean
  yes?: boolean
  allowPrivateRelays?: boolean
}

export function pairCommand(): Command {
  return withDataDir(new Command("pair"))
    .summary("let one more app in: print a token for it, or take the token that it shows")
    .description(
      "Lets one more app in. Without a token it prints one for the app, as text and as a QR code, and waits until the app connects; a token is good for one app and for a limited time. With the nostrconnect:// token that an app shows, it says who asks for what, asks for your yes, and lets that app in. Needs a running bunker.",
    )
    .argument("[token]", "the nostrconnect:// token that an app shows, in quotes")
    .option("--key <name>", "which key it signs with (default: the first)")
    .option(
      "--perms <list>",
      "what it may do, such as sign_event:1,nip44_encrypt (default: everyday posts and messages; of them only what it asks for, when it shows its own token)",
    )
    .option("--ttl <time>", "how long the token lives: 90s, 10m, 1h, 7d (default: 10m)", (text: string) =>
      parseDuration(text),
    )
    .option(
      "--relay <url>",
      "the Nostr relay to meet at; may be given several times (default: the bunker's own)",
      collect,
    )
    .addOption(
      new Option(
        "--style <style>",
        "what becomes of what it may not do (default: auth_url where the bunker has a public page, else deny); all but deny ask you",
      ).choices(["auth_url", "hold", "deny"]),
    )
    .option("--yes", "let the app that shows a token in without asking")
    .option("--allow-private-relays", "also dial relays of an app's token that are unencrypted or in a private network")
    .option("--no-wait", "do not wait for the app")
    .option("--json", "print one JSON object a line")
    .addHelpText(
      "after",
      `
Permissions, with commas between them:
  sign_event:KIND                 sign events of that kind: 1 is a note, 7 a reaction
  sign_event                      sign every everyday kind
  nip44_encrypt, nip44_decrypt    read and write encrypted messages
  nip04_encrypt, nip04_decrypt    the same in the old format

Examples:
  $ casemate pair
  $ casemate pair --perms sign_event:1,sign_event:7 --ttl 1h
  $ casemate pair 'nostrconnect://…'
  $ casemate pair --no-wait --json`,
    )
    .action(pair)
}

async function pair(token: string | undefined, options: PairOptions): Promise<void> {
  if (token !== undefined) return pairWith(token, options)
  for (const flag of ["yes", "allowPrivateRelays"] as const) {
    if (options[flag] === true)
      throw new UserError(`${FLAGS[flag]} is for the nostrconnect:// token of an app; give that too`)
  }
  const { dataDir, key, perms, ttl = DEFAULT_TTL, relay, style, wait, json } = options
  const relays = relay === undefined ? undefined : parseRelays(relay)
  const folder = parseDataDir(dataDir)
  const { id } = await withBunker(folder, async (bunker) => {
    const offer = await bunker.call("connections.offer", {
      ttl,
      ...(key === undefined ? {} : { key }),
      ...(perms === undefined ? {} : { perms }),
      ...(relays === undefined ? {} : { relays }),
      ...(style === undefined ? {} : { style }),
    })
    const { id, uri, expiresAt } = offer
    if (json)
      printJson({ uri, id, relays: offer.relays, userPubkey: offer.userPubkey, expiresAt, ...unreachableRelays(offer) })
    else {
      print(`A token for one app, good for ${formatDuration(ttl)}; whoever has it can connect:`)
      showToken(offer)
    }
    return offer
  })
  if (!wait) return
  if (!json) print("\nWaiting for the app to connect; Ctrl-C ends the waiting, not the token.")
  const app = await withBunkerAgain(folder, (bunker) => bunker.call("connections.wait", { id }))
  if (json) printJson({ event: "connected", ...app })
  else print(`Connected: ${nameOf(app)}, public key ${app.clientPubkey}, signs as ${npub(app.userPubkey)}.`)
}
