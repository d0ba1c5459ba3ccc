import type { Wording } from "../../../src/channel/grant-words.js"
import { safe } from "../../../src/channel/visible-text.js"
import { shortNpub } from "./pubkeys.js"
import { dateWords } from "./times.js"

/** How words about grants are shown on a page. */
export function pageWording(now: number): Wording {
  return { now, when: dateWords, npub: shortNpub, quoted }
}

/** In quotes that what is inside cannot close, and between isolates, so that no script turns the words around it. */
export function quoted(text: string): string {
  return `\u2068"${safe(text.replace(/["\\]/g, "\\$&"))}"\u2069`
}
