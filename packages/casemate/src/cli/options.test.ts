import { expect, test } from "vitest"
import { UserError } from "../config/user-error.js"
import { collect, formatDuration, parseDuration, parseRate, parseUntil } from "./options.js"

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

test.each([
  ["1/s", 1, 1],
  ["5/m", 5, 60],
  [" 20/h ", 20, 3_600],
  ["1000/d", 1_000, 86_400],
])("%j is %d in %d seconds", (text, uses, seconds) => {
  expect(parseRate(text)).toEqual({ uses, seconds })
})

test.each(["", "20", "/h", "20/", "20 / h", "20/w", "-1/h", "1.5/h", "20/1h", "99999999/s"])(
  "%j is no rate",
  (text) => {
    expect(() => parseRate(text)).toThrow(UserError)
    expect(() => parseRate(text)).toThrow(/^--rate takes a number of uses and a unit/)
  },
)

test.each([
  ["2030-12-31T18:00Z", "2030-12-31T18:00:00Z"],
  ["2030-12-31 18:00:05z", "2030-12-31T18:00:05Z"],
  ["2030-12-31T18:00+02:00", "2030-12-31T16:00:00Z"],
  ["2030-12-31T18:00", "2030-12-31T18:00:00"],
  [" 2030-12-31 ", "2030-12-31T23:59:59"],
  ["2028-02-29", "2028-02-29T23:59:59"],
])("%j is a time", (text, iso) => {
  expect(parseUntil(text)).toBe(Date.parse(iso) / 1_000)
})

test.each([
  "",
  "tomorrow",
  "2030",
  "2030-12",
  "31.12.2030",
  "2030-13-01",
  "2030-02-30",
  "2030-00-10",
  "2030-12-31T25:00",
  "2030-12-31T",
  "1893456000",
])("%j is no time", (text) => {
  expect(() => parseUntil(text)).toThrow(UserError)
  expect(() => parseUntil(text)).toThrow(/^--until takes a date or a date with a time/)
})
