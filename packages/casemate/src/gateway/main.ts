import type { IncomingMessage, ServerResponse } from "node:http"
import { createNodeBackend } from "@casemate/nip46/crypto/node"
import type { NostrEvent } from "@casemate/nip46/protocol"
import type { Watch } from "../channel/gateway-channel.js"
import { type ChildHooks, type GatewayReady, runChild } from "../channel/supervision.js"
import type { Config } from "../config/config.js"
import { createLogger } from "../config/log.js"
import { isMistake } from "../config/user-error.js"
import { createConsole } from "./http/console.js"
import { loadPages } from "./http/pages.js"
import { securityHeaders } from "./http/security-headers.js"
import { serveHttp } from "./http/server.js"
import { sitesOf } from "./http/sites.js"
import { KeydLink } from "./keyd-link.js"
import { Webhook } from "./notify/webhook.js"
import { OwnRelay, ownRelayTest, relayUrlOf } from "./own-relay.js"
import { RelayPool } from "./relays/relay-pool.js"
import { createWsFactory } from "./relays/ws-factory.js"

type Handler = (req: IncomingMessage, res: ServerResponse) => boolean

/** The process with the network, and no keys. */
const DRAIN_MS = 3_000
/** What lay in a socket when we were told to stop was sent before: it is read first. */
const LAST_READ_MS = 50

async function start(config: Config): Promise<{ hooks: ChildHooks; details: GatewayReady }> {
  const log = createLogger("gateway", config.logLevel)
  process.chdir(config.dataDir)
  const crypto = createNodeBackend({ curve: config.curve })
  const ours = new Map<string, Watch>()

  const receive = (event: NostrEvent, via: readonly string[]): void => {
    if (event.tags.some(([name, value]) => name === "p" && value !== undefined && ours.has(value)))
      link.forward(event, via)
  }
  const receiveOurs = (event: NostrEvent): void => {
    const named = event.tags.flatMap(([name, value = ""]) => (name === "p" ? (ours.get(value)?.relays ?? []) : []))
    receive(event, named.filter(isOurs))
  }
  const ownRelay = new OwnRelay(
    { wants: (pubkey) => ours.has(pubkey), onEvent: receiveOurs },
    { verifyEvent: (event) => crypto.verifyEvent(event) },
  )
  const pages = await loadPages(log)
  /** Nothing is shown before it is known under which address. */
  let showConsole: Handler = answerNothing
  const server = await serveHttp(config.http, {
    request: (req, res) => ownRelay.handleRequest(req, res) || answerHealth(req, res) || showConsole(req, res),
    upgrade: (req, socket, head) => ownRelay.handleUpgrade(req, socket, head),
  })
  const origin = config.publicUrl ?? server.url
  const relays = config.relays.length === 0 ? [relayUrlOf(origin)] : config.relays
  const isOurs = ownRelayTest([origin, server.url])
  if (relays.some(isOurs)) ownRelay.serve()
  /** Tokens name other relays now; whoever was paired over ours is still served there. */
  const serveFor = (watches: readonly Watch[]): void => {
    const connections = watches.filter((entry) => entry.relays.some(isOurs)).length
    if (connections === 0 || ownRelay.isServed) return
    ownRelay.serve()
    log.info({ connections }, "still serving the built-in relay, for the connections that were paired over it")
  }

  // What the owner named, here or in a token, may lead anywhere; what a client named may not.
  const isVouchedFor = (url: string): boolean =>
    config.relays.includes(url) ||
    [...ours.values()].some((entry) => entry.relays.includes(url) && !entry.guarded.includes(url))
  const webSocket = createWsFactory({ isGuarded: (url) => !isVouchedFor(url) })
  const pool = new RelayPool({
    webSocket,
    onEvent: (event, relay) => receive(event, [relay]),
    prove: (ask) => link.prove(ask),
    log,
  })
  const webhook = config.webhook === undefined ? undefined : new Webhook({ url: config.webhook.url, log })
  const watch = (entry: Watch): void => {
    ours.set(entry.remoteSignerPubkey, entry)
    pool.watch(
      entry,
      entry.relays.filter((url) => !isOurs(url)),
    )
  }
  const unwatch = (entry: Watch): void => {
    ours.delete(entry.remoteSignerPubkey)
    pool.watch(entry, [])
  }
  const link = new KeydLink({
    hello: { relays, http: server.url },
    onWatches: (watches) => {
      serveFor(watches)
      const kept = new Set(watches.map(({ remoteSignerPubkey }) => remoteSignerPubkey))
      for (const entry of [...ours.values()]) if (!kept.has(entry.remoteSignerPubkey)) unwatch(entry)
      for (const entry of watches) watch(entry)
    },
    onWatch: (entry) => {
      serveFor([entry])
      watch(entry)
    },
    onUnwatch: (connectionId) => {
      for (const entry of [...ours.values()]) if (entry.connectionId === connectionId) unwatch(entry)
    },
    async onListen(entry, urls) {
      serveFor([entry])
      watch(entry)
      return urls.some(isOurs) ? [] : pool.listening(entry, urls)
    },
    async onAnswer(event, urls) {
      ownRelay.publish(event)
      const outside = urls.filter((url) => !isOurs(url))
      return outside.length === 0 || pool.publish(event, outside)
    },
    onNotice: async (notice) => (webhook === undefined ? "no webhook is set" : webhook.post(notice)),
    log,
  })
  showConsole = createConsole({ sites: sitesOf(server.url, config), pages, call: (request) => link.call(request), log })
  link.open()
  log.info({ http: server.url, relays: relays.length }, "the gateway is ready")

  const stop = async (): Promise<void> => {
    await new Promise((resolve) => setTimeout(resolve, LAST_READ_MS))
    ownRelay.stop()
    await Promise.race([link.drain(), new Promise((resolve) => setTimeout(resolve, DRAIN_MS))])
    if (link.unfinished > 0)
      log.warn({ requests: link.unfinished }, "stopped before these were answered; apps ask again")
    link.close()
    webhook?.close()
    pool.close()
    await ownRelay.close()
    await server.close()
  }
  return { hooks: { stop }, details: { http: server.url, relays } }
}

/** For whoever watches over this process, under whichever name. */
function answerHealth(req: IncomingMessage, res: ServerResponse): boolean {
  if ((req.url ?? "").split("?", 1)[0] !== "/healthz") return false
  res.writeHead(200, { ...securityHeaders(false), "content-type": "text/plain; charset=utf-8" }).end("ok\n")
  return true
}

function answerNothing(): boolean {
  return false
}

await runChild(start, isMistake)
