import { type LookupAddress, lookup } from "node:dns"
import type { LookupFunction } from "node:net"
import { isPrivateAddress } from "@casemate/nip46/protocol"

/**
 * Relay URLs that come from a token may be aimed at what only this machine can reach (SSRF). They are dialled
 * with TLS alone, and never to an address outside of the public internet, whatever their name resolves to
 * at that moment.
 */

const INWARD = "it leads into a private network"

/** @throws Error with a reason for a URL that no look-up is needed to refuse */
export function assertOutward(url: string): void {
  const { protocol, hostname } = new URL(url)
  if (protocol !== "wss:") throw new Error("it is not encrypted (ws://)")
  if (isPrivateAddress(hostname)) throw new Error(INWARD)
}

type Resolve = (
  hostname: string,
  options: { all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void

/** Node's own look-up, that fails when any of the addresses is private: the one that is dialled is one of those seen. */
export function outwardLookup(resolve: Resolve = lookup): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      const [first] = addresses ?? []
      if (error !== null) callback(error, "", 0)
      else if (first === undefined || addresses.some(({ address }) => isPrivateAddress(address))) {
        callback(new Error(INWARD), "", 0)
      } else if (options.all === true) callback(null, addresses)
      else callback(null, first.address, first.family)
    })
  }
}
