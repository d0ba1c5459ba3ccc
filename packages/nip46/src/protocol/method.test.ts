import { expect, it } from "vitest"
import { FREE_METHODS, isFreeMethod, isMethod, METHODS } from "./method.js"

it("the ten methods of NIP-46, and nothing that merely looks like one", () => {
  expect(METHODS).toHaveLength(10)
  expect(METHODS.every(isMethod)).toBe(true)
  for (const name of ["", "PING", "ping ", "get_relays", "create_account", "constructor", "__proto__", "length"]) {
    expect(isMethod(name)).toBe(false)
  }
})

it("no method that uses the user key is free", () => {
  expect(METHODS.filter((method) => !isFreeMethod(method))).toEqual([
    "sign_event",
    "nip04_encrypt",
    "nip04_decrypt",
    "nip44_encrypt",
    "nip44_decrypt",
  ])
  expect(FREE_METHODS.every(isFreeMethod)).toBe(true)
})
