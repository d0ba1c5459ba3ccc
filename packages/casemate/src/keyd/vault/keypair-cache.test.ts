import type { Keypair } from "@casemate/nip46/crypto"
import { expect, test } from "vitest"
import { KeypairCache } from "./keypair-cache.js"

function handles(): { create: (pubkey: string) => Keypair; wiped: string[] } {
  const wiped: string[] = []
  return { wiped, create: (pubkey) => ({ pubkey, wipe: () => void wiped.push(pubkey) }) }
}

test("the handle that was used longest ago leaves, and is wiped", () => {
  const { create, wiped } = handles()
  const cache = new KeypairCache(2)
  const a = cache.add(create("a"))
  cache.add(create("b"))
  expect(cache.get("a")).toBe(a)
  cache.add(create("c"))
  expect(wiped).toEqual(["b"])
  expect([cache.get("a"), cache.get("b"), cache.size]).toEqual([a, undefined, 2])
})

test("of two handles on one key the first stays, since somebody may be using it", () => {
  const { create, wiped } = handles()
  const cache = new KeypairCache(2)
  const first = cache.add(create("a"))
  expect(cache.add(create("a"))).toBe(first)
  expect([wiped, cache.size]).toEqual([["a"], 1])
  cache.forget("a")
  cache.forget("a")
  expect(cache.get("a")).toBeUndefined()
})

test("clearing wipes all", () => {
  const { create, wiped } = handles()
  const cache = new KeypairCache(9)
  for (const pubkey of ["a", "b"]) cache.add(create(pubkey))
  cache.clear()
  expect([wiped, cache.size]).toEqual([["a", "b"], 0])
})
