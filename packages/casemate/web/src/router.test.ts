import { expect, it } from "vitest"
import { pathAfterSignIn, pathBelow, pathOf, routeOf } from "./router.js"

it.each(["/requests", "/requests/8c1d", "/join", "/account", "/sign-in", "/sign-in?next=%2Frequests%2F8c1d"])(
  "reads %s as what writes it again",
  (path) => {
    const route = routeOf(path)
    expect(route.page !== "nowhere" && pathOf(route)).toBe(path)
  },
)

it("knows its pages with a slash at the end, and no others", () => {
  expect(routeOf("/")).toEqual({ page: "requests" })
  expect(routeOf("/account/")).toEqual({ page: "account" })
  for (const path of ["/requests/a/b", "/requests/%2e%2e", "/requests/<b>", "/api/v1", "//account"]) {
    expect(routeOf(path)).toEqual({ page: "nowhere" })
  }
})

it("goes back after signing in to the page that was wanted", () => {
  expect(pathAfterSignIn("/requests/8c1d")).toBe("/requests/8c1d")
  expect(pathAfterSignIn("/account?x=1#y")).toBe("/account")
})

it.each([
  undefined,
  "",
  "//evil.example/requests",
  "/\\evil.example/account",
  "https://evil.example/account",
  "javascript:alert(1)",
  "\t//evil.example",
  "/\t/evil.example/account",
  "/join",
  "/sign-in?next=/sign-in",
  "/nowhere",
  "requests",
])("goes to what waits, not to %j", (next) => {
  expect(pathAfterSignIn(next)).toBe("/requests")
})

it("finds a path below the base", () => {
  expect(pathBelow("", "/account")).toBe("/account")
  expect(pathBelow("/bunker", "/bunker/account")).toBe("/account")
  expect(pathBelow("/bunker", "/bunker")).toBe("/")
  expect(pathBelow("/bunker", "/bunkers/account")).toBeUndefined()
})
