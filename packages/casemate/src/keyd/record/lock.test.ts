import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, expect, test } from "vitest"
import { UserError } from "../../config/user-error.js"
import { lockDataDir } from "./lock.js"

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "casemate-lock-"))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Another process that tries, says how it went, and holds what it got until it is killed, or for so long. */
async function rival(forMs?: number): Promise<{ child: ChildProcess; said: string }> {
  const lock = new URL("../../../dist/keyd/record/lock.js", import.meta.url)
  const end = forMs === undefined ? "setInterval(() => {}, 1000)" : `setTimeout(() => process.exit(0), ${forMs})`
  const program = `
    const { lockDataDir } = await import(${JSON.stringify(lock.href)})
    try {
      globalThis.lock = lockDataDir(${JSON.stringify(folder)})
      process.stdout.write("held")
    } catch (error) {
      process.stdout.write(error.name)
    }
    ${end}`
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  })
  const [said] = await once(child.stdout, "data")
  return { child, said: String(said) }
}

test("a second owner in this process is refused until the first lets go", () => {
  const first = lockDataDir(folder)
  expect(() => lockDataDir(folder)).toThrow(UserError)
  expect(() => lockDataDir(folder)).toThrow(folder)
  first.release()
  lockDataDir(folder).release()
  expect(statSync(join(folder, "lock.db")).mode & 0o777).toBe(0o600)
})

test("another process keeps us out, and its lock dies with kill -9", async () => {
  const { child, said } = await rival()
  expect(said).toBe("held")
  const ended = once(child, "exit")
  expect(() => lockDataDir(folder)).toThrow(UserError)
  expect(() => lockDataDir(folder)).toThrow(UserError)
  child.kill("SIGKILL")
  await ended
  lockDataDir(folder).release()
})

test("a refused attempt in our process does not loosen the lock that we hold", async () => {
  const lock = lockDataDir(folder)
  expect(() => lockDataDir(folder)).toThrow(UserError)
  const { child, said } = await rival(0)
  await once(child, "exit")
  expect(said).toBe("UserError")
  lock.release()
})

test("one that is about to end is waited for", async () => {
  const { child, said } = await rival(300)
  expect(said).toBe("held")
  const ended = once(child, "exit")
  lockDataDir(folder, { waitMs: 10_000 }).release()
  await ended
  expect(child.exitCode).toBe(0)
})

test("a lock whose file was taken away meanwhile keeps nobody out, and is not given", async () => {
  const file = join(folder, "lock.db")
  lockDataDir(folder).release()
  // It holds the lock, takes the file away, and lets go while the other waits.
  const program = `
    const { rmSync } = await import("node:fs")
    const { lockDataDir } = await import(${JSON.stringify(new URL("../../../dist/keyd/record/lock.js", import.meta.url).href)})
    const lock = lockDataDir(${JSON.stringify(folder)})
    process.stdout.write("held")
    setTimeout(() => { rmSync(${JSON.stringify(file)}); lock.release() }, 300)`
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  })
  const ended = once(child, "exit")
  await once(child.stdout, "data")
  expect(() => lockDataDir(folder, { waitMs: 10_000 })).toThrow(UserError)
  await ended
  lockDataDir(folder).release()
})
