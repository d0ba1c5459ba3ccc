import { parseEventTemplate } from "../protocol/event-template.js"
import { MAX_PLAINTEXT_BYTES } from "../protocol/limits.js"
import type { Request } from "../protocol/message.js"
import { isMethod, METHODS } from "../protocol/method.js"
import { type Ask, readCounterparty } from "./authorize.js"

export type ReadAsk =
  | { readonly kind: "ask"; readonly ask: Ask }
  | { readonly kind: "invalid"; readonly reason: string }

/**
 * Turns a parsed request into what it asks, or says what is wrong with it (NIP-46 §Methods/Commands:
 * unknown methods MUST be answered with an error).
 *
 * @param now unix seconds; stands in for a missing `created_at`
 */
export function readAsk({ method, params }: Request, userPubkey: string, now: number): ReadAsk {
  if (!isMethod(method)) return invalid(`unknown method; this signer knows ${METHODS.join(", ")}`)
  switch (method) {
    case "sign_event": {
      const parsed = parseEventTemplate(params[0], userPubkey, now)
      if (parsed.kind === "refused") return invalid(parsed.reason)
      return { kind: "ask", ask: { method, template: parsed.template } }
    }
    case "nip04_encrypt":
    case "nip04_decrypt":
    case "nip44_encrypt":
    case "nip44_decrypt": {
      const counterparty = readCounterparty(params[0])
      if (counterparty === undefined) return invalid(`${method} needs a public key of 64 hex digits as its first param`)
      const text = params[1]
      if (text === undefined) return invalid(`${method} needs a text as its second param`)
      if (method.endsWith("_encrypt") && utf8Length(text) > MAX_PLAINTEXT_BYTES) {
        return invalid(
          `the plaintext is longer than ${MAX_PLAINTEXT_BYTES} bytes, which no relay would carry encrypted`,
        )
      }
      return { kind: "ask", ask: { method, counterparty, text } }
    }
    case "connect":
    case "ping":
    case "get_public_key":
    case "switch_relays":
    case "logout":
      return { kind: "ask", ask: { method } }
  }
}

function utf8Length(text: string): number {
  return text.length > MAX_PLAINTEXT_BYTES ? text.length : new TextEncoder().encode(text).length
}

function invalid(reason: string): ReadAsk {
  return { kind: "invalid", reason }
}
