import { mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import { homedir, tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it, test } from "vitest"
import { LINUX, titled } from "../../test/support/needs.js"
import { defaultConfigDir, defaultDataDir, makeFolder, removeEmptyFolders } from "./folders.js"
import { UserError } from "./user-error.js"

const home = (...names: string[]): string => join(homedir(), ...names)

test.each([
  ["linux", {}, home(".local", "share", "casemate"), home(".config", "casemate")],
  ["linux", { XDG_DATA_HOME: "/d", XDG_CONFIG_HOME: "/c" }, "/d/casemate", "/c/casemate"],
  // The XDG specification: a relative path is to be ignored.
  [
    "linux",
    { XDG_DATA_HOME: "d", XDG_CONFIG_HOME: "" },
    home(".local", "share", "casemate"),
    home(".config", "casemate"),
  ],
  ["freebsd", {}, home(".local", "share", "casemate"), home(".config", "casemate")],
  ["darwin", {}, home("Library", "Application Support", "casemate"), home("Library", "Preferences", "casemate")],
  ["win32", { LOCALAPPDATA: "/l", APPDATA: "/r" }, "/l/casemate/Data", "/r/casemate/Config"],
  [
    "win32",
    { LOCALAPPDATA: "" },
    home("AppData", "Local", "casemate", "Data"),
    home("AppData", "Roaming", "casemate", "Config"),
  ],
] as const)("on %s with %j data and configuration have folders of their own", (platform, env, data, config) => {
  expect(defaultDataDir(env, platform)).toBe(data)
  expect(defaultConfigDir(env, platform)).toBe(config)
})

test.each(["linux", "darwin", "win32"] as const)("CASEMATE_CONFIG_DIR is followed on %s", (platform) => {
  expect(defaultConfigDir({ CASEMATE_CONFIG_DIR: "/keys" }, platform)).toBe("/keys")
})

describe("makeFolder", () => {
  let root: string
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "casemate-folders-"))
  })
  afterEach(() => rmSync(root, { recursive: true, force: true }))

  it("makes a folder and those above it, for this account alone", () => {
    makeFolder(join(root, "a", "b", "c"))
    for (const path of ["a", "a/b", "a/b/c"]) expect(statSync(join(root, path)).mode & 0o777).toBe(0o700)
  })

  it("says which it made, and those are taken away again as far as they are empty", () => {
    const made = makeFolder(join(root, "a", "b", "c"))
    expect(made).toEqual(["a", "a/b", "a/b/c"].map((path) => join(root, path)))
    expect(makeFolder(join(root, "a", "b", "c"))).toEqual([])
    writeFileSync(join(root, "a", "file"), "")
    removeEmptyFolders(made)
    expect(readdirSync(root)).toEqual(["a"])
    expect(readdirSync(join(root, "a"))).toEqual(["file"])
  })

  it("leaves no folder above one that cannot be made", () => {
    expect(() => makeFolder(join(root, "a", "b", "x".repeat(300)))).toThrow(UserError)
    expect(readdirSync(root)).toEqual([])
  })

  it("takes one that is there, through a link too", () => {
    symlinkSync(root, join(root, "link"))
    makeFolder(join(root, "link"))
    makeFolder(join(root, "link", "below"))
    expect(statSync(join(root, "below")).isDirectory()).toBe(true)
  })

  test.each([
    ["file", "it is there and is not a folder"],
    ["file/below", "a part of its path is not a folder"],
    ["file/below/deeper", "a part of its path is not a folder"],
    ["nowhere", "it is there and is not a folder"],
    ["loop/below", "it is a link that leads nowhere"],
    ["x".repeat(300), "its name is too long"],
  ])("says why %s cannot be one", (name, why) => {
    writeFileSync(join(root, "file"), "")
    symlinkSync(join(root, "gone"), join(root, "nowhere"))
    symlinkSync(join(root, "loop"), join(root, "loop"))
    expect(() => makeFolder(join(root, name))).toThrow(new UserError(`${join(root, name)} cannot be used: ${why}`))
  })

  it.skipIf(!LINUX.isHere)(titled("comes back from below /proc, where mkdir's own recursion does not", LINUX), () => {
    expect(() => makeFolder("/proc/casemate/data")).toThrow(UserError)
  })
})
