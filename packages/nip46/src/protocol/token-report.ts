import {
  type BunkerToken,
  type NostrconnectToken,
  parseBunkerToken,
  parseNostrconnectToken,
} from "./connection-token.js"
import { isHex32 } from "./hex.js"
import { MAX_TOKEN_CHARS } from "./limits.js"
import type { TokenFinding } from "./token-finding.js"
import { splitToken, type TokenQuery } from "./token-query.js"
import { inspectApp } from "./token-report-app.js"
import { inspectParams } from "./token-report-params.js"
import { inspectRelays } from "./token-report-relays.js"

interface Findings {
  /** Why it cannot be used; empty exactly where `token` is there. */
  readonly errors: readonly TokenFinding[]
  /** What is left out, insecure or unusual in it. */
  readonly warnings: readonly TokenFinding[]
}

export type TokenReport = Findings &
  (
    | { readonly scheme: "bunker"; readonly token: BunkerToken | undefined }
    | { readonly scheme: "nostrconnect"; readonly token: NostrconnectToken | undefined }
    | { readonly scheme: undefined; readonly token: undefined }
  )

/** A request can be tried every second; eight letters or digits take longer than any token lives. */
const MIN_SECRET_CHARS = 8

export interface InspectOptions {
  /** Whether 64 lower-case hex digits are a key of the curve, as a `CryptoBackend` knows; without it any are. */
  readonly isPubkey?: (pubkey: string) => boolean
}

/**
 * Everything that can be said about a token, all at once: for tools and for developers. It accepts what the
 * parsers accept, but for a key off the curve. Never throws, and no message holds the secret.
 *
 * @example
 * inspectToken(`bunker://${"a".repeat(64)}?relay=ws%3A%2F%2Frelay.example`).warnings.map(({ code }) => code)
 * // ["RELAY_UNENCRYPTED", "SECRET_MISSING"]
 */
export function inspectToken(input: string, { isPubkey = isHex32 }: InspectOptions = {}): TokenReport {
  const text = input.trim()
  // Nothing of unbounded length is looked at any closer.
  const parts = text.length > MAX_TOKEN_CHARS ? undefined : splitToken(text)
  const scheme = schemeOf(parts?.scheme ?? text.slice(0, text.indexOf("://")))
  if (scheme === undefined) {
    const message = "this is no connection token; one starts with bunker:// or nostrconnect:// and a public key"
    return { scheme, token: undefined, errors: [{ code: "NOT_A_TOKEN", field: "scheme", message }], warnings: [] }
  }
  const errors: TokenFinding[] = []
  const warnings: TokenFinding[] = []
  if (text.length > MAX_TOKEN_CHARS) {
    const message = `a ${scheme}:// token has at most ${MAX_TOKEN_CHARS} characters, and this one has ${text.length}`
    errors.push({ code: "TOO_LONG", field: "length", message })
  } else if (parts === undefined) {
    const message = `after the public key of a ${scheme}:// token comes ? and nothing else`
    errors.push({ code: "NOT_A_TOKEN", field: "scheme", message })
  } else {
    inspectHead(text, { ...parts, kind: scheme, isPubkey }, errors, warnings)
    inspectRelays(parts.query, errors, warnings)
    inspectSecret(parts.query, scheme, errors, warnings)
    if (scheme === "nostrconnect") inspectApp(parts.query, warnings)
    inspectParams(parts.query, scheme, warnings)
  }
  const isUsable = errors.length === 0
  return scheme === "bunker"
    ? { scheme, token: isUsable ? parseBunkerToken(text) : undefined, errors, warnings }
    : { scheme, token: isUsable ? parseNostrconnectToken(text) : undefined, errors, warnings }
}

type Scheme = "bunker" | "nostrconnect"

function schemeOf(text: string): Scheme | undefined {
  const scheme = text.toLowerCase()
  return scheme === "bunker" || scheme === "nostrconnect" ? scheme : undefined
}

function inspectHead(
  text: string,
  head: { scheme: string; pubkey: string; kind: Scheme; isPubkey: (pubkey: string) => boolean },
  errors: TokenFinding[],
  warnings: TokenFinding[],
): void {
  const { scheme, pubkey, kind, isPubkey } = head
  const spelling = (field: string, message: string): void => void warnings.push({ code: "SPELLING", field, message })
  if (scheme !== kind) spelling("scheme", `${kind}:// is written in lower case`)
  if (!isHex32(pubkey.toLowerCase())) {
    const message = /^npub1/i.test(pubkey)
      ? "the public key is an npub; a token has it as 64 hex digits"
      : "the public key is not 64 hex digits; copy the whole token again"
    errors.push({ code: "PUBKEY_INVALID", field: "pubkey", message })
  } else if (!isPubkey(pubkey.toLowerCase())) {
    const message = "the public key is no point of the curve, so nobody has its secret key; copy the whole token again"
    errors.push({ code: "PUBKEY_OFF_CURVE", field: "pubkey", message })
  }
  if (pubkey !== pubkey.toLowerCase()) spelling("pubkey", "a public key is written in lower case")
  const rest = text.slice(scheme.length + 3 + pubkey.length)
  if (rest.startsWith("/")) spelling("path", "there is a slash behind the public key, where some readers want none")
  if (rest.includes("#")) spelling("fragment", "what follows the # is no part of a token, and nobody reads it")
}

function inspectSecret(query: TokenQuery, scheme: Scheme, errors: TokenFinding[], warnings: TokenFinding[]): void {
  const secret = query.raw("secret") ?? ""
  if (secret === "" && scheme === "nostrconnect") {
    const message = "it has no secret, so any signer could pretend to be the user's; NIP-46 requires one"
    errors.push({ code: "SECRET_MISSING", field: "secret", message })
  } else if (secret === "") {
    const message = "it has no secret, so the bunker cannot tell the app that was let in from any other"
    warnings.push({ code: "SECRET_MISSING", field: "secret", message })
  } else if (secret.length < MIN_SECRET_CHARS) {
    const message = `its secret is short enough to be guessed; 16 random bytes in hex are better`
    warnings.push({ code: "SECRET_SHORT", field: "secret", message })
  }
}
