import { expect, it } from "vitest"
import { ownHosts, pageUrls, publicPages } from "./pages.js"

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

it("this machine's pages are at localhost, whatever the server is bound to, and come after those for elsewhere", () => {
  const publicUrl = "https://example.com/bunker"
  expect(pageUrls({ publicUrl }, "http://127.0.0.1:4646")).toEqual([publicUrl, "http://localhost:4646"])
  expect(pageUrls({ publicUrl: "http://192.168.1.4:80" }, "http://0.0.0.0:4646")).toEqual(["http://localhost:4646"])
  expect(pageUrls({ publicUrl: undefined }, "http://evil.example:80")).toEqual(["http://localhost"])
  expect(pageUrls({ publicUrl: undefined }, "no URL at all")).toEqual([])
  expect(pageUrls({ publicUrl: undefined }, undefined)).toEqual([])
})

it.each([
  ["http://localhost:4646", "localhost:4646", "127.0.0.1:4646", "[::1]:4646"],
  ["http://[::1]:4646", "localhost:4646", "127.0.0.1:4646", "[::1]:4646"],
  ["http://localhost:80", "localhost", "127.0.0.1", "[::1]"],
])("a login at any name of %s is one to the bunker itself", (http, ...names) => {
  const hosts = ownHosts({ publicUrl: "https://bunker.example.com/path" }, http)
  expect([...hosts].sort()).toEqual(["bunker.example.com", ...names].sort())
})
