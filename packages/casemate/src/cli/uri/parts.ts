import { randomBytes } from "node:crypto"
import type { CryptoBackend } from "@casemate/nip46/crypto"
import { MAX_RELAYS, Nip46Error, normalizeRelayUrl, normalizeRelayUrls } from "@casemate/nip46/protocol"
import { decode } from "nostr-tools/nip19"
import { complain } from "../output.js"
import { qrOf } from "../token.js"
import { UsageError } from "../usage.js"

/** `--relays a,b --relays c`. */
export function collectList(value: string, earlier: string[] | undefined): string[] {
  const given = value
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "")
  return [...(earlier ?? []), ...given]
}

/** Normalised, each once. @throws UsageError */
export function parseRelayList(texts: readonly string[]): string[] {
  if (texts.length === 0) throw new UsageError("--relays names no relay; give one, such as wss://relay.example.com")
  for (const text of texts) {
    if (normalizeRelayUrl(text) === undefined) {
      throw new UsageError(
        `--relays takes ws:// or wss:// URLs, such as wss://relay.example.com, not ${JSON.stringify(text)}`,
      )
    }
  }
  if (texts.length > MAX_RELAYS) throw new UsageError(`--relays takes at most ${MAX_RELAYS} relays`)
  return normalizeRelayUrls(texts)
}

/** Hex in either case, or npub; 64 lower-case hex digits. @throws UsageError */
export function parsePubkey(text: string, backend: CryptoBackend): string {
  const pubkey = /^npub1/i.test(text) ? fromNpub(text.toLowerCase()) : text.toLowerCase()
  if (pubkey !== undefined && backend.isPubkey(pubkey)) return pubkey
  throw new UsageError("--pubkey takes a public key, as npub or as 64 hex digits, and a single wrong letter spoils it")
}

function fromNpub(text: string): string | undefined {
  try {
    const { type, data } = decode(text)
    return type === "npub" ? data : undefined
  } catch {
    return undefined
  }
}

/** What nobody guesses: 128 bits. */
export function newSecret(): string {
  return randomBytes(16).toString("hex")
}

/** What the library refuses to build is a mistake of what was typed. @throws UsageError */
export function asTypedWrong<T>(build: () => T): T {
  try {
    return build()
  } catch (error) {
    if (error instanceof Nip46Error) throw new UsageError(error.message, { cause: error })
    throw error
  }
}

/** Beside the JSON, where a person looks. */
export function drawQr(uri: string): void {
  const code = qrOf(uri)
  if (code === undefined) complain("this token is too long for a QR code; name fewer relays or permissions", "warning")
  else process.stderr.write(`${code}\n`)
}
