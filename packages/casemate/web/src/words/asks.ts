import { grantSentence } from "../../../src/channel/grant-words.js"
import { oneOfKindWords } from "../../../src/channel/kind-names.js"
import type { RequestDetail, RequestSummary } from "../../../src/channel/owner-calls.js"
import { safe } from "../../../src/channel/visible-text.js"
import { shortNpub } from "./pubkeys.js"
import { pageWording } from "./wording.js"

/** To stand after "wants to": `sign a note (kind 1)`. `userPubkey`: whose key it is about, where that is known. */
export function askWords(
  { method, param }: Pick<RequestSummary, "method" | "param">,
  { userPubkey }: Partial<Pick<RequestDetail, "userPubkey">> = {},
): string {
  const isOwn = param !== undefined && param === userPubkey
  switch (method) {
    case "sign_event":
      return param === undefined ? "sign an event" : `sign ${oneOfKindWords(param)}`
    case "nip04_encrypt":
    case "nip44_encrypt":
      return isOwn ? "encrypt something to yourself" : `encrypt a message to ${who(param)}`
    case "nip04_decrypt":
    case "nip44_decrypt":
      return isOwn
        ? "read something that you encrypted to yourself"
        : `read an encrypted message between you and ${who(param)}`
    default:
      return `use ${safe(method)}`
  }
}

/** What an approval that lasts lets an app do: `may sign notes (kind 1)`. */
export function scopeWords({ scope }: Pick<RequestDetail, "scope">, now: number): string {
  const lasting = { id: "", effect: "allow", expiresAt: undefined, usesLeft: undefined, rate: undefined } as const
  return grantSentence({ ...lasting, ...scope }, pageWording(now))
}

/** A login that is asked for again has a challenge of its own, so that approving the old one serves nobody. */
export function isLogin({ scope }: Pick<RequestDetail, "scope">): boolean {
  return scope.conditions.host !== undefined || scope.conditions.action !== undefined
}

function who(pubkey: string | undefined): string {
  return pubkey === undefined ? "somebody" : shortNpub(pubkey)
}
