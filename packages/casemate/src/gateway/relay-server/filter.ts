import { isHex32, isKind, isTimestamp, NOSTR_CONNECT_KIND, type NostrEvent } from "@casemate/nip46/protocol"
import type { RelayLimits } from "./limits.js"

/** A filter of NIP-01, checked. An absent list is no condition; an empty one matches nothing. */
export interface Filter {
  ids: ReadonlySet<string> | undefined
  authors: ReadonlySet<string> | undefined
  kinds: ReadonlySet<number> | undefined
  /** Tag name without `#` to values. */
  tags: ReadonlyMap<string, ReadonlySet<string>>
  since: number
  until: number
}

export type FilterResult = { kind: "filter"; filter: Filter } | { kind: "refused"; message: string }

const TAG_KEY = /^#[a-zA-Z]$/

/** Reads one filter of a REQ. Total; the message of a refusal is fit for CLOSED. */
export function parseFilter(value: unknown, { maxFilterValues }: Pick<RelayLimits, "maxFilterValues">): FilterResult {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return refuse("a filter is a JSON object")
  const tags = new Map<string, ReadonlySet<string>>()
  const filter: Filter = {
    ids: undefined,
    authors: undefined,
    kinds: undefined,
    tags,
    since: 0,
    until: Number.POSITIVE_INFINITY,
  }
  for (const [key, condition] of Object.entries(value)) {
    if (key === "since" || key === "until" || key === "limit") {
      if (!isTimestamp(condition)) return refuse(`${key} is a non-negative integer`)
      // `limit` speaks of stored events, of which there are none.
      if (key !== "limit") filter[key] = condition
      continue
    }
    const isTag = TAG_KEY.test(key)
    if (!isTag && key !== "ids" && key !== "authors" && key !== "kinds") {
      return { kind: "refused", message: "unsupported: filter contains unknown elements" }
    }
    if (!Array.isArray(condition)) return refuse(`${key} is a list`)
    if (condition.length > maxFilterValues) return refuse(`${key} has more than ${maxFilterValues} values`)
    if (key === "kinds") {
      if (!condition.every(isKind)) return refuse("kinds is a list of integers from 0 to 65535")
      filter.kinds = new Set(condition)
    } else if (key === "ids" || key === "authors" || key === "#e" || key === "#p") {
      if (!condition.every(isHex32)) return refuse(`${key} is a list of 64 lower-case hex digits each`)
      if (isTag) tags.set(key.slice(1), new Set(condition))
      else filter[key as "ids" | "authors"] = new Set(condition)
    } else {
      if (!condition.every((v) => typeof v === "string")) return refuse(`${key} is a list of strings`)
      tags.set(key.slice(1), new Set(condition as string[]))
    }
  }
  return { kind: "filter", filter }
}

/** All conditions of a filter hold (NIP-01). */
export function matchesFilter(filter: Filter, event: NostrEvent): boolean {
  if (event.created_at < filter.since || event.created_at > filter.until) return false
  if (filter.kinds?.has(event.kind) === false) return false
  if (filter.ids?.has(event.id) === false) return false
  if (filter.authors?.has(event.pubkey) === false) return false
  for (const [name, values] of filter.tags) {
    if (!event.tags.some((tag) => tag[0] === name && tag[1] !== undefined && values.has(tag[1]))) return false
  }
  return true
}

/** True when nothing that this relay carries can ever match, so that the filter needs no place in an index. */
export function isVoid(filter: Filter): boolean {
  if (filter.kinds?.has(NOSTR_CONNECT_KIND) === false) return true
  if (filter.since > filter.until) return true
  return [filter.ids, filter.authors, ...filter.tags.values()].some((values) => values?.size === 0)
}

/** What a filter is found by: the narrowest of its conditions, or nothing. */
export function indexKeys(filter: Filter): { by: "p" | "author" | "id"; values: ReadonlySet<string> } | undefined {
  const p = filter.tags.get("p")
  if (p !== undefined) return { by: "p", values: p }
  if (filter.authors !== undefined) return { by: "author", values: filter.authors }
  if (filter.ids !== undefined) return { by: "id", values: filter.ids }
  return undefined
}

export function countValues({ ids, authors, kinds, tags }: Filter): number {
  return [ids, authors, kinds, ...tags.values()].reduce((sum, values) => sum + (values?.size ?? 0), 0)
}

function refuse(why: string): FilterResult {
  return { kind: "refused", message: `invalid: ${why}` }
}
