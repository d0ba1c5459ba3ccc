import type { NostrEvent } from "../protocol/event.js"
import type { RelayFilter } from "./relay-message.js"

/** What a lax relay looks past. */
export interface MatchOptions {
  ignoreTags?: boolean
  ignoreTime?: boolean
}

/** NIP-01: all conditions of a filter hold; an absent one holds always, an empty list never. */
export function matchesFilter(event: NostrEvent, filter: RelayFilter, options: MatchOptions = {}): boolean {
  const { ids, authors, kinds, since, until } = filter
  if (ids !== undefined && !ids.includes(event.id)) return false
  if (authors !== undefined && !authors.includes(event.pubkey)) return false
  if (kinds !== undefined && !kinds.includes(event.kind)) return false
  if (options.ignoreTime !== true) {
    if (since !== undefined && event.created_at < since) return false
    if (until !== undefined && event.created_at > until) return false
  }
  return options.ignoreTags === true || matchesTags(event, filter)
}

/** NIP-01: one filter that matches is enough. */
export function matchesAny(event: NostrEvent, filters: readonly RelayFilter[], options?: MatchOptions): boolean {
  return filters.some((filter) => matchesFilter(event, filter, options))
}

function matchesTags(event: NostrEvent, filter: RelayFilter): boolean {
  return Object.entries(filter).every(([key, wanted]) => {
    if (!isTagKey(key) || !Array.isArray(wanted)) return true
    return event.tags.some(([name, value]) => name === key[1] && value !== undefined && wanted.includes(value))
  })
}

function isTagKey(key: string): boolean {
  return /^#[a-zA-Z]$/.test(key)
}

/** A filter off the wire whose known fields have their NIP-01 types. Unknown fields are let be. */
export function isFilter(value: unknown): value is RelayFilter {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false
  return Object.entries(value).every(([key, field]: [string, unknown]) => {
    if (key === "ids" || key === "authors" || isTagKey(key)) return isListOf(field, "string")
    if (key === "kinds") return isListOf(field, "number")
    if (key === "since" || key === "until" || key === "limit") return typeof field === "number"
    return true
  })
}

function isListOf(value: unknown, type: "string" | "number"): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === type)
}
