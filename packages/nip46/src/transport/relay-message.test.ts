import fc from "fast-check"
import { finalizeEvent, generateSecretKey } from "nostr-tools/pure"
import { describe, expect, test } from "vitest"
import { checkLeaks } from "../../test/support/leaks.js"
import { classifyRefusal, MAX_RELAY_MESSAGE_CHARS, parseRelayMessage } from "./relay-message.js"

checkLeaks()

const event = JSON.parse(
  JSON.stringify(finalizeEvent({ kind: 24133, content: "x", tags: [["p", "a"]], created_at: 1 }, generateSecretKey())),
) as Record<string, unknown>

describe("parseRelayMessage", () => {
  test.each([
    [["EVENT", "s1", event], { kind: "event", subscriptionId: "s1", event }],
    [["OK", "id", true, "fine"], { kind: "ok", eventId: "id", accepted: true, message: "fine" }],
    [["OK", "id", false], { kind: "ok", eventId: "id", accepted: false, message: "" }],
    [["EOSE", "s1"], { kind: "eose", subscriptionId: "s1" }],
    [["CLOSED", "s1", "error: x"], { kind: "closed", subscriptionId: "s1", message: "error: x" }],
    [["NOTICE", "hello"], { kind: "notice", message: "hello" }],
    [["AUTH", "challenge"], { kind: "auth", challenge: "challenge" }],
  ])("reads %j", (message, expected) => {
    expect(parseRelayMessage(JSON.stringify(message))).toEqual(expected)
  })

  test.each([
    ["not JSON", "{"],
    ["an object", "{}"],
    ["no label", "[]"],
    ["an unknown label", '["COUNT","s1"]'],
    ["an event that is none", '["EVENT","s1",null]'],
    ["an event without sig", JSON.stringify(["EVENT", "s1", { ...event, sig: undefined }])],
    ["an event with an upper-case id", JSON.stringify(["EVENT", "s1", { ...event, id: "A".repeat(64) }])],
    ["a number for a subscription", JSON.stringify(["EVENT", 1, event])],
    ["an OK that is a word", '["OK","id","true",""]'],
    ["too long", JSON.stringify(["NOTICE", "x".repeat(MAX_RELAY_MESSAGE_CHARS)])],
    ["bytes", new Uint8Array(4)],
    ["100,000 levels", "[".repeat(100_000)],
  ])("%s is no message", (_, data) => {
    expect(parseRelayMessage(data)).toBeUndefined()
  })

  test("nothing makes it throw", () => {
    const label = fc.constantFrom("EVENT", "OK", "EOSE", "CLOSED", "NOTICE", "AUTH", "__proto__")
    const message = fc.tuple(label, fc.jsonValue(), fc.jsonValue(), fc.jsonValue()).map((m) => JSON.stringify(m))
    fc.assert(
      fc.property(fc.oneof(message, fc.string(), fc.anything()), (data) => {
        const read = parseRelayMessage(data)
        return read === undefined || typeof read.kind === "string"
      }),
      { numRuns: 2_000 },
    )
  })
})

test.each([
  ["auth-required: log in", "authenticate"],
  ["error: auth-required: log in", "authenticate"],
  ["invalid: bad filter", "final"],
  ["unsupported: filter", "final"],
  ["restricted: members only", "final"],
  ["blocked: go away", "final"],
  ["rate-limited: slow down", "try again"],
  ["error: database", "try again"],
  ["something went wrong", "try again"],
  ["", "try again"],
] as const)("a refusal %j means %s", (message, expected) => {
  expect(classifyRefusal(message)).toBe(expected)
})
