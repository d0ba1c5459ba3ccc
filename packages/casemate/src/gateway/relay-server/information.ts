import type { IncomingMessage, ServerResponse } from "node:http"
import type { RelayLimits } from "./limits.js"

/** Who runs the relay, for NIP-11. All optional. */
export interface RelayIdentity {
  /** Below 30 characters, so that clients show it whole. */
  name?: string
  description?: string
  /** Public key of the operator, hex. */
  pubkey?: string
  /** A URI: `mailto:` or `https:`. */
  contact?: string
  /** URL of the software's home page. */
  software?: string
  version?: string
}

/** NIP-11 asks for CORS; a document that is the same for everyone may be read by everyone. */
const CORS = {
  "Access-Control-Allow-Origin": "*",
  "Access-Control-Allow-Headers": "*",
  "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
}

const PLAIN_TEXT =
  "This is a Nostr relay for remote signing (NIP-46). It carries events of kind 24133 and stores nothing.\n" +
  "Connect a NIP-46 client or signer to this address over WebSocket.\n"

/** NIP-11 Relay Information Document. */
export function relayInformation(identity: RelayIdentity, limits: RelayLimits): Record<string, unknown> {
  return {
    name: "Casemate",
    description: "A relay for remote signing (NIP-46). It carries events of kind 24133 and stores nothing.",
    ...identity,
    // NIP-46 is a client's matter, and NIP-42 is neither asked for nor needed here.
    supported_nips: [1, 11],
    limitation: {
      max_message_length: limits.maxMessageBytes,
      max_subscriptions: limits.maxSubscriptions,
      max_subid_length: limits.maxSubscriptionIdChars,
      max_event_tags: limits.maxEventTags,
      auth_required: false,
      payment_required: false,
      // One kind only: what NIP-11 calls writing events of a specific niche kind.
      restricted_writes: true,
      created_at_lower_limit: limits.maxClockSkewSeconds,
      created_at_upper_limit: limits.maxClockSkewSeconds,
    },
  }
}

/** Answers a plain HTTP request to the relay's address. */
export function answerInformation(req: IncomingMessage, res: ServerResponse, document: string): void {
  // A request body has no use here; reading it away keeps the connection usable.
  req.resume()
  const method = req.method ?? "GET"
  if (method === "OPTIONS") {
    res.writeHead(204, CORS).end()
    return
  }
  if (method !== "GET" && method !== "HEAD") {
    res.writeHead(405, { ...CORS, Allow: "GET, HEAD, OPTIONS" }).end()
    return
  }
  const wantsDocument = (req.headers.accept ?? "").toLowerCase().includes("application/nostr+json")
  const body = wantsDocument ? document : PLAIN_TEXT
  res.writeHead(200, {
    ...CORS,
    "Content-Type": wantsDocument ? "application/nostr+json" : "text/plain; charset=utf-8",
    "Content-Length": Buffer.byteLength(body),
    "X-Content-Type-Options": "nosniff",
    Vary: "Accept",
  })
  res.end(method === "HEAD" ? undefined : body)
}
