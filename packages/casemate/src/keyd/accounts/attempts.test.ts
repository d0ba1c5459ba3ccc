import { expect, it } from "vitest"
import { Attempts } from "./attempts.js"

it("the fifth mistake costs 30 s, each after it twice as long, 15 minutes at most; a success forgives all", () => {
  const attempts = new Attempts(10, () => 0)
  const pauses = Array.from({ length: 12 }, () => attempts.failed("alice").pause)
  expect(pauses).toEqual([0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900, 900])
  expect(attempts.pauseOf("alice")).toBe(900)
  expect(attempts.pauseOf("bob")).toBe(0)
  attempts.succeeded("alice")
  expect(attempts.pauseOf("alice")).toBe(0)
  expect(attempts.failed("alice")).toEqual({ count: 1, pause: 0 })
})

it("a pause ends by time", () => {
  let now = 0
  const attempts = new Attempts(10, () => now)
  for (let n = 0; n < 5; n += 1) attempts.failed("alice")
  now = 29
  expect(attempts.pauseOf("alice")).toBe(1)
  now = 30
  expect(attempts.pauseOf("alice")).toBe(0)
})

it("it remembers the last so many, and no more", () => {
  const attempts = new Attempts(3, () => 0)
  for (let n = 0; n < 5; n += 1) attempts.failed("first")
  for (let n = 0; n < 3; n += 1) attempts.failed(`stranger ${n}`)
  expect(attempts.failed("first")).toEqual({ count: 1, pause: 0 })
})
