import { diffLines, diffWordsWithSpace } from "diff"
import type { SignedInfo } from "./owner-calls.js"

/** What becomes of the last event of its kind when the next takes its place. */
export interface Changes {
  /** In the order of the next. That a tag only moved is no change. */
  readonly tagsAdded: readonly (readonly string[])[]
  /** In the order of the last. */
  readonly tagsRemoved: readonly (readonly string[])[]
  readonly content: ContentChanges
}

export type ContentChanges =
  | { readonly kind: "same" }
  /** Without what was added they are the last text, without what was removed the next; of JSON, its fields in lines. */
  | { readonly kind: "changed"; readonly parts: readonly ChangedPart[] }

export interface ChangedPart {
  readonly kind: "same" | "added" | "removed"
  readonly text: string
}

/** Longer than what an event of a request can hold; longer ones are not compared. */
const MAX_COMPARED = 200_000
/** The work grows with the square of it: 600 are some 50 ms. What differs in more is shown as a whole. */
const MAX_EDITS = 600

/** Pure, bounded, and for a screen: whoever shows it makes the text safe. */
export function changesBetween(
  previous: Pick<SignedInfo, "content" | "tags">,
  next: Pick<SignedInfo, "content" | "tags">,
): Changes {
  return {
    tagsAdded: without(next.tags, previous.tags),
    tagsRemoved: without(previous.tags, next.tags),
    content: contentChanges(previous.content, next.content),
  }
}

/** Those of `tags` that `others` does not have as often. */
function without(tags: SignedInfo["tags"], others: SignedInfo["tags"]): SignedInfo["tags"] {
  const left = new Map<string, number>()
  for (const tag of others.map((other) => JSON.stringify(other))) left.set(tag, (left.get(tag) ?? 0) + 1)
  return tags.filter((tag) => {
    const key = JSON.stringify(tag)
    const count = left.get(key) ?? 0
    left.set(key, count - 1)
    return count <= 0
  })
}

function contentChanges(previous: string, next: string): ContentChanges {
  if (previous === next) return { kind: "same" }
  const fields = [fieldsOf(previous), fieldsOf(next)] as const
  // Fields that are the same in another order, or twice, are still another text.
  const isFields = fields[0] !== undefined && fields[1] !== undefined && fields[0] !== fields[1]
  const parts = isFields ? byLines(fields[0], fields[1]) : (byWords(previous, next) ?? byLines(previous, next))
  return { kind: "changed", parts: parts ?? whole(previous, next) }
}

/** Undefined where little stays the same: scattered over what else is new, that would be no help. */
function byWords(previous: string, next: string): ChangedPart[] | undefined {
  if (previous.length + next.length > MAX_COMPARED) return undefined
  const parts = diffWordsWithSpace(previous, next, { maxEditLength: MAX_EDITS })?.map(toPart)
  const kept = parts?.reduce((sum, { kind, text }) => (kind === "same" ? sum + text.length : sum), 0) ?? 0
  return kept * 2 > Math.max(previous.length, next.length) ? parts : undefined
}

function byLines(previous: string, next: string): ChangedPart[] | undefined {
  if (previous.length + next.length > MAX_COMPARED) return undefined
  return diffLines(previous, next, { maxEditLength: MAX_EDITS })?.map(toPart)
}

function whole(previous: string, next: string): ChangedPart[] {
  const parts: ChangedPart[] = [
    { kind: "removed", text: previous },
    { kind: "added", text: next },
  ]
  return parts.filter(({ text }) => text !== "")
}

function toPart({ added, removed, value }: { added: boolean; removed: boolean; value: string }): ChangedPart {
  return { kind: added ? "added" : removed ? "removed" : "same", text: value }
}

/** A JSON object with a line for each field, by name; undefined for any other text. */
function fieldsOf(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined
    return `${JSON.stringify(value, byName, 2)}\n`
  } catch {
    // No JSON, or nested beyond what can be written again.
    return undefined
  }
}

function byName(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)))
}
