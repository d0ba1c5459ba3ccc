import { type ClientMetadata, parseClientMetadata, readClientMetadata } from "./client-metadata.js"
import { Nip46Error } from "./errors.js"
import { isHex32 } from "./hex.js"
import { MAX_TOKEN_CHARS } from "./limits.js"
import { formatPermissions, type Permission } from "./permission.js"
import { normalizeRelayUrls } from "./relay-url.js"
import { splitToken, type TokenQuery } from "./token-query.js"
import { isWellFormed } from "./well-formed.js"

/** `bunker://…` (NIP-46 §Direct connection initiated by remote-signer). */
export interface BunkerToken {
  readonly remoteSignerPubkey: string
  /** At least one, normalised. */
  readonly relays: readonly string[]
  /** Good for one successful connection. */
  readonly secret: string | undefined
}

/** `nostrconnect://…` (NIP-46 §Direct connection initiated by the client). */
export interface NostrconnectToken {
  readonly clientPubkey: string
  /** At least one, normalised. */
  readonly relays: readonly string[]
  /** What the remote-signer must answer with. */
  readonly secret: string
  /** As the client wrote it; read it with `readPermissions`. */
  readonly perms: string
  readonly app: ClientMetadata
}

/**
 * Reads a bunker:// token, tolerant of spelling and strict in meaning.
 *
 * @throws `INVALID_TOKEN`; `details.field` is `scheme`, `pubkey`, `relay` or `length`. The message never
 * holds the secret.
 * @example
 * parseBunkerToken(`bunker://${"a".repeat(64)}?relay=wss%3A%2F%2Frelay.example&secret=s1`).relays
 * // ["wss://relay.example"]
 */
export function parseBunkerToken(text: string): BunkerToken {
  const { pubkey, query } = split(text, "bunker")
  const secret = query.raw("secret")
  return {
    remoteSignerPubkey: pubkey,
    relays: relaysOf(query, "bunker"),
    secret: secret === "" ? undefined : secret,
  }
}

/**
 * Reads a nostrconnect:// token, legacy `metadata=` JSON and `icon` included.
 *
 * @throws `INVALID_TOKEN`; `details.field` is `scheme`, `pubkey`, `relay`, `secret` or `length`
 */
export function parseNostrconnectToken(text: string): NostrconnectToken {
  const { pubkey, query } = split(text, "nostrconnect")
  const secret = query.raw("secret")
  if (secret === undefined || secret === "") {
    throw refusal("secret", "this nostrconnect:// token has no secret, so any signer could pretend to be yours")
  }
  const relays = relaysOf(query, "nostrconnect")
  const legacy = parseClientMetadata(query.text("metadata"))
  const current = readClientMetadata({
    name: query.text("name"),
    url: query.text("url"),
    image: query.text("image") ?? query.text("icon"),
  })
  return { clientPubkey: pubkey, relays, secret, perms: query.text("perms") ?? "", app: { ...legacy, ...current } }
}

/**
 * The strict wire form.
 *
 * @throws `INVALID_TOKEN` for a pubkey, relays or a secret that a strict reader would refuse, and for more
 * than a reader takes
 */
export function buildBunkerToken({ remoteSignerPubkey, relays, secret }: BunkerToken): string {
  if (secret === "") throw refusal("secret", "an empty secret is none; leave it out or give one")
  const query = relayParams(relays)
  if (secret !== undefined) query.push(["secret", secret])
  return build("bunker", remoteSignerPubkey, query)
}

/**
 * The strict wire form.
 *
 * @throws `INVALID_TOKEN` for a pubkey, relays or a secret that a strict reader would refuse, and for more
 * than a reader takes
 */
export function buildNostrconnectToken(token: {
  clientPubkey: string
  relays: readonly string[]
  secret: string
  permissions?: readonly Permission[]
  app?: ClientMetadata
}): string {
  if (token.secret === "") throw refusal("secret", "a nostrconnect:// token needs a secret")
  const query = relayParams(token.relays)
  query.push(["secret", token.secret])
  if (token.permissions !== undefined && token.permissions.length > 0) {
    query.push(["perms", formatPermissions(token.permissions)])
  }
  for (const field of ["name", "url", "image"] as const) {
    const value = token.app?.[field]
    if (value !== undefined && value !== "") query.push([field, value])
  }
  return build("nostrconnect", token.clientPubkey, query)
}

type Scheme = "bunker" | "nostrconnect"

function split(input: string, scheme: Scheme): { pubkey: string; query: TokenQuery } {
  const text = input.trim()
  if (text.length > MAX_TOKEN_CHARS) throw tooLong(scheme)
  const parts = splitToken(text)
  if (parts === undefined || parts.scheme.toLowerCase() !== scheme) {
    throw refusal("scheme", `this is not a ${scheme}:// token; it must start with ${scheme}:// and a public key`)
  }
  const pubkey = parts.pubkey.toLowerCase()
  if (!isHex32(pubkey)) {
    throw refusal(
      "pubkey",
      `the public key in this ${scheme}:// token is not 64 hex digits; copy the whole token again`,
    )
  }
  return { pubkey, query: parts.query }
}

function relaysOf(query: TokenQuery, scheme: Scheme): string[] {
  const given = query.all("relay")
  const relays = normalizeRelayUrls(given)
  if (relays.length > 0) return relays
  throw refusal(
    "relay",
    given.length === 0
      ? `this ${scheme}:// token names no relay, so there is nowhere to meet`
      : `no relay in this ${scheme}:// token is a ws:// or wss:// URL`,
  )
}

function relayParams(relays: readonly string[]): [string, string][] {
  const normalized = normalizeRelayUrls(relays)
  if (normalized.length === 0) throw refusal("relay", "a connection token needs at least one ws:// or wss:// relay")
  return normalized.map((url) => ["relay", url])
}

function build(scheme: Scheme, pubkey: string, query: readonly (readonly [string, string])[]): string {
  if (!isHex32(pubkey)) throw refusal("pubkey", "a connection token needs a public key of 64 lower-case hex digits")
  const token = `${scheme}://${pubkey}?${query.map(([key, value]) => `${key}=${percentEncode(key, value)}`).join("&")}`
  if (token.length > MAX_TOKEN_CHARS) throw tooLong(scheme)
  return token
}

/** encodeURIComponent, and the five characters it leaves that some readers' patterns refuse. */
function percentEncode(key: string, value: string): string {
  if (!isWellFormed(value)) throw refusal(key, `the ${key} ends or begins in the middle of a character`)
  return encodeURIComponent(value).replace(/[!'()*~]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
}

function tooLong(scheme: Scheme): Nip46Error {
  return refusal("length", `a ${scheme}:// token has at most ${MAX_TOKEN_CHARS} characters`)
}

function refusal(field: string, message: string): Nip46Error {
  return new Nip46Error("INVALID_TOKEN", message, { details: { field } })
}
