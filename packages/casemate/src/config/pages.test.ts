import { expect, it } from "vitest"
import { publicPages } from "./pages.js"

it.each([
  ["https://bunker.example.com", true],
  ["https://example.com/bunker", true],
  ["http://localhost:4646", true],
  ["http://127.0.0.1:4646", true],
  ["http://[::1]:4646", true],
  ["http://bunker.example.com", false],
  ["http://192.168.1.4:4646", false],
  ["http://localhost.example.com", false],
])("owners sign in at %s: %s", (publicUrl, are) => {
  expect(publicPages({ publicUrl })).toBe(are ? publicUrl : undefined)
})

it("owners sign in nowhere else where no public URL is set", () => {
  expect(publicPages({ publicUrl: undefined })).toBe(undefined)
})
