import { readFileSync } from "node:fs"
import { expect, test } from "vitest"
import { explainFileError } from "./file-error.js"

function errorOf(act: () => unknown): unknown {
  try {
    act()
  } catch (error) {
    return error
  }
  throw new Error("nothing went wrong")
}

test("the file is named where the system names it, and described where it does not", () => {
  const missing = errorOf(() => readFileSync("/no/such/file"))
  expect(explainFileError(missing)).toBe("/no/such/file cannot be used: it is not there and cannot be made")
  expect(explainFileError(missing, "the key")).toBe("the key cannot be used: it is not there and cannot be made")
  expect(explainFileError(errorOf(() => readFileSync("/")))).toBe(
    "a file of this bunker cannot be used: it is a folder",
  )
})

test("what is not about a file stays an error of ours", () => {
  expect(explainFileError(new TypeError("x is not a function"))).toBeUndefined()
  expect(explainFileError(Object.assign(new Error(), { code: "ENOENT", syscall: "connect" }))).toBeUndefined()
  expect(explainFileError(Object.assign(new Error(), { code: "EWHAT", path: "/x" }))).toBeUndefined()
})
