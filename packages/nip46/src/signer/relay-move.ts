import { sameRelays } from "../protocol/relay-url.js"
import type { Connection } from "./ports.js"

type Relays = Pick<Connection, "relays" | "clientRelays">

/**
 * Whether a request shows that its client has come to relays that it was told of. Being told proves nothing: the
 * answer may be lost, or the new relays be out of the client's reach, and it goes on where it was.
 *
 * @param via the names of the relay that brought the request; undefined where nobody knows
 */
export function hasMoved({ relays, clientRelays }: Relays, via: readonly string[] | undefined): boolean {
  return via?.some((url) => relays.includes(url) && !clientRelays.includes(url)) === true
}

/** Whether being told is all that can be known: no relay would tell the difference, or nobody says which it was. */
export function isMovedByWord({ relays, clientRelays }: Relays, via: readonly string[] | undefined): boolean {
  if (sameRelays(relays, clientRelays)) return false
  return via === undefined || relays.every((url) => clientRelays.includes(url))
}
