import { MAX_RATE_USES } from "@casemate/nip46/signer"
import * as v from "valibot"

const MAX_USES = 1_000_000
/** The last second of the year 9999. */
const MAX_TIME = 253_402_300_799
const LONGEST_RATE = 366 * 86_400

export const appId = v.object({
  id: v.pipe(
    v.string(),
    v.regex(/^[0-9a-f]{4,64}$/, "an app's id is at least its first 4 hex digits, as `casemate apps list` shows them"),
  ),
})

const permissions = v.pipe(
  v.string(),
  v.maxLength(4_096, "the permissions are too long; name fewer, or a method without its kinds"),
)
const time = v.pipe(v.number(), v.integer(), v.maxValue(MAX_TIME, "that time is too far away; name an earlier one"))
const short = v.pipe(v.string(), v.maxLength(1_024, "that text is too long for a limit"))

function count(flag: string, from: number, to: number) {
  const sentence = `${flag} takes a whole number from ${from} to ${to}`
  return v.pipe(v.number(), v.integer(sentence), v.minValue(from, sentence), v.maxValue(to, sentence))
}

/** Shapes of the args of the calls that change what an app may do, or for how long. */
export const TERM_ARGS = {
  "apps.grant": v.object({
    ...appId.entries,
    perms: permissions,
    deny: v.optional(v.boolean()),
    expiresAt: v.optional(time),
    uses: v.optional(count("--uses", 1, MAX_USES)),
    rate: v.optional(
      v.object({
        uses: v.pipe(
          v.number(),
          v.integer(),
          v.minValue(1, "--rate takes at least one use; --deny allows none"),
          v.maxValue(MAX_RATE_USES, `--rate counts at most ${MAX_RATE_USES} uses; name a shorter time`),
        ),
        seconds: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(LONGEST_RATE)),
      }),
    ),
    counterparties: v.optional(
      v.pipe(v.array(short), v.minLength(1), v.maxLength(100, "--with may be given at most 100 times")),
    ),
    tags: v.optional(
      v.pipe(v.array(v.tuple([short, short])), v.minLength(1), v.maxLength(20, "--tag may be given at most 20 times")),
    ),
    host: v.optional(short),
    action: v.optional(short),
    dPrefix: v.optional(v.pipe(short, v.minLength(1, "--d takes how the name begins, not an empty text"))),
    maxContentBytes: v.optional(count("--max-length", 0, 1_000_000)),
  }),
  "apps.ungrant": v.object({ ...appId.entries, what: permissions }),
  "apps.presets": v.object({}),
  "apps.preset": v.object({ ...appId.entries, preset: v.string() }),
  "apps.extend": v.object({ ...appId.entries, expiresAt: v.nullable(time) }),
  "apps.pause": appId,
  "apps.resume": appId,
  "apps.style": v.object({
    ...appId.entries,
    style: v.picklist(["auth_url", "hold", "deny"], "a style is auth_url, hold or deny"),
  }),
} as const
