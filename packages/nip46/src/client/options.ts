import type { Nip44Backend } from "../crypto/backend.js"
import { createCompactBackend } from "../crypto/compact.js"
import type { LookupOptions } from "../discovery/lookup-signer.js"
import type { ClientMetadata } from "../protocol/client-metadata.js"
import { Nip46Error } from "../protocol/errors.js"
import { RelaySet } from "../transport/relay-set.js"
import type { TransportFactory } from "../transport/transport.js"
import { platformWebSocket, type WebSocketFactory } from "../transport/web-socket.js"
import { type Callbacks, guard, guarded } from "./callbacks.js"
import { type ClientTiming, DEFAULT_CLIENT_TIMING } from "./exchange.js"
import type { Session } from "./session.js"

export interface RemoteSignerOptions extends Callbacks {
  /** Called whenever what must be kept changes, and with undefined once it must be deleted. */
  readonly onSession?: (session: Session | undefined) => void
  /** Accept a `created_at` that the signer chose itself; by default such an event is refused. */
  readonly acceptNewCreatedAt?: boolean
  /** How to open a socket; the platform's own `WebSocket` by default. Node 20 has none and hands in `ws`. */
  readonly webSocket?: WebSocketFactory
  /** In place of relays over WebSockets, such as `MemoryRelays`. */
  readonly openTransport?: TransportFactory
  /** `createCompactBackend` by default, the smallest; every other backend works too. */
  readonly crypto?: Nip44Backend
  /** For names such as `bob@example.com`; the platform's own by default. */
  readonly fetch?: LookupOptions["fetch"]
  readonly timing?: Partial<ClientTiming>
  /** Unix milliseconds; `Date.now` by default. */
  readonly now?: () => number
}

/** What an app says of itself and would like to be allowed. */
export interface AppOptions {
  /** A display hint for the signer's owner. */
  readonly app?: ClientMetadata
  /** Comma-separated `method[:param]` (NIP-46 §Requested permissions). A wish: the owner decides. */
  readonly perms?: string
  /** Ends the attempt. */
  readonly signal?: AbortSignal
}

export interface Settings {
  readonly crypto: Nip44Backend
  readonly openTransport: TransportFactory
  readonly callbacks: Required<Callbacks>
  readonly onSession: (session: Session | undefined) => void
  readonly acceptNewCreatedAt: boolean
  readonly timing: ClientTiming
  readonly now: () => number
}

/** Every option with its default. @throws `RELAYS_UNREACHABLE` where the platform has no WebSocket and none is given */
export function settingsOf(options: RemoteSignerOptions): Settings {
  const { crypto = createCompactBackend(), now = Date.now, acceptNewCreatedAt = false } = options
  const callbacks = guarded(options)
  return {
    crypto,
    openTransport: options.openTransport ?? relaySets(options.webSocket, now),
    callbacks,
    onSession: guard(options.onSession, callbacks.onWarning),
    acceptNewCreatedAt,
    timing: { ...DEFAULT_CLIENT_TIMING, ...options.timing },
    now,
  }
}

function relaySets(webSocket: WebSocketFactory | undefined, now: () => number): TransportFactory {
  if (webSocket === undefined && typeof globalThis.WebSocket === "undefined") {
    throw new Nip46Error(
      "RELAYS_UNREACHABLE",
      "this platform has no WebSocket; install ws and pass { webSocket: (url) => new WebSocket(url) }",
    )
  }
  return (relays, options) => new RelaySet({ relays, webSocket: webSocket ?? platformWebSocket, now, ...options })
}
