import { randomBytes } from "node:crypto"
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, expect, test } from "vitest"
import { UserError } from "../../config/user-error.js"
import { loadRootKey, noteSealed, VAULT_FILE } from "./root-key.js"

const SEALED = "record.db"

let folder: string
let dataDir: string
let configDir: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "casemate-root-key-"))
  dataDir = join(folder, "data")
  configDir = join(folder, "config")
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const load = (data = dataDir, config = configDir) =>
  loadRootKey({ dataDir: data, configDir: config, sealedFile: SEALED, randomBytes })

const hexOf = ({ rootKey }: ReturnType<typeof load>) => rootKey.use((bytes) => Buffer.from(bytes).toString("hex"))

/** The sentence with which it is refused. */
function refusal(data = dataDir, config = configDir): string {
  try {
    load(data, config)
  } catch (error) {
    expect(error).toBeInstanceOf(UserError)
    return (error as UserError).message
  }
  return expect.unreachable()
}

test("a new folder gets a key, and the same one ever after", () => {
  const first = load()
  expect(hexOf(first)).toMatch(/^[0-9a-f]{64}$/)
  writeFileSync(join(dataDir, SEALED), "")
  expect(hexOf(load())).toBe(hexOf(first))
  expect(load().vaultId).toBe(first.vaultId)
  expect(hexOf(load(join(folder, "other")))).not.toBe(hexOf(first))
})

test("the key lies in the configuration folder alone, and only we may read it", () => {
  const { path, vaultId } = load()
  expect(path).toBe(join(configDir, `root-${vaultId}.key`))
  expect(readdirSync(configDir)).toEqual([`root-${vaultId}.key`])
  expect(readdirSync(dataDir)).toEqual(["vault.json"])
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(statSync(join(dataDir, "vault.json")).mode & 0o777).toBe(0o600)
  for (const made of [configDir, dataDir]) expect(statSync(made).mode & 0o777).toBe(0o700)
})

test("the data folder can be moved", () => {
  const before = hexOf(load())
  const moved = join(folder, "moved")
  renameSync(dataDir, moved)
  expect(hexOf(load(moved))).toBe(before)
})

test("what a crash left half made is made anew, as long as nothing was sealed", () => {
  const { path, vaultId } = load()
  rmSync(path)
  writeFileSync(`${path}.new`, "casemate-root")
  expect(load().vaultId).toBe(vaultId)
  expect(existsSync(`${path}.new`)).toBe(false)
})

test("a missing key or vault file is refused once something was sealed, and nothing is made in its place", () => {
  const { path } = load()
  writeFileSync(join(dataDir, SEALED), "")
  rmSync(path)
  expect(refusal()).toContain(path)
  expect(refusal()).toContain("missing")
  expect(readdirSync(configDir)).toEqual([])
  rmSync(join(dataDir, "vault.json"))
  expect(refusal()).toContain("vault.json is missing")
  expect(existsSync(join(dataDir, "vault.json"))).toBe(false)
})

test.each([0o640, 0o604, 0o620, 0o666, 0o610])("a key with mode %o is refused, with the command that helps", (mode) => {
  const { path } = load()
  chmodSync(path, mode)
  expect(refusal()).toContain(`chmod 600 ${path}`)
  chmodSync(path, 0o400)
  expect(hexOf(load())).toMatch(/^[0-9a-f]{64}$/)
})

test("a malformed key is refused, and the sentence does not repeat it", () => {
  const { path } = load()
  const good = readFileSync(path, "utf8")
  const canary = "c0ffee".repeat(10)
  const malformed = [
    "",
    canary,
    good.slice(0, -2),
    `${good}\n`,
    good.toUpperCase(),
    good.replace("-1:", "-2:"),
    ` ${good}`,
  ]
  for (const content of malformed) {
    writeFileSync(path, content)
    const message = refusal()
    expect(message).toContain("damaged")
    expect(message).not.toContain("c0ffee")
    expect(message).not.toContain(good.slice(20, 40))
  }
})

test("a malformed vault file is refused", () => {
  load()
  for (const content of [
    "",
    "{}",
    "null",
    "[]",
    '{"version":2,"vaultId":"00"}',
    '{"version":1,"vaultId":"../../etc"}',
  ]) {
    writeFileSync(join(dataDir, "vault.json"), content)
    expect(refusal()).toContain("vault.json")
  }
})

test("a configuration folder inside the data folder is refused, also through a link", () => {
  mkdirSync(join(dataDir, "config"), { recursive: true })
  symlinkSync(join(dataDir, "config"), configDir)
  for (const config of [dataDir, join(dataDir, "config"), configDir])
    expect(refusal(dataDir, config)).toContain("inside")
  const beside = `${dataDir}-config`
  expect(load(dataDir, beside).path).toContain(beside)
})

test("once its sealed file was noted, a folder without it is refused, and the same key is there when it is back", () => {
  const first = load()
  noteSealed(dataDir)
  noteSealed(dataDir)
  expect(readdirSync(dataDir)).toEqual([VAULT_FILE])
  expect(statSync(join(dataDir, VAULT_FILE)).mode & 0o777).toBe(0o600)
  expect(refusal()).toMatch(/record\.db is missing, and the keys were in it: put it back .+ to start anew$/)
  writeFileSync(join(dataDir, SEALED), "x")
  expect(hexOf(load())).toBe(hexOf(first))
})
