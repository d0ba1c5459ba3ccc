import { attempt } from "./attempt.js"

/** What a text is as JSON; undefined for a text that is none. */
export function parseJson(text: string): unknown {
  return attempt(() => JSON.parse(text))
}

/** What somebody gave as a value or as its JSON. */
export function readJson(given: unknown): unknown {
  return typeof given === "string" ? parseJson(given) : given
}

/** The value itself where it is an object and no array. */
export function objectOf(value: unknown): Record<string, unknown> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined
}
