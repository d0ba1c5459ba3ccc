import { describe, expect, it, test } from "vitest"
import { conditionWords, grantLines, grantSentence, isLimited, listed, permissionWords } from "./grant-words.js"
import { kindWords } from "./kind-names.js"
import type { GrantInfo } from "./owner-calls.js"

const ALICE = "a1".repeat(32)
const BOB = "b2".repeat(32)
const wording = {
  now: 1_000,
  when: (seconds: number): string => `T+${seconds}`,
  npub: (pubkey: string): string => `npub:${pubkey.slice(0, 2)}`,
  quoted: (text: string): string => `<${text}>`,
}
const grant = (rest: Partial<GrantInfo> = {}): GrantInfo => ({
  id: "1d",
  method: "sign_event",
  param: "1",
  effect: "allow",
  expiresAt: undefined,
  usesLeft: undefined,
  rate: undefined,
  conditions: {},
  ...rest,
})

test.each<[string, Partial<GrantInfo>]>([
  ["may sign notes (kind 1)", {}],
  ["may sign events of kind 31337", { param: "31337" }],
  [
    "may sign everything but what can cost you more than a post (profile, follows, deletions, relay lists, wallets, logins, app data)",
    { param: undefined },
  ],
  ["may encrypt messages to anybody (nip44_encrypt)", { method: "nip44_encrypt", param: undefined }],
  ["may encrypt messages to npub:a1 (nip04_encrypt)", { method: "nip04_encrypt", param: ALICE }],
  [
    "may decrypt messages between you and npub:a1 and npub:b2 (nip44_decrypt)",
    { method: "nip44_decrypt", param: undefined, conditions: { counterparties: [ALICE, BOB] } },
  ],
  ["may ask <ping>, as every app may", { method: "ping", param: undefined }],
  ["may sign notes (kind 1), 3 more times", { usesLeft: 3 }],
  ["may sign notes (kind 1), once more", { usesLeft: 1 }],
  ["may sign notes (kind 1), used up", { usesLeft: 0 }],
  ["may sign notes (kind 1), until T+1001", { expiresAt: 1_001 }],
  ["may sign notes (kind 1), over since T+1000", { expiresAt: 1_000 }],
  ["may sign notes (kind 1), at most 20 an hour", { rate: { uses: 20, seconds: 3_600 } }],
  ["may sign notes (kind 1), at most 5 in 90 s", { rate: { uses: 5, seconds: 90 } }],
  [
    "may sign notes (kind 1), 3 more times, until T+2000, at most 1 a day",
    { usesLeft: 3, expiresAt: 2_000, rate: { uses: 1, seconds: 86_400 } },
  ],
  [
    "may sign logins at web sites (kind 27235), only at <api.example> and to <get>, once more",
    { param: "27235", conditions: { host: "api.example", action: "get" }, usesLeft: 1 },
  ],
  [
    "may sign notes (kind 1), only with a tag <t> that says <nostr> and of at most 280 bytes",
    { conditions: { tags: [["t", "nostr"]], maxContentBytes: 280 } },
  ],
  [
    "may sign private data of apps (kind 30078), only under a name (d tag) that begins with <app/>",
    { param: "30078", conditions: { dPrefix: "app/" } },
  ],
  ["may sign deletions (kind 5), only exactly as it was asked", { param: "5", conditions: { ask: "00" } }],
  ["never: sign deletions (kind 5)", { param: "5", effect: "deny" }],
  ["never: sign anything", { param: undefined, effect: "deny" }],
  [
    "never: sign logins at web sites (kind 27235) at <evil.example>, until T+2000",
    { param: "27235", effect: "deny", conditions: { host: "evil.example" }, expiresAt: 2_000 },
  ],
])("%s", (sentence, rest) => {
  expect(grantSentence(grant(rest), wording)).toBe(sentence)
})

describe("lines", () => {
  it("say together what stands under the same limits, and nothing else", () => {
    const grants = [
      grant({ id: "1" }),
      grant({ id: "2", param: "6", usesLeft: 2 }),
      grant({ id: "3", param: "7" }),
      grant({ id: "4", param: "1111", usesLeft: 2 }),
      grant({ id: "5", param: "20", usesLeft: 1 }),
      grant({ id: "6", param: undefined }),
      grant({ id: "7", method: "nip44_encrypt", param: ALICE }),
      grant({ id: "8", method: "nip44_encrypt", param: BOB }),
      grant({ id: "9", param: "16" }),
    ]
    expect(grantLines(grants, wording).map(({ words, ids, isLimited }) => [words, ids.join(), isLimited])).toEqual([
      ["sign notes (kind 1), reactions (kind 7) and reposts of other things than notes (kind 16)", "1,3,9", false],
      ["sign reposts (kind 6) and comments (kind 1111), 2 more times each", "2,4", true],
      ["sign pictures (kind 20), once more", "5", true],
      [expect.stringMatching(/^sign everything but/), "6", false],
      ["encrypt messages to npub:a1 (nip44_encrypt)", "7", false],
      ["encrypt messages to npub:b2 (nip44_encrypt)", "8", false],
    ])
  })

  it("keep apart what is allowed and what is denied, and conditions in whatever order they stand", () => {
    const one = grant({ conditions: { host: "x", action: "get" } })
    const other = grant({ conditions: { action: "get", host: "x" } })
    expect(grantLines([one, other, grant({ effect: "deny" }), grant()], wording)).toHaveLength(3)
    expect(grantLines([], wording)).toEqual([])
  })
})

it("a limit is a time, a count, a rate or a condition", () => {
  expect(isLimited(grant())).toBe(false)
  for (const rest of [
    { expiresAt: 1 },
    { usesLeft: 0 },
    { rate: { uses: 1, seconds: 1 } },
    { conditions: { maxContentBytes: 0 } },
  ])
    expect(isLimited(grant(rest))).toBe(true)
})

it("what somebody else may have written is always shown in quotes", () => {
  const evil = '"\u001b]0;x\u0007'
  const conditions = { tags: [[evil, evil]] as const, host: evil, action: evil, dPrefix: evil }
  for (const words of [
    ...conditionWords(conditions, wording),
    permissionWords({ method: evil, param: undefined }, wording),
  ])
    expect(words.replaceAll(`<${evil}>`, "")).not.toContain(evil)
})

it("kinds have names in words, or at least their number", () => {
  expect(kindWords(9734)).toBe("requests to be billed for a tip (kind 9734)")
  expect(kindWords("40000")).toBe("events of kind 40000")
})

it("what is denied together is denied one by one", () => {
  const denied = ["5", "62"].map((param) => grant({ param, effect: "deny" }))
  expect(grantLines(denied, wording).map(({ words }) => words)).toEqual([
    "sign deletions (kind 5) or requests to delete all of your account (kind 62)",
  ])
})

it("lists read as sentences", () => {
  expect([[], ["a"], ["a", "b"], ["a", "b", "c"]].map((words) => listed(words))).toEqual([
    "",
    "a",
    "a and b",
    "a, b and c",
  ])
})
