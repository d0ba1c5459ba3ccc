import { isEventShape, type NostrEvent } from "../protocol/event.js"
import { parseJson } from "../protocol/json.js"
import { MAX_EVENT_BYTES } from "../protocol/limits.js"

/** NIP-01 §Communication between clients and relays. */
export interface RelayFilter {
  ids?: readonly string[]
  authors?: readonly string[]
  kinds?: readonly number[]
  since?: number
  until?: number
  limit?: number
  [tag: `#${string}`]: readonly string[] | undefined
}

/** What a relay says (NIP-01 §From relay to client, NIP-42). */
export type RelayMessage =
  | { kind: "event"; subscriptionId: string; event: NostrEvent }
  | { kind: "ok"; eventId: string; accepted: boolean; message: string }
  | { kind: "eose"; subscriptionId: string }
  | { kind: "closed"; subscriptionId: string; message: string }
  | { kind: "notice"; message: string }
  | { kind: "auth"; challenge: string }

/** A frame holds one event and little else; the doubling leaves room for JSON escapes. */
export const MAX_RELAY_MESSAGE_CHARS = MAX_EVENT_BYTES * 2

/** Relays' own words are shown to people and kept in states; nobody reads more. */
const MAX_TEXT_CHARS = 1_024

/** Total: anything that is not a message of NIP-01 or NIP-42 is `undefined`. Events are not verified. */
export function parseRelayMessage(data: unknown): RelayMessage | undefined {
  if (typeof data !== "string" || data.length > MAX_RELAY_MESSAGE_CHARS) return undefined
  const parts = parseJson(data)
  if (!Array.isArray(parts)) return undefined
  const [label, first, second, third] = parts as unknown[]
  if (typeof first !== "string") return undefined
  switch (label) {
    case "EVENT":
      return isEventShape(second) ? { kind: "event", subscriptionId: first, event: second } : undefined
    case "OK":
      if (typeof second !== "boolean") return undefined
      return { kind: "ok", eventId: first, accepted: second, message: text(third) }
    case "EOSE":
      return { kind: "eose", subscriptionId: first }
    case "CLOSED":
      return { kind: "closed", subscriptionId: first, message: text(second) }
    case "NOTICE":
      return { kind: "notice", message: text(first) }
    case "AUTH":
      return first.length <= MAX_TEXT_CHARS ? { kind: "auth", challenge: first } : undefined
    default:
      return undefined
  }
}

function text(value: unknown): string {
  return typeof value === "string" ? value.slice(0, MAX_TEXT_CHARS) : ""
}

/** What a refusal asks for, from the machine-readable prefix of OK and CLOSED. */
export type Refusal = "authenticate" | "final" | "try again"

const FINAL_PREFIXES = ["invalid", "unsupported", "restricted", "blocked"]

export function classifyRefusal(message: string): Refusal {
  // Relays in use put another prefix before it: "error: auth-required: …".
  if (message.includes("auth-required:")) return "authenticate"
  const prefix = /^\s*([a-z-]+):/.exec(message)?.[1]
  return prefix !== undefined && FINAL_PREFIXES.includes(prefix) ? "final" : "try again"
}
