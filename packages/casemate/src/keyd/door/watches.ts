import type { Connection } from "@casemate/nip46/signer"
import type { Watch } from "../../channel/gateway-channel.js"

/** How long an ended connection is still listened to, so that its app is told why, in seconds. */
const FAREWELL = 24 * 60 * 60

/** What the gateway must know of a connection to listen for it. */
export function watchOf({ id, remoteSignerPubkey, relays, clientRelays, guardedRelays }: Connection): Watch {
  // A client that never asked switch_relays still speaks where it first did.
  const all = [...new Set([...relays, ...clientRelays])]
  return { connectionId: id, remoteSignerPubkey, relays: all, guarded: guardedRelays }
}

/** Every connection that somebody may still speak to. @param now unix seconds */
export function watchesOf(connections: readonly Connection[], now: number): Watch[] {
  return connections.filter((connection) => isWatched(connection, now)).map(watchOf)
}

function isWatched({ state, secretExpiresAt, lastUsedAt, createdAt }: Connection, now: number): boolean {
  switch (state) {
    case "active":
    case "paused":
      return true
    case "offered":
      return (secretExpiresAt ?? 0) > now
    case "revoked":
    case "logged_out":
      return (lastUsedAt ?? createdAt) + FAREWELL > now
  }
}
