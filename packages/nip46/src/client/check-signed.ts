import type { Nip44Backend } from "../crypto/backend.js"
import { Nip46Error } from "../protocol/errors.js"
import { type EventTemplate, isEventShape, type NostrEvent } from "../protocol/event.js"
import { readJson } from "../protocol/json.js"

export interface CheckOptions {
  readonly crypto: Nip44Backend
  readonly userPubkey: string
  /** Accept a `created_at` that the signer chose itself. */
  readonly anyCreatedAt: boolean
}

/**
 * Invariant 8: what came back is what was asked for, by the user, and genuine. Fields that NIP-01 does not name
 * are left out.
 *
 * @throws `WRONG_ANSWER`; `details.field` is the first that differs
 */
export function checkSigned(answer: unknown, template: EventTemplate, options: CheckOptions): NostrEvent {
  const { crypto, userPubkey, anyCreatedAt } = options
  const event = readJson(answer)
  if (!isEventShape(event)) throw wrong("result", "is not a signed event")
  const { id, pubkey, created_at, kind, tags, content, sig } = event
  if (pubkey !== userPubkey) throw wrong("pubkey", "is signed with another key than the user's")
  if (kind !== template.kind) throw wrong("kind", "has another kind than was asked for")
  if (content !== template.content) throw wrong("content", "has another content than was asked for")
  // Arrays of strings have one JSON each.
  if (JSON.stringify(tags) !== JSON.stringify(template.tags)) throw wrong("tags", "has other tags than were asked for")
  if (created_at !== template.created_at && !anyCreatedAt) {
    throw wrong("created_at", "has another created_at than was asked for")
  }
  const computed = crypto.eventId(event)
  if (computed !== id) throw wrong("id", "has an id that is not that of its bytes")
  if (!crypto.verifyEventSignature(event, computed)) throw wrong("sig", "has a signature that does not verify")
  return { id, pubkey, created_at, kind, tags, content, sig }
}

function wrong(field: string, what: string): Nip46Error {
  return new Nip46Error("WRONG_ANSWER", `what the remote signer signed ${what}; do not publish it`, {
    details: { field },
  })
}
