import type { CryptoBackend } from "@casemate/nip46/crypto"
import { formatPermission, inspectToken, readPermissions, type TokenReport } from "@casemate/nip46/protocol"
import { complain } from "../output.js"

/** Loaded by who needs it: all other commands start sooner without. */
export async function loadBackend(): Promise<CryptoBackend> {
  const { createPortableBackend } = await import("@casemate/nip46/crypto")
  return createPortableBackend()
}

export function inspect(text: string, backend: CryptoBackend): TokenReport {
  return inspectToken(text, { isPubkey: (pubkey) => backend.isPubkey(pubkey) })
}

/** For a person, beside the JSON for a program. */
export function showFindings({ errors, warnings }: Pick<TokenReport, "errors" | "warnings">): void {
  for (const { message } of errors) complain(message, "error")
  for (const { message } of warnings) complain(message, "warning")
}

/** What a token says, in JSON's words: null for what it does not say. */
export function contentOf(report: TokenReport): Record<string, unknown> {
  if (report.token === undefined) return {}
  if (report.scheme === "bunker") {
    const { remoteSignerPubkey, relays, secret = null } = report.token
    return { remoteSignerPubkey, relays, secret }
  }
  const { clientPubkey, relays, secret, perms, app } = report.token
  const { name = null, url = null, image = null } = app
  const permissions = readPermissions(perms).permissions.map(formatPermission)
  return { clientPubkey, relays, secret, perms: permissions, name, url, image }
}
