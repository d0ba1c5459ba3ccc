import { Command } from "commander"
import type { KeyInfo } from "../channel/owner-calls.js"
import { BunkerGoneError, OwnerCallError, type OwnerClient } from "../channel/owner-client.js"
import { type Config, type ConfigInput, parseConfig } from "../config/config.js"
import { createLogger } from "../config/log.js"
import { pageUrls } from "../config/pages.js"
import { UserError } from "../config/user-error.js"
import { type Daemon, startDaemon } from "../daemon.js"
import { withBunkerAgain } from "./bunker.js"
import { askSecretKey } from "./key-input.js"
import { commandName } from "./npm.js"
import { collect, withDataDir } from "./options.js"
import { npub, print, printJson, safe, shellWord } from "./output.js"
import { isInteractive } from "./prompt.js"
import { untilToldToStop } from "./signal.js"
import { showToken, unreachableRelays } from "./token.js"

const TOKEN_TTL = 3_600
const FIRST_KEY = "default"

interface Introduction {
  readonly config: Config
  readonly options: StartOptions
  readonly signal: AbortSignal
}

interface StartOptions extends ConfigInput {
  json?: boolean
}

export function startCommand(): Command {
  return withDataDir(new Command("start"))
    .summary("run the bunker and print a token for one app")
    .description(
      "Runs the bunker until it is told to stop, and prints a token for one app. The first start makes the data folder and asks for a key, or makes one. The keys are held by a process of their own, which has no network; another one meets the apps at the relays and serves the built-in relay.",
    )
    .option("--http <host:port>", "where its web server listens (default: localhost:4646; port 0 picks one)")
    .option(
      "--relay <url>",
      "meet apps at this Nostr relay, so that those on other devices can reach the bunker; may be given several times (default: a built-in one, for this computer)",
      collect,
    )
    .option(
      "--public-url <url>",
      "under which the web server is reached from elsewhere, such as https://bunker.example.com",
    )
    .option("--webhook <url>", "post there when a request waits for you: an ntfy topic, or whatever takes a JSON body")
    .option("--webhook-details", "and say there which app asks, and for what; not a word of its content")
    .option("--json", "print one JSON object a line")
    .addHelpText(
      "after",
      `
Examples:
  $ casemate start
  $ casemate start --relay wss://relay.example.com
  $ casemate start --data-dir ./bunker --http localhost:0 --json

Environment:
  CASEMATE_CONFIG_DIR   where the root key lies that opens the data folder
  CASEMATE_LOG_LEVEL    trace, debug, info, warn (default), error or silent; logs go to stderr
  CASEMATE_WEBHOOK      the same as --webhook, which everybody on this machine can read while it runs
  CASEMATE_CRYPTO       native, wasm or portable; the fastest that is here, unless told`,
    )
    .action(start)
}

async function start(options: StartOptions): Promise<void> {
  const config = parseConfig(options)
  const log = createLogger("daemon", config.logLevel)
  const leaving = new AbortController()
  const stopped = untilToldToStop().then(() => leaving.abort())
  const daemon = await startDaemon(config, log)
  try {
    const { signal } = leaving
    try {
      await withBunkerAgain(config.dataDir, (bunker) => introduce(bunker, daemon, { config, options, signal }), {
        hasRun: true,
        signal,
      })
    } catch (error) {
      // Told to stop while it waited for a first key: that is an orderly end.
      if (!signal.aborted) throw error
    }
    await stopped
  } finally {
    await daemon.stop()
  }
}

/** Makes sure that there is a key, and shows the token for the first app. */
async function introduce(
  bunker: OwnerClient,
  { gateway }: Daemon,
  { config, options, signal }: Introduction,
): Promise<void> {
  const json = options.json === true
  const known = (await bunker.call("keys.list", {}))[0]
  const key = known ?? (await firstKey(bunker, json, signal))
  const offer = await bunker
    .call("connections.offer", { key: key.pubkey, ttl: TOKEN_TTL, relays: gateway.relays })
    .catch((error: Error) => {
      if (known !== undefined || error instanceof BunkerGoneError) throw error
      throw new UserError(`${error.message}; your key is kept in ${config.dataDir}`)
    })
  if (json) {
    printJson({
      event: "ready",
      bunker: offer.uri,
      relays: offer.relays,
      http: gateway.http,
      userPubkey: offer.userPubkey,
      dataDir: config.dataDir,
      ...unreachableRelays(offer),
    })
    return
  }
  print(`The bunker is running and signs as ${key.name}: ${npub(key.pubkey)}`)
  print()
  print("To let an app sign with this key, paste this token into it (for one app, good for 1 h):")
  showToken(offer)
  print()
  await showPages(bunker, gateway.http, config)
  // The next command must find this bunker: a folder that was named has to be named again.
  const folder = options.dataDir === undefined ? "" : ` --data-dir ${shellWord(config.dataDir)}`
  print(`  another token   ${commandName()} pair${folder}`)
  print(`  who may sign    ${commandName()} apps list${folder}`)
  print("  stop            Ctrl-C")
}

/** Where owners decide in a browser; the first one is let in by what stands here. */
async function showPages(bunker: OwnerClient, http: string, config: Config): Promise<void> {
  const owners = await bunker.call("owners.list", {})
  if (owners.length === 0) {
    const { url } = await bunker.call("owners.invite", {})
    print("To decide in a browser what apps may do, open this within 10 minutes:")
    print()
    print(`  ${url}`)
  } else {
    print(`What apps ask for is decided at ${pageUrls(config, http)[0]}`)
  }
  print()
}

async function firstKey(bunker: OwnerClient, json: boolean, signal: AbortSignal): Promise<KeyInfo> {
  if (json || !isInteractive()) return bunker.call("keys.generate", { name: FIRST_KEY })
  print("This bunker holds no key yet.")
  for (;;) {
    const typed = await askSecretKey("Paste your nsec (it is not shown), or press Enter for a new key: ", { signal })
    if (typed.secretKey.trim() === "") return bunker.call("keys.generate", { name: FIRST_KEY })
    try {
      return await bunker.call("keys.add", { name: FIRST_KEY, ...typed })
    } catch (error) {
      if (error instanceof BunkerGoneError) {
        print("The process that holds the keys ended before it answered and is started again.")
      }
      if (!(error instanceof OwnerCallError)) throw error
      print(`That did not work: ${safe(error.message)}.`)
    }
  }
}
