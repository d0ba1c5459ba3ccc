import { createNodeBackend } from "@casemate/nip46/crypto/node"
import { type ChildHooks, type GatewayReady, runChild } from "../channel/supervision.js"
import type { Config } from "../config/config.js"
import { createLogger } from "../config/log.js"
import { isMistake } from "../config/user-error.js"
import { serveHttp } from "./http/server.js"
import { relayUrlOf } from "./own-relay.js"
import { createRelayServer } from "./relay-server/relay-server.js"

/** The built-in relay by itself (`casemate relay`): no bunker, no keys, no data folder. */
async function start(config: Config): Promise<{ hooks: ChildHooks; details: GatewayReady }> {
  const log = createLogger("relay", config.logLevel)
  const crypto = createNodeBackend({ curve: config.curve })
  const relay = createRelayServer({ verifyEvent: (event) => crypto.verifyEvent(event) })
  const server = await serveHttp(config.http, {
    request: (req, res) => relay.handleRequest(req, res),
    upgrade: (req, socket, head) => relay.handleUpgrade(req, socket, head),
  })
  const url = relayUrlOf(config.publicUrl ?? server.url)
  log.info({ http: server.url }, "the relay is ready")
  const stop = async (): Promise<void> => {
    await relay.close()
    await server.close()
  }
  return { hooks: { stop }, details: { http: server.url, relays: [url] } }
}

await runChild(start, isMistake)
