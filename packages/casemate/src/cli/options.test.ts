import { expect, test } from "vitest"
import { UserError } from "../config/user-error.js"
import { collect, formatDuration, parseDuration } from "./options.js"

test.each([
  ["90s", 90, "90 s"],
  ["10m", 600, "10 min"],
  ["1h", 3_600, "1 h"],
  ["90m", 5_400, "90 min"],
  ["24h", 86_400, "1 d"],
  ["7d", 604_800, "7 d"],
  [" 0s ", 0, "0 s"],
])("%j is %d seconds, said as %j", (text, seconds, said) => {
  expect(parseDuration(text)).toBe(seconds)
  expect(formatDuration(seconds)).toBe(said)
})

test.each(["", "10", "m", "10 m", "1.5h", "-1m", "10M", "1h30m", "10min", "١m", "99999999s", "1e3s"])(
  "%j is no duration",
  (text) => {
    expect(() => parseDuration(text)).toThrow(UserError)
    expect(() => parseDuration(text)).toThrow(/^--ttl takes a number and a unit, such as 90s/)
  },
)

test("a flag that may be given several times keeps them in order", () => {
  expect(collect("b", collect("a", undefined))).toEqual(["a", "b"])
})
