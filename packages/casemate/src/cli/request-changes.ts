import { type ChangedPart, type Changes, changesBetween } from "../channel/changes.js"
import type { SignedInfo } from "../channel/owner-calls.js"
import { quoted, when } from "./output.js"
import { row, visible } from "./rows.js"

/** Of changed tags and lines of each sort; a list of follows has thousands, and their number says what happens to it. */
const SHOWN = 20

/** What becomes of the last one that was signed here, before the whole of what would be signed is shown. */
export function showChanges(previous: SignedInfo, next: SignedInfo): void {
  const changes = changesBetween(previous, next)
  row("replaces", `the one dated ${when(previous.createdAt)}, the last that was signed here`)
  if (next.createdAt < previous.createdAt) row("", "and is dated before it, so relays that have that one keep it")
  row("changes", changeWords(changes, previous))
  showTags("-", changes.tagsRemoved)
  showTags("+", changes.tagsAdded)
  if (changes.content.kind === "changed") {
    const lines = changedLines(changes.content.parts)
    for (const { sign, text } of lines.slice(0, 2 * SHOWN)) row(`  ${sign} content`, `| ${visible(text)}`)
    showRest(lines.length - 2 * SHOWN)
  }
}

/** `removes 400 of 412 tags, adds 2, and changes the content`. */
export function changeWords({ tagsAdded, tagsRemoved, content }: Changes, { tags }: Pick<SignedInfo, "tags">): string {
  const words: string[] = []
  if (tagsRemoved.length > 0) words.push(`removes ${tagsRemoved.length} of ${counted(tags.length)}`)
  if (tagsAdded.length > 0) words.push(`adds ${counted(tagsAdded.length)}`)
  if (content.kind === "changed") words.push("changes the content")
  return words.length === 0 ? "nothing but its date, and the order of its tags at most" : words.join(", ")
}

interface ChangedLine {
  readonly sign: "-" | "+"
  readonly text: string
}

/** The lines that are not the same before and after, whatever the parts are cut by. */
export function changedLines(parts: readonly ChangedPart[]): ChangedLine[] {
  const lines: ChangedLine[] = []
  let before = ""
  let after = ""
  let isChanged = false
  const flush = (): void => {
    if (isChanged) {
      if (before !== "") lines.push(...linesOf("-", before))
      if (after !== "") lines.push(...linesOf("+", after))
    }
    before = ""
    after = ""
    isChanged = false
  }
  for (const { kind, text } of parts) {
    for (const piece of text.split(/(?<=\n)/)) {
      if (kind !== "added") before += piece
      if (kind !== "removed") after += piece
      if (kind !== "same") isChanged = true
      const isWhole = kind === "same" || before === "" || after === ""
      if (isWhole && piece.endsWith("\n")) flush()
    }
  }
  flush()
  return lines
}

function linesOf(sign: ChangedLine["sign"], text: string): ChangedLine[] {
  return text
    .replace(/\n$/, "")
    .split("\n")
    .map((line) => ({ sign, text: line }))
}

function showTags(sign: "-" | "+", tags: Changes["tagsAdded"]): void {
  for (const tag of tags.slice(0, SHOWN)) row(`  ${sign} tag`, tag.map((part) => quoted(part)).join(" "))
  showRest(tags.length - SHOWN)
}

function showRest(more: number): void {
  if (more > 0) row("", `and ${more} more; --json has all of it`)
}

function counted(tags: number): string {
  return tags === 1 ? "1 tag" : `${tags} tags`
}
