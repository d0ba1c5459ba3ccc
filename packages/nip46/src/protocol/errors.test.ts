import { readFileSync } from "node:fs"
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

it("the page of errors says of each code, and of no other, what happened and what to do", () => {
  const page = readFileSync(new URL("../../../../docs/errors.md", import.meta.url), "utf8")
  const rows = page
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )
  expect(rows.map(([code]) => code)).toEqual(ERROR_CODES.map((code) => `\`${code}\``))
  for (const [code, happened, advice, ...more] of rows) {
    expect([code, happened]).toEqual([code, expect.stringMatching(/\w+ \w+/)])
    expect([code, advice]).toEqual([code, expect.stringMatching(/\w+ \w+/)])
    expect([code, more]).toEqual([code, []])
  }
})
