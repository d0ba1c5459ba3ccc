import { isLoopbackRelay } from "@casemate/nip46/protocol"
import encodeQR from "qr"
import { print } from "./output.js"

/** Shows a token: as text, and as a QR code where a phone could use it. */
export function showToken(uri: string, relays: readonly string[]): void {
  print()
  print(`  ${uri}`)
  print()
  if (relays.every(isLoopbackRelay)) print("  apps on this computer only; add --relay wss://… for others")
  else print(qrOf(uri) ?? "  this token is too long for a QR code; copy it as text, or name fewer relays")
}

function qrOf(uri: string): string | undefined {
  try {
    return encodeQR(uri, "ascii").trimEnd()
  } catch {
    return undefined
  }
}
