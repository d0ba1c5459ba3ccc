import { isLoopbackRelay } from "@casemate/nip46/protocol"
import encodeQR from "qr"
import type { OfferInfo } from "../channel/owner-calls.js"
import { print, safe } from "./output.js"

/** Shows a token: as text, and as a QR code where a phone could use it. */
export function showToken({ uri, relays, unreachable }: Pick<OfferInfo, "uri" | "relays" | "unreachable">): void {
  print()
  print(`  ${uri}`)
  print()
  if (relays.every(isLoopbackRelay)) print("  apps on this computer only; add --relay wss://… for others")
  else print(qrOf(uri) ?? "  this token is too long for a QR code; copy it as text, or name fewer relays")
  if (unreachable.length === 0) return
  const reasons = unreachable.map(({ relay, reason }) => `${relay}: ${safe(reason).slice(0, 200)}`)
  print(`  no relay of it can be reached now (${reasons.join("; ")}); apps can connect once one can`)
}

/** For programs: nothing where all is well. */
export function unreachableRelays({ unreachable }: Pick<OfferInfo, "unreachable">): { unreachable?: object } {
  if (unreachable.length === 0) return {}
  return { unreachable: Object.fromEntries(unreachable.map(({ relay, reason }) => [relay, reason.slice(0, 200)])) }
}

/** Undefined for what does not fit into one. */
export function qrOf(uri: string): string | undefined {
  try {
    return encodeQR(uri, "ascii").trimEnd()
  } catch {
    return undefined
  }
}
