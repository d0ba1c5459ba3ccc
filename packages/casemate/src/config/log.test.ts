import { expect, it } from "vitest"
import { reasonOf } from "./log.js"

it("reasonOf says the sentence and the code beneath it, never the words beneath it", () => {
  const beneath = Object.assign(new Error("INSERT … 'a secret'"), { code: "SQLITE_FULL" })
  expect(reasonOf(new Error("the record could not be committed", { cause: beneath }))).toBe(
    "the record could not be committed (SQLITE_FULL)",
  )
  expect(reasonOf(new Error("plain", { cause: new Error("no code") }))).toBe("plain")
  for (const odd of [undefined, null, "text", { message: "not an error" }]) expect(reasonOf(odd)).toBe("unknown")
})
