import fc from "fast-check"
import { expect, test } from "vitest"
import { checkLeaks } from "../../test/support/leaks.js"
import { Backoff } from "./backoff.js"

checkLeaks()

test("the window doubles up to the maximum, and the delay is drawn from all of it", () => {
  let draw = 1
  const backoff = new Backoff({ baseMs: 500, maxMs: 30_000, random: () => draw })
  expect([1, 2, 3, 4, 5, 6, 7, 8, 9].map(() => backoff.next())).toEqual([
    500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000,
  ])
  draw = 0
  expect(backoff.next()).toBe(0)
  draw = 0.5
  expect(backoff.next()).toBe(15_000)
})

test("a young outage is retried within the narrow maximum, an old one within the wide", () => {
  const backoff = new Backoff({ baseMs: 4_000, maxMs: 30_000, fastMaxMs: 5_000, fastForMs: 12_000, random: () => 1 })
  expect([1, 2, 3, 4].map(() => backoff.next())).toEqual([4_000, 5_000, 5_000, 30_000])
  backoff.reset()
  expect(backoff.attempts).toBe(0)
  expect(backoff.next()).toBe(4_000)
})

test("no number of attempts leaves the bounds", () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 0.999, noNaN: true }), fc.integer({ min: 1, max: 300 }), (draw, times) => {
      const backoff = new Backoff({ baseMs: 500, maxMs: 30_000, random: () => draw })
      let last = 0
      for (let i = 0; i < times; i++) last = backoff.next()
      return last >= 0 && last <= 30_000
    }),
  )
})
