import { expect, test } from "vitest"
import { asTyped, commandName, isRunByNpm } from "./npm.js"

test.each([
  ["npm start", { npm_command: "start", npm_lifecycle_event: "start", npm_execpath: "/npm-cli.js" }],
  ["npx", { npm_command: "exec", npm_lifecycle_event: "npx", npm_execpath: "/npm-cli.js" }],
  ["pnpm", { npm_lifecycle_event: "start", npm_execpath: "/pnpm.cjs" }],
  ["yarn", { npm_execpath: "/yarn.js" }],
])("under %s it is npx casemate", (_, env) => {
  expect(isRunByNpm(env)).toBe(true)
  expect(commandName(env)).toBe("npx casemate")
})

test("started by hand it is casemate, whatever npm's configuration says", () => {
  const env = { npm_config_cache: "/cache", PATH: "/node_modules/.bin" }
  expect(isRunByNpm(env)).toBe(false)
  expect(commandName(env)).toBe("casemate")
})

test("hints and examples are shown as they are typed, and nothing else is", () => {
  const env = { npm_command: "exec" }
  expect(asTyped("start it with `casemate start`, or see `casemate --help`", env)).toBe(
    "start it with `npx casemate start`, or see `npx casemate --help`",
  )
  expect(asTyped("Usage: casemate [options]\n  $ casemate pair", env)).toBe(
    "Usage: npx casemate [options]\n  $ npx casemate pair",
  )
  const others = "another casemate is running on /home/me/casemate; `npm ci` in casemate's folder"
  expect(asTyped(others, env)).toBe(others)
  expect(asTyped("`casemate start`", {})).toBe("`casemate start`")
})
