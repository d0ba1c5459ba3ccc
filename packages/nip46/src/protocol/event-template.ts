import { type EventTemplate, isKind, isTags, isTimestamp, MAX_KIND } from "./event.js"
import { field, parseObject } from "./message.js"

export type ParsedTemplate =
  | { readonly kind: "template"; readonly template: EventTemplate }
  | { readonly kind: "refused"; readonly reason: string }

/**
 * Reads the param of `sign_event` (NIP-46 §Methods/Commands). A missing `created_at` becomes `now`, missing
 * `tags` none; `id` and `sig` are dropped, as they are made anew; a `pubkey` other than the user's is refused.
 * Nothing else is altered.
 *
 * @param now unix seconds
 */
export function parseEventTemplate(json: string | undefined, userPubkey: string, now: number): ParsedTemplate {
  const raw = json === undefined ? undefined : parseObject(json)
  if (raw === undefined) return refused("sign_event needs an event as its first param")
  const pubkey = field(raw, "pubkey")
  if (pubkey !== undefined && pubkey !== null && pubkey !== "" && !isUsers(pubkey, userPubkey)) {
    return refused("the event's pubkey is not the user's; ask get_public_key for it")
  }
  const kind = field(raw, "kind")
  if (!isKind(kind)) return refused(`the event's kind must be a number from 0 to ${MAX_KIND}`)
  const content = field(raw, "content")
  if (typeof content !== "string") return refused("the event's content must be a string")
  const tags = field(raw, "tags") ?? []
  if (!isTags(tags)) return refused("the event's tags must be arrays of strings")
  const createdAt = field(raw, "created_at") ?? now
  if (!isTimestamp(createdAt)) return refused("the event's created_at must be whole unix seconds")
  return { kind: "template", template: { kind, content, tags, created_at: createdAt } }
}

/** Some clients write hex in capitals; what is signed has the user's pubkey as NIP-01 spells it. */
function isUsers(pubkey: unknown, userPubkey: string): boolean {
  return typeof pubkey === "string" && pubkey.toLowerCase() === userPubkey
}

function refused(reason: string): ParsedTemplate {
  return { kind: "refused", reason }
}
