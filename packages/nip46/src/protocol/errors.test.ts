import { expect, it } from "vitest"
import { ERROR_CODES, Nip46Error } from "./errors.js"

it("an error carries its code, its sentence, its details and its cause", () => {
  const cause = new TypeError("inner")
  const error = new Nip46Error("TIMEOUT", "no answer in 65 s", { cause, details: { method: "ping" } })
  expect(error).toBeInstanceOf(Error)
  expect(error).toMatchObject({ name: "Nip46Error", code: "TIMEOUT", message: "no answer in 65 s", cause })
  expect(error.details).toEqual({ method: "ping" })
  expect(String(error)).toBe("Nip46Error: no answer in 65 s")
})

it("without a cause there is none, and details are empty", () => {
  const error = new Nip46Error("CLOSED", "closed")
  expect("cause" in error).toBe(false)
  expect(error.details).toEqual({})
})

it("the codes are a contract: one may be added, none renamed", () => {
  expect(ERROR_CODES).toEqual(
    expect.arrayContaining([
      "INVALID_TOKEN",
      "INVALID_PERMISSION",
      "INVALID_MESSAGE",
      "INVALID_EVENT",
      "INVALID_KEY",
      "INVALID_RELAY",
      "ENCRYPTION_FAILED",
      "DECRYPTION_FAILED",
      "REMOTE_ERROR",
      "RELAYS_UNREACHABLE",
      "TIMEOUT",
      "CLOSED",
      "RECORD_FAILED",
    ]),
  )
  expect(new Set(ERROR_CODES).size).toBe(ERROR_CODES.length)
})
