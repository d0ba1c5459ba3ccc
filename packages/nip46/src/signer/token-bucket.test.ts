import fc from "fast-check"
import { expect, it } from "vitest"
import { TokenBucket } from "./token-bucket.js"

const takeAll = (bucket: TokenBucket, now: number) => {
  let taken = 0
  while (taken < 1_000 && bucket.take(now)) taken++
  return taken
}

it("lets its capacity pass at once, then as much as time brings, and never more than its capacity", () => {
  const bucket = new TokenBucket({ capacity: 3, perSecond: 2 }, 0)
  expect(takeAll(bucket, 0)).toBe(3)
  expect(takeAll(bucket, 499)).toBe(0)
  expect(takeAll(bucket, 500)).toBe(1)
  expect(takeAll(bucket, 1_500)).toBe(2)
  expect(takeAll(bucket, 3_600_000)).toBe(3)
})

it("what is refused costs nothing: asking all the time does not delay the refill", () => {
  const bucket = new TokenBucket({ capacity: 1, perSecond: 1 }, 0)
  expect(bucket.take(0)).toBe(true)
  const passed = Array.from({ length: 1_000 }, (_, i) => bucket.take((i + 1) * 10)).filter(Boolean)
  expect(passed.length).toBeGreaterThanOrEqual(9)
  expect(passed.length).toBeLessThanOrEqual(10)
})

it("once a minute is once a minute", () => {
  const bucket = new TokenBucket({ capacity: 1, perSecond: 1 / 60 }, 0)
  expect([0, 30_000, 59_999, 60_001, 60_002].map((now) => bucket.take(now))).toEqual([true, false, false, true, false])
})

it("a clock that jumps back gives nothing", () => {
  const bucket = new TokenBucket({ capacity: 2, perSecond: 1 }, 10_000)
  expect(takeAll(bucket, 10_000)).toBe(2)
  expect(takeAll(bucket, 0)).toBe(0)
  expect(takeAll(bucket, 1_000)).toBe(1)
})

it("however it is asked, no more passes than capacity and time allow", () => {
  fc.assert(
    fc.property(fc.nat(20), fc.nat(50), fc.array(fc.nat(400)), (capacity, perSecond, steps) => {
      const bucket = new TokenBucket({ capacity, perSecond }, 0)
      let now = 0
      let passed = 0
      for (const step of steps) {
        now += step
        if (bucket.take(now)) passed++
      }
      expect(passed).toBeLessThanOrEqual(capacity + (now / 1000) * perSecond + 1e-6)
    }),
  )
})
