import { Command } from "commander"
import { expect, it, test } from "vitest"
import { UserError } from "../../config/user-error.js"
import { type LimitOptions, limitsOf, withLimits } from "./limits.js"

const NOW = 1_000

/** As `casemate apps grant` reads its flags. */
function read(...flags: string[]): ReturnType<typeof limitsOf> {
  const command = withLimits(new Command("grant"))
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
  command.parse(flags, { from: "user" })
  return limitsOf(command.opts<LimitOptions>(), NOW)
}

test.each<[string[], ReturnType<typeof limitsOf>]>([
  [[], {}],
  [["--for", "1h"], { expiresAt: NOW + 3_600 }],
  [["--until", "2030-01-01T00:00Z"], { expiresAt: 1_893_456_000 }],
  [["--uses", "3", "--rate", "20/h"], { uses: 3, rate: { uses: 20, seconds: 3_600 } }],
  [["--with", "a", "--with", "b"], { counterparties: ["a", "b"] }],
  [
    ["--tag", "t=nostr", "--tag", "x=a=b", "--tag", "e="],
    {
      tags: [
        ["t", "nostr"],
        ["x", "a=b"],
        ["e", ""],
      ],
    },
  ],
  [["--host", "example.com", "--action", "GET"], { host: "example.com", action: "GET" }],
  [["--d", "app/", "--max-length", "0"], { dPrefix: "app/", maxContentBytes: 0 }],
  [["--deny"], { deny: true }],
])("%j", (flags, limits) => {
  expect(read(...flags)).toEqual(limits)
})

test.each([
  [["--uses", "-1"], /^--uses takes a whole number/],
  [["--uses", "1.5"], /^--uses takes a whole number/],
  [["--uses", "9999999999999"], /^--uses takes a whole number/],
  [["--max-length", ""], /^--max-length takes a whole number/],
  [["--tag", "nostr"], /^--tag takes NAME=VALUE/],
  [["--tag", "=nostr"], /^--tag takes NAME=VALUE/],
  [["--for", "soon"], /^--for takes a number and a unit/],
])("%j is a mistake", (flags, message) => {
  expect(() => read(...flags)).toThrow(UserError)
  expect(() => read(...flags)).toThrow(message)
})

it("one end is enough", () => {
  expect(() => read("--for", "1h", "--until", "2030-01-01")).toThrow(/cannot be used with/)
})
