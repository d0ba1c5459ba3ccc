import { expect, it } from "vitest"
import { agoWords, dateWarning, dateWords, leftWords, spanWords } from "./times.js"

const NOON = Date.UTC(2026, 2, 4, 12, 0) / 1000

it("writes a date in full, with the time of this device", () => {
  expect(dateWords(NOON)).toMatch(/^\w+day \d{1,2} \w+ 2026, \d\d:\d\d$/)
})

it.each([-1, 253_402_300_800, Number.MAX_SAFE_INTEGER, Number.NaN])(
  "shows %d, which no calendar has, as a number",
  (off) => {
    expect(dateWords(off)).toBe(`second ${off} since 1970`)
  },
)

it("names a span by its largest unit", () => {
  expect([0, 1, 59, 60, 7_199, 86_400, 40 * 86_400, 400 * 86_400].map(spanWords)).toEqual([
    "0 seconds",
    "1 second",
    "59 seconds",
    "1 minute",
    "1 hour",
    "1 day",
    "1 month",
    "1 year",
  ])
})

it("says how long ago something was, and never that it is to come", () => {
  expect(agoWords(NOON - 90, NOON)).toBe("1 minute ago")
  expect(agoWords(NOON + 30, NOON)).toBe("just now")
})

it("counts down to nothing and no further", () => {
  expect([3_700, 580, 61, 58.2, 0, -5].map(leftWords)).toEqual([
    "1 hour",
    "9 min 40 s",
    "1 min 01 s",
    "59 s",
    "0 s",
    "0 s",
  ])
})

it("warns of a date that is more than ten minutes from the asking, on either side", () => {
  expect(dateWarning(NOON - 600, NOON)).toBeUndefined()
  expect(dateWarning(NOON + 600, NOON)).toBeUndefined()
  expect(dateWarning(NOON - 601, NOON)).toBe("This date is 10 minutes before the app asked.")
  expect(dateWarning(NOON + 3 * 86_400, NOON)).toBe("This date is 3 days after the app asked.")
})
