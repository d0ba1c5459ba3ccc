import * as v from "valibot"

const id = v.pipe(
  v.string(),
  v.regex(
    /^[0-9a-f]{4,32}$/,
    "a request's id is at least its first 4 hex digits, as `casemate requests list` shows them",
  ),
)
const digest = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, "a decision names the digest of what was shown"))
const seconds = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(60, "an approval lasts at least 60 seconds"),
  v.maxValue(366 * 86_400, "an approval lasts at most 366 days, or always"),
)

/** Shapes of the args of what an owner decides, checked at the door. */
export const REQUEST_ARGS = {
  "requests.list": v.object({
    limit: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_000, "at most 1,000 at a time"))),
  }),
  "requests.show": v.object({ id }),
  "requests.approve": v.object({
    id,
    digest,
    extent: v.union(
      [v.picklist(["once", "always"]), v.object({ seconds })],
      "an approval is once, always or for a time",
    ),
  }),
  "requests.deny": v.object({ id, digest, block: v.boolean() }),
} as const
