import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { checkLeaks } from "../../test/support/leaks.js"
import { createNodeBackend } from "../crypto/node/index.js"
import type { EventTemplate, NostrEvent } from "../protocol/event.js"
import { checkSigned } from "./check-signed.js"

checkLeaks()

const crypto = createNodeBackend()
const user = crypto.keypair(crypto.generateSecretKey())
const other = crypto.keypair(crypto.generateSecretKey())
const template: EventTemplate = {
  kind: 1,
  content: "hello",
  tags: [
    ["t", "a"],
    ["t", "b"],
  ],
  created_at: 1_700_000_000,
}
const signed = crypto.signEvent(template, user)

function check(answer: unknown, options: { anyCreatedAt?: boolean } = {}): NostrEvent {
  return checkSigned(answer, template, { crypto, userPubkey: user.pubkey, anyCreatedAt: false, ...options })
}

function fieldOf(answer: unknown, options?: { anyCreatedAt?: boolean }): unknown {
  try {
    check(answer, options)
  } catch (error) {
    return (error as { code: string; details: { field: string } }).details.field
  }
  return undefined
}

/** The user's own signature under something else. */
const resigned = (change: Partial<EventTemplate>): NostrEvent => crypto.signEvent({ ...template, ...change }, user)

describe("invariant 8: a signed event is checked against what was asked for", () => {
  it("takes it as JSON and as an object, without what NIP-01 does not name", () => {
    expect(check(JSON.stringify(signed))).toEqual(signed)
    expect(check(signed)).toEqual(signed)
    expect(check({ ...signed, extra: 1 })).toEqual(signed)
  })

  it("refuses each field that is not the one asked for, properly signed as it may be", () => {
    expect(fieldOf(crypto.signEvent(template, other))).toBe("pubkey")
    expect(fieldOf(resigned({ kind: 3 }))).toBe("kind")
    expect(fieldOf(resigned({ content: "hello " }))).toBe("content")
    expect(fieldOf(resigned({ created_at: 1_700_000_001 }))).toBe("created_at")
    const tags = [
      [],
      [["t", "a"]],
      [
        ["t", "b"],
        ["t", "a"],
      ],
      [
        ["t", "a", ""],
        ["t", "b"],
      ],
      [
        ["t", "a"],
        ["t", "b"],
        ["p", "x"],
      ],
    ]
    for (const each of tags) expect(fieldOf(resigned({ tags: each }))).toBe("tags")
  })

  it("refuses an id or a signature that is not the event's", () => {
    expect(fieldOf({ ...signed, id: "0".repeat(64) })).toBe("id")
    expect(fieldOf({ ...signed, sig: "0".repeat(128) })).toBe("sig")
    expect(fieldOf({ ...signed, sig: resigned({ content: "x" }).sig })).toBe("sig")
  })

  it("refuses what is no event", () => {
    for (const answer of ["", "ack", "null", null, [], {}, 1, "{}", { ...signed, id: signed.id.toUpperCase() }]) {
      expect(fieldOf(answer)).toBe("result")
    }
  })

  it("lets the signer choose created_at where the app says so, and nothing else", () => {
    const later = resigned({ created_at: 1 })
    expect(check(later, { anyCreatedAt: true })).toEqual(later)
    expect(fieldOf(resigned({ created_at: 1, content: "x" }), { anyCreatedAt: true })).toBe("content")
  })

  it("refuses every event with a character changed anywhere", () => {
    const json = JSON.stringify(signed)
    fc.assert(
      fc.property(fc.nat(json.length - 1), fc.string({ minLength: 1, maxLength: 1 }), (at, character) => {
        fc.pre(json[at] !== character)
        const mutated = json.slice(0, at) + character + json.slice(at + 1)
        let event: NostrEvent | undefined
        try {
          event = check(mutated)
        } catch (error) {
          expect(error).toMatchObject({ code: "WRONG_ANSWER" })
        }
        // Only white space, or an escape that means the same, can have changed.
        if (event !== undefined) expect(event).toEqual(signed)
      }),
      { numRuns: 500 },
    )
  })
})
