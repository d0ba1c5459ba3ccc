import type { Permission } from "@casemate/nip46/protocol"
import { kindWords } from "./kind-names.js"
import type { ApprovalStyle, GrantInfo } from "./owner-calls.js"

/** How the one who shows the words writes what is not a word of ours. */
export interface Wording {
  /** Unix seconds. */
  readonly now: number
  /** Unix seconds as a person reads them. */
  readonly when: (seconds: number) => string
  /** A public key as a person reads it. */
  readonly npub: (pubkey: string) => string
  /** What somebody else may have written, made safe and in quotes. */
  readonly quoted: (text: string) => string
}

export interface GrantLine {
  /** `sign notes (kind 1) and reactions (kind 7), 3 more times each`. */
  readonly words: string
  readonly ids: readonly string[]
  readonly isLimited: boolean
}

const SIGN_MOST =
  "sign everything but what can cost you more than a post (profile, follows, deletions, relay lists, wallets, logins, app data)"

const UNITS: ReadonlyMap<number, string> = new Map([
  [1, "a second"],
  [60, "a minute"],
  [3_600, "an hour"],
  [86_400, "a day"],
])

/** What becomes of an ask that no grant covers, to stand after "anything else". */
export const STYLE_WORDS: Readonly<Record<ApprovalStyle, string>> = {
  auth_url: "is left to you: the app is sent to a page where you decide, and waits",
  hold: "is left to you: the app waits until you decide",
  deny: "is refused at once",
}

/** `sign notes (kind 1)`, `encrypt messages to anybody (nip44_encrypt)`. */
export function permissionWords(permission: Permission, wording: Pick<Wording, "npub" | "quoted">): string {
  return actionWords([{ ...permission, effect: "allow", conditions: {} }], wording)
}

/** `may sign notes (kind 1), 3 more times, until …, at most 20 an hour`; `never: sign deletions (kind 5)`. */
export function grantSentence(grant: GrantInfo, wording: Wording): string {
  return `${grant.effect === "allow" ? "may " : "never: "}${wordsOf([grant], wording)}`
}

/** What stands under the same limits is one line; those of one effect only. */
export function grantLines(grants: readonly GrantInfo[], wording: Wording): GrantLine[] {
  const groups = new Map<string, GrantInfo[]>()
  for (const grant of grants) {
    const key = groupOf(grant)
    groups.set(key, [...(groups.get(key) ?? []), grant])
  }
  return [...groups.values()].map((group) => ({
    words: wordsOf(group, wording),
    ids: group.map(({ id }) => id),
    isLimited: group.some(isLimited),
  }))
}

/** Something ends it, counts it, or narrows it. */
export function isLimited({ expiresAt, usesLeft, rate, conditions }: GrantInfo): boolean {
  return [expiresAt, usesLeft, rate, ...Object.values(conditions)].some((limit) => limit !== undefined)
}

/** `3 more times`, `until …`, `at most 20 an hour`. */
export function limitWords(
  { expiresAt, usesLeft, rate }: Pick<GrantInfo, "expiresAt" | "usesLeft" | "rate">,
  { now, when }: Pick<Wording, "now" | "when">,
  { each = false } = {},
): string[] {
  const words: string[] = []
  if (usesLeft !== undefined) words.push(usesLeft > 0 && each ? `${usesWords(usesLeft)} each` : usesWords(usesLeft))
  if (expiresAt !== undefined) words.push(`${expiresAt > now ? "until" : "over since"} ${when(expiresAt)}`)
  if (rate !== undefined) {
    const { uses, seconds } = rate
    words.push(`at most ${uses} ${UNITS.get(seconds) ?? `in ${seconds} s`}`)
  }
  return words
}

/** `with a tag "t" that says "nostr"`, to stand after "only"; whom it is about is said elsewhere. */
export function conditionWords(
  { tags = [], host, action, dPrefix, maxContentBytes, ask }: GrantInfo["conditions"],
  { quoted }: Pick<Wording, "quoted">,
): string[] {
  const words = tags.map(([name, value]) => `with a tag ${quoted(name)} that says ${quoted(value)}`)
  if (host !== undefined) words.push(`at ${quoted(host)}`)
  if (action !== undefined) words.push(`to ${quoted(action)}`)
  if (dPrefix !== undefined) words.push(`under a name (d tag) that begins with ${quoted(dPrefix)}`)
  if (maxContentBytes !== undefined) words.push(`of at most ${maxContentBytes} bytes`)
  if (ask !== undefined) words.push("exactly as it was asked")
  return words
}

/** `a, b and c`. */
export function listed(words: readonly string[], last: "and" | "or" = "and"): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} ${last} ${words.at(-1)}`
}

function groupOf({ id, method, effect, expiresAt, usesLeft, rate, param, conditions }: GrantInfo): string {
  if (method !== "sign_event") return id
  const narrowed = Object.entries(conditions).sort(([one], [other]) => (one < other ? -1 : 1))
  return JSON.stringify([effect, param === undefined, expiresAt, usesLeft, rate, narrowed])
}

function wordsOf(group: readonly GrantInfo[], wording: Wording): string {
  const [first] = group
  if (first === undefined) return ""
  const only = listed(conditionWords(first.conditions, wording))
  const narrowed = only === "" ? "" : first.effect === "allow" ? `, only ${only}` : ` ${only}`
  const limits = limitWords(first, wording, { each: group.length > 1 })
  return `${actionWords(group, wording)}${narrowed}${limits.map((limit) => `, ${limit}`).join("")}`
}

function actionWords(
  group: readonly Pick<GrantInfo, "method" | "param" | "effect" | "conditions">[],
  { npub, quoted }: Pick<Wording, "npub" | "quoted">,
): string {
  const [first] = group
  if (first === undefined) return ""
  const { method, param, conditions } = first
  const isDenial = first.effect === "deny"
  const who = (): string =>
    listed((param === undefined ? (conditions.counterparties ?? []) : [param]).map(npub)) || "anybody"
  switch (method) {
    case "sign_event":
      if (param === undefined) return isDenial ? "sign anything" : SIGN_MOST
      return `sign ${listed(
        group.map(({ param: kind = "" }) => kindWords(kind)),
        isDenial ? "or" : "and",
      )}`
    case "nip04_encrypt":
    case "nip44_encrypt":
      return `encrypt messages to ${who()} (${method})`
    case "nip04_decrypt":
    case "nip44_decrypt":
      return `decrypt messages between you and ${who()} (${method})`
    default:
      return `ask ${quoted(method)}, as every app may`
  }
}

function usesWords(uses: number): string {
  if (uses <= 0) return "used up"
  return uses === 1 ? "once more" : `${uses} more times`
}
