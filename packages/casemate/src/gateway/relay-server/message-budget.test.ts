import { expect, test } from "vitest"
import { MessageBudget } from "./message-budget.js"

test("a burst, then the rate, and no more than a burst saved up", () => {
  let now = 0
  const budget = new MessageBudget(10, 5, () => now)
  const taken = (tries: number) => Array.from({ length: tries }, () => budget.take()).filter(Boolean).length
  expect(taken(8)).toBe(5)
  now += 300
  expect(taken(8)).toBe(3)
  now += 3_600_000
  expect(taken(8)).toBe(5)
})

test("a clock that jumps back takes nothing away and gives nothing twice", () => {
  let now = 10_000
  const budget = new MessageBudget(10, 2, () => now)
  now = 0
  expect([budget.take(), budget.take(), budget.take()]).toEqual([true, true, false])
  now = 100
  expect([budget.take(), budget.take()]).toEqual([true, false])
})
