import type { Connection } from "./ports.js"

/** Who is talking, before it is asked what they want. */
export type Standing =
  /** The client that is bound to a connection in force. */
  | { readonly kind: "live" }
  /** Nobody is bound yet: a `connect` with the secret binds the sender. */
  | { readonly kind: "offered" }
  /** The client that logged out: its own logout is answered again, nothing else. */
  | { readonly kind: "logged_out" }
  | { readonly kind: "stranger"; readonly reason: string }

/** @param now unix seconds */
export function standingOf(connection: Connection, sender: string, now: number): Standing {
  const isBound = connection.clientPubkey === sender
  const isExpired = connection.expiresAt !== undefined && connection.expiresAt <= now
  switch (connection.state) {
    case "offered":
      return (connection.secretExpiresAt ?? 0) <= now
        ? stranger("this connection token has expired; make a new one in the bunker")
        : { kind: "offered" }
    case "active":
    case "paused":
      if (!isBound)
        return stranger("this connection token was already used by another app; make a new one in the bunker")
      return isExpired ? stranger("this connection has expired; connect again with a new token") : { kind: "live" }
    case "revoked":
      return stranger("this connection was revoked; connect again with a new token")
    case "logged_out":
      return isBound ? { kind: "logged_out" } : stranger("this connection has ended; connect again with a new token")
  }
}

function stranger(reason: string): Standing {
  return { kind: "stranger", reason }
}
