import { Command } from "commander"
import { parseConfig } from "../config/config.js"
import { createLogger } from "../config/log.js"
import { startRelay } from "../daemon.js"
import { print, printJson } from "./output.js"
import { untilToldToStop } from "./signal.js"

interface RelayOptions {
  http?: string
  publicUrl?: string
  json?: boolean
}

export function relayCommand(): Command {
  return new Command("relay")
    .summary("run the built-in relay alone: it carries NIP-46 messages and stores nothing")
    .description(
      "Runs the built-in relay alone, without a bunker. It carries NIP-46 messages between apps and bunkers, whose contents it cannot read, and stores nothing. Put it behind a web server with TLS where others are to reach it.",
    )
    .option("--http <host:port>", "where to listen (default: localhost:4646; port 0 picks one)")
    .option("--public-url <url>", "under which it is reached from elsewhere")
    .option("--data-dir <folder>", "accepted as everywhere; a relay keeps nothing there")
    .option("--json", "print one JSON object a line")
    .addHelpText("after", "\nExample:\n  $ casemate relay --http 0.0.0.0:8080 --public-url https://relay.example.com")
    .action(async ({ http, publicUrl, json }: RelayOptions) => {
      const config = parseConfig({
        ...(http === undefined ? {} : { http }),
        ...(publicUrl === undefined ? {} : { publicUrl }),
      })
      // Before anything says that it runs: whoever reads that may stop it at once.
      const stopped = untilToldToStop()
      const relay = await startRelay(config, createLogger("daemon", config.logLevel))
      const [url] = relay.gateway.relays
      if (json) printJson({ event: "ready", relay: url, http: relay.gateway.http })
      else print(`The relay is running at ${url}. Stop it with Ctrl-C.`)
      await stopped
      await relay.stop()
    })
}
