import type { NostrEvent } from "@casemate/nip46/protocol"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { type Filter, indexKeys, isVoid, matchesFilter, parseFilter } from "./filter.js"
import { DEFAULT_RELAY_LIMITS } from "./limits.js"
import { SubscriptionIndex } from "./subscription-index.js"

const A = "a".repeat(64)
const B = "b".repeat(64)
const C = "c".repeat(64)

function event(fields: Partial<NostrEvent> = {}): NostrEvent {
  return {
    id: A,
    pubkey: B,
    kind: 24133,
    created_at: 100,
    tags: [["p", C]],
    content: "",
    sig: "0".repeat(128),
    ...fields,
  }
}

function read(value: unknown): Filter {
  const result = parseFilter(value, DEFAULT_RELAY_LIMITS)
  if (result.kind === "refused") throw new Error(result.message)
  return result.filter
}

describe("parseFilter", () => {
  test.each([
    [null, "invalid: "],
    ["x", "invalid: "],
    [[], "invalid: "],
    [{ kinds: 1 }, "invalid: "],
    [{ kinds: [65_536] }, "invalid: "],
    [{ kinds: ["1"] }, "invalid: "],
    [{ ids: ["abc"] }, "invalid: "],
    [{ authors: [A.toUpperCase()] }, "invalid: "],
    [{ "#p": [A.slice(1)] }, "invalid: "],
    [{ "#e": [1] }, "invalid: "],
    [{ "#t": [1] }, "invalid: "],
    [{ since: -1 }, "invalid: "],
    [{ until: "now" }, "invalid: "],
    [{ limit: 0.5 }, "invalid: "],
    [{ kinds: Array(1_001).fill(1) }, "invalid: kinds has more than 1000 values"],
    [{ search: "x" }, "unsupported: "],
    [{ "#pp": ["x"] }, "unsupported: "],
    [JSON.parse('{"__proto__":["x"]}'), "unsupported: "],
  ])("refuses %j", (value, prefix) => {
    const result = parseFilter(value, DEFAULT_RELAY_LIMITS)
    expect(result).toMatchObject({ kind: "refused", message: expect.stringMatching(`^${prefix}`) })
  })

  test("nothing makes it throw", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const result = parseFilter(value, DEFAULT_RELAY_LIMITS)
        return result.kind === "filter" || /^[a-z]+: /.test(result.message)
      }),
      { numRuns: 1_000 },
    )
  })
})

describe("matchesFilter", () => {
  test.each([
    [{}, true],
    [{ limit: 0 }, true],
    [{ kinds: [1, 24133] }, true],
    [{ kinds: [1] }, false],
    [{ kinds: [] }, false],
    [{ ids: [A] }, true],
    [{ ids: [B] }, false],
    [{ authors: [B] }, true],
    [{ authors: [A] }, false],
    [{ "#p": [A, C] }, true],
    [{ "#p": [A] }, false],
    [{ "#t": ["x"] }, false],
    [{ since: 100, until: 100 }, true],
    [{ since: 101 }, false],
    [{ until: 99 }, false],
    [{ authors: [B], "#p": [A] }, false],
    [{ kinds: [24133], ids: [A], authors: [B], "#p": [C], since: 1, until: 1_000 }, true],
  ])("%j: %s", (filter, expected) => {
    expect(matchesFilter(read(filter), event())).toBe(expected)
  })

  test("only the first value of a tag counts, and a tag without one matches nothing", () => {
    const filter = read({ "#p": [C] })
    expect(matchesFilter(filter, event({ tags: [["p", A, C], ["p"], []] }))).toBe(false)
    expect(
      matchesFilter(
        filter,
        event({
          tags: [
            ["p", A],
            ["p", C],
          ],
        }),
      ),
    ).toBe(true)
  })
})

test.each([
  [{ kinds: [1] }, true],
  [{ kinds: [] }, true],
  [{ "#p": [] }, true],
  [{ authors: [] }, true],
  [{ since: 2, until: 1 }, true],
  [{ kinds: [24133] }, false],
  [{}, false],
])("isVoid %j: %s", (filter, expected) => {
  expect(isVoid(read(filter))).toBe(expected)
})

describe("SubscriptionIndex", () => {
  const key = fc.constantFrom(A, B, C)
  const keys = fc.uniqueArray(key, { maxLength: 3 })
  const filter = fc.record(
    {
      ids: keys,
      authors: keys,
      "#p": keys,
      kinds: fc.constantFrom([24133], [1], [1, 24133], []),
      since: fc.integer({ min: 0, max: 200 }),
      until: fc.integer({ min: 0, max: 200 }),
    },
    { requiredKeys: [] },
  )
  const indexable = filter.map(read).filter((f) => isVoid(f) || indexKeys(f) !== undefined)
  const subscriptions = fc.array(fc.record({ filters: fc.array(indexable, { minLength: 1, maxLength: 3 }) }))
  const events = fc.record({ id: key, pubkey: key, created_at: fc.integer({ min: 0, max: 200 }), to: keys })

  test("finds what trying every filter finds, and keeps nothing of what was removed", () => {
    let found = 0
    fc.assert(
      fc.property(subscriptions, events, (all, { to, ...fields }) => {
        const index = new SubscriptionIndex<(typeof all)[number]>()
        for (const subscription of all) index.add(subscription)
        const e = event({ ...fields, tags: to.map((p) => ["p", p]) })
        const expected = all.filter(({ filters }) => filters.some((f) => matchesFilter(f, e)))
        const actual = index.match(e)
        expect(actual).toEqual(new Set(expected))
        found += actual.size
        for (const subscription of all) index.remove(subscription)
        expect(index.size).toBe(0)
      }),
      { numRuns: 500 },
    )
    expect(found).toBeGreaterThan(10)
  })
})
