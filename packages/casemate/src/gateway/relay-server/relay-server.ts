import type { IncomingMessage, ServerResponse } from "node:http"
import type { Duplex } from "node:stream"
import type { NostrEvent } from "@casemate/nip46/protocol"
import { WebSocketServer } from "ws"
import { EventHub, type LocalListener } from "./event-hub.js"
import { answerInformation, type RelayIdentity, relayInformation } from "./information.js"
import { DEFAULT_RELAY_LIMITS, type RelayLimits } from "./limits.js"
import { peerOf } from "./peer-address.js"
import { Session } from "./session.js"

export interface RelayServerOptions {
  /** True when the id is that of the bytes and the signature holds; `CryptoBackend.verifyEvent`. */
  verifyEvent: (event: NostrEvent) => boolean
  /** `/relay` by default; the same with a trailing slash is served too. */
  path?: string
  limits?: Partial<RelayLimits>
  identity?: RelayIdentity
  /** Unix milliseconds; `Date.now` by default. */
  now?: () => number
  /** A local listener threw. The relay goes on; without this hook the error is dropped. */
  onListenerError?: (error: unknown) => void
}

export interface RelayServerStats {
  connections: number
  subscriptions: number
  /** Events that came over sockets, and how many of them were not taken. */
  received: number
  refused: number
  /** Deliveries to subscriptions and local listeners. */
  delivered: number
}

/** The built-in NIP-46 relay: kind 24133 only, verified, forwarded, never stored. */
export interface RelayServer {
  /** For the `upgrade` event of an HTTP server. False, and nothing touched, when the path is another's. */
  handleUpgrade(req: IncomingMessage, socket: Duplex, head: Buffer): boolean
  /** NIP-11 and a word for browsers. False, and nothing touched, when the path is another's. */
  handleRequest(req: IncomingMessage, res: ServerResponse): boolean
  /** Listens without a socket; returns the way to stop. */
  attachLocal(listener: LocalListener): () => void
  /** Hands an event of this process to the subscriptions it matches; unverified. Returns the deliveries. */
  publishLocal(event: NostrEvent): number
  stats(): RelayServerStats
  /** Takes no event and no socket any more; what is published still reaches the sockets there are. */
  stop(): void
  /** The same, then hangs up, and drops after a second what does not follow. */
  close(): Promise<void>
}

const CLOSE_PATIENCE_MS = 1_000

export function createRelayServer(options: RelayServerOptions): RelayServer {
  const { verifyEvent, path = "/relay", identity = {}, now = Date.now, onListenerError = () => {} } = options
  const limits: RelayLimits = { ...DEFAULT_RELAY_LIMITS, ...options.limits }
  const hub = new EventHub({ limits, verifyEvent, now, onListenerError })
  const document = JSON.stringify(relayInformation(identity, limits))
  // Every Origin may connect: a relay holds no cookies, and apps live on every site.
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: limits.maxMessageBytes,
  })
  const sessions = new Set<Session>()
  const perPeer = new Map<string, number>()
  let total = 0
  let nextId = 1
  let stopping = false
  let closing: Promise<void> | undefined
  let onEmpty: (() => void) | undefined

  const pinger = setInterval(() => {
    for (const session of sessions) session.ping()
  }, limits.pingIntervalMs)
  // The HTTP server keeps the process alive, not a timer.
  pinger.unref()

  function isOurs(req: IncomingMessage): boolean {
    const target = (req.url ?? "").split(/[?#]/, 1)[0]
    return target === path || target === `${path}/`
  }

  function release(key: string): void {
    total -= 1
    const left = (perPeer.get(key) ?? 1) - 1
    if (left === 0) perPeer.delete(key)
    else perPeer.set(key, left)
    if (total === 0) onEmpty?.()
  }

  function handleUpgrade(req: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    if (!isOurs(req)) return false
    socket.on("error", () => {})
    const { key, loopback } = peerOf(req.socket.remoteAddress)
    if (stopping || total >= limits.maxConnections) {
      refuseUpgrade(socket, "503 Service Unavailable")
      return true
    }
    if (!loopback && (perPeer.get(key) ?? 0) >= limits.maxConnectionsPerAddress) {
      refuseUpgrade(socket, "429 Too Many Requests")
      return true
    }
    // Without a tracked server ws completes or aborts the handshake before this returns.
    server.handleUpgrade(req, socket, head, (webSocket) => {
      total += 1
      perPeer.set(key, (perPeer.get(key) ?? 0) + 1)
      const session = new Session({
        id: String(nextId++),
        socket: webSocket,
        stream: socket,
        hub,
        limits,
        now,
        onClose: () => {
          sessions.delete(session)
          release(key)
        },
      })
      sessions.add(session)
    })
    return true
  }

  function handleRequest(req: IncomingMessage, res: ServerResponse): boolean {
    if (!isOurs(req)) return false
    answerInformation(req, res, document)
    return true
  }

  function stats(): RelayServerStats {
    let subscriptions = 0
    for (const session of sessions) subscriptions += session.subscriptions
    const { received, refused, delivered } = hub
    return { connections: total, subscriptions, received, refused, delivered }
  }

  function stop(): void {
    stopping = true
    hub.stop()
  }

  async function shutDown(): Promise<void> {
    stop()
    clearInterval(pinger)
    server.close()
    if (total === 0) return
    const patience = setTimeout(() => {
      for (const session of sessions) session.terminate()
    }, CLOSE_PATIENCE_MS)
    try {
      await new Promise<void>((resolve) => {
        onEmpty = resolve
        for (const session of sessions) session.hangUp()
      })
    } finally {
      clearTimeout(patience)
    }
  }

  function close(): Promise<void> {
    closing ??= shutDown()
    return closing
  }

  return {
    handleUpgrade,
    handleRequest,
    attachLocal: (listener) => hub.attach(listener),
    publishLocal: (event) => hub.publish(event),
    stats,
    stop,
    close,
  }
}

function refuseUpgrade(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy())
}
