import { expect, it } from "vitest"
import { BoundedMap } from "./bounded-map.js"

it("forgets what was not used for longest, and says what it forgets", () => {
  const left: number[] = []
  const map = new BoundedMap<string, number>(2, (value) => left.push(value))
  map.set("a", 1)
  map.set("b", 2)
  expect(map.get("a")).toBe(1)
  map.set("c", 3)
  expect(left).toEqual([2])
  expect([map.get("a"), map.get("b"), map.get("c")]).toEqual([1, undefined, 3])
  expect(map.size).toBe(2)
})

it("a value that takes another's place lets it go, the same value does not", () => {
  const left: string[] = []
  const map = new BoundedMap<string, string>(2, (value) => left.push(value))
  map.set("a", "old")
  map.set("a", "new")
  map.set("a", "new")
  expect(left).toEqual(["old"])
  expect(map.size).toBe(1)
})

it("0 and the empty string are values like any other", () => {
  const map = new BoundedMap<string, number | string>(2)
  map.set("zero", 0)
  map.set("empty", "")
  expect(map.get("zero")).toBe(0)
  map.set("c", 1)
  expect([map.get("zero"), map.get("empty")]).toEqual([0, undefined])
})

it("delete and clear let go, once", () => {
  const left: number[] = []
  const map = new BoundedMap<string, number>(9, (value) => left.push(value))
  for (const value of [1, 2, 3]) map.set(String(value), value)
  map.delete("2")
  map.delete("2")
  map.delete("none")
  map.clear()
  map.clear()
  expect(left).toEqual([2, 1, 3])
  expect(map.size).toBe(0)
})

it("never holds more than it may", () => {
  const map = new BoundedMap<number, number>(100)
  for (let i = 0; i < 10_000; i++) map.set(i, i)
  expect(map.size).toBe(100)
  expect(map.get(9_899)).toBeUndefined()
  expect(map.get(9_900)).toBe(9_900)
})
