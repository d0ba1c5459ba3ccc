import type { Random } from "../../../support/random.js"
import { TRIPWIRE } from "../watched.js"
import { BREAKOUTS, MARKUP } from "./markup.js"
import { BIDI, UNSEEN } from "./unseen.js"
import { URLS } from "./urls.js"

export type PayloadGroup = "markup" | "url" | "bidi" | "unseen"

/** What a hostile app puts where words are wanted. It begins and ends with a word of its own, to be found by. */
export interface Payload {
  readonly id: number
  readonly group: PayloadGroup
  readonly text: string
}

/** Names no place of anybody's (RFC 2606). */
const OUTSIDE = "out.example"

/** All of the lists, and as many mixtures of them as are wanted beside. */
export function createPayloads(count: number, random: Random): readonly Payload[] {
  const lists: readonly [PayloadGroup, readonly string[]][] = [
    ["markup", MARKUP],
    ["url", URLS],
    ["bidi", BIDI],
    ["unseen", UNSEEN],
  ]
  const made = lists.flatMap(([group, list]) => list.map((text): [PayloadGroup, string] => [group, text]))
  while (made.length < count) made.push(mixture(random))
  return made.slice(0, count).map(([group, text], id) => ({
    id,
    group,
    text: `q${id}a${text.replaceAll("RUN", `${TRIPWIRE}(${id})`).replaceAll("OUT", OUTSIDE)}q${id}z`,
  }))
}

/** One out of two lists: markup behind a way out, with something unseen in the middle, or an address in markup. */
function mixture(random: Random): [PayloadGroup, string] {
  const markup = random.pick(BREAKOUTS) + random.pick(MARKUP)
  switch (random.integer(4)) {
    case 0:
      return ["markup", markup]
    case 1:
      return ["markup", inserted(markup, random.pick(UNSEEN), random)]
    case 2:
      return ["bidi", inserted(random.pick(BIDI), markup, random)]
    default:
      return ["url", `${random.pick(['<a href="', '<img src="', "[x](", "href=", "\n"])}${random.pick(URLS)}">`]
  }
}

/** Never through the middle of a character. */
function inserted(into: string, what: string, random: Random): string {
  const characters = Array.from(into)
  const at = random.integer(characters.length + 1)
  return [...characters.slice(0, at), what, ...characters.slice(at)].join("")
}
