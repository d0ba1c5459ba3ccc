import { isHex32, isHex64 } from "./hex.js"

/** The kind of every NIP-46 request and response (NIP-46 §Request Events). */
export const NOSTR_CONNECT_KIND = 24133

/** The kind of the proof by which a relay knows who is connected (NIP-42). */
export const CLIENT_AUTHENTICATION_KIND = 22242

/** What a client asks to have signed. */
export interface EventTemplate {
  kind: number
  content: string
  tags: string[][]
  created_at: number
}

/** A template with its author: everything that the id is computed from. */
export interface UnsignedEvent extends EventTemplate {
  pubkey: string
}

/** An event as it travels (NIP-01 §Events and signatures). */
export interface NostrEvent extends UnsignedEvent {
  id: string
  sig: string
}

/** The largest kind (NIP-01: an integer between 0 and 65535). */
export const MAX_KIND = 65535

export function isKind(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_KIND
}

/** Unix seconds as they appear in `created_at`: a whole number that JSON and SQL carry exactly. */
export function isTimestamp(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

export function isTags(value: unknown): value is string[][] {
  return Array.isArray(value) && value.every((tag) => Array.isArray(tag) && tag.every((v) => typeof v === "string"))
}

/** True when every field that is signed has the type and shape of NIP-01. */
export function isTemplateShape(value: { readonly [field in keyof EventTemplate]?: unknown }): value is EventTemplate {
  const { kind, content, tags, created_at } = value
  return isKind(kind) && isTimestamp(created_at) && typeof content === "string" && isTags(tags)
}

/**
 * True when every field has the type and shape of NIP-01. Says nothing of the id or the signature:
 * those are recomputed and verified by a crypto backend.
 */
export function isEventShape(value: unknown): value is NostrEvent {
  if (typeof value !== "object" || value === null) return false
  const e = value as Record<string, unknown>
  return isHex32(e["id"]) && isHex32(e["pubkey"]) && isHex64(e["sig"]) && isTemplateShape(e)
}

/**
 * The text whose SHA-256 is the event id (NIP-01 §Events and signatures).
 *
 * NIP-01 escapes seven characters and keeps all others verbatim; JSON.stringify also escapes the other
 * control characters and lone surrogates, as every implementation in use does.
 */
export function serializeEvent(event: UnsignedEvent): string {
  return JSON.stringify([0, event.pubkey, event.created_at, event.kind, event.tags, event.content])
}
