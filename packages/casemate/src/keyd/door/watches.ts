import { type Connection, OFFER_TTL } from "@casemate/nip46/signer"
import type { Watch } from "../../channel/gateway-channel.js"

/** How long what has ended is still listened to, so that its app is told why, in seconds: as long as offers are kept. */
const FAREWELL = OFFER_TTL

/** What the gateway must know of a connection to listen for it. */
export function watchOf({ id, remoteSignerPubkey, relays, clientRelays, guardedRelays }: Connection): Watch {
  // A client that never asked switch_relays still speaks where it first did.
  const all = [...new Set([...relays, ...clientRelays])]
  return { connectionId: id, remoteSignerPubkey, relays: all, guarded: guardedRelays }
}

/** Every connection that somebody may still speak to. @param now unix seconds */
export function watchesOf(connections: readonly Connection[], now: number): Watch[] {
  return connections.filter((connection) => endOf(connection) + FAREWELL > now).map(watchOf)
}

/** It has not ended: an offer that can be redeemed, or a session. @param now unix seconds */
export function isInForce(connection: Connection, now: number): boolean {
  return endOf(connection) > now
}

/** When it is over, or will be. */
function endOf({ state, secretExpiresAt, expiresAt, endedAt, createdAt }: Connection): number {
  switch (state) {
    case "active":
    case "paused":
      return expiresAt ?? Number.POSITIVE_INFINITY
    case "offered":
      return secretExpiresAt ?? createdAt
    case "revoked":
    case "logged_out":
      return endedAt ?? createdAt
  }
}
