import { chmodSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import BetterSqlite from "better-sqlite3"
import { describe, expect, test } from "vitest"
import { folder, open, path, seal, useRecordBench, withConnection } from "../../../test/support/record-bench.js"
import { UserError } from "../../config/user-error.js"
import { openSqlite } from "./sqlite.js"
import { openSqliteRecord } from "./sqlite-record.js"

useRecordBench()

describe("files", () => {
  test("only we may read the database and what SQLite lays beside it", async () => {
    const record = open()
    await withConnection(record)
    const modes = readdirSync(folder)
      .sort()
      .map((name) => [name, statSync(join(folder, name)).mode & 0o777])
    expect(modes).toEqual([
      ["record.db", 0o600],
      ["record.db-shm", 0o600],
      ["record.db-wal", 0o600],
    ])
    await record.close()
  })

  test("commits go to the disk before they are acknowledged", () => {
    const db = openSqlite(path)
    const pragma = (name: string) =>
      db.prepare<object, object>({ sql: `SELECT * FROM pragma_${name}`, bind: () => [] }).get({})
    expect(pragma("journal_mode")).toEqual({ journal_mode: "wal" })
    expect(pragma("synchronous")).toEqual({ synchronous: 2 })
    expect(pragma("foreign_keys")).toEqual({ foreign_keys: 1 })
    expect(pragma("secure_delete")).toEqual({ secure_delete: 1 })
    db.close()
  })

  test("a file that is no database is one sentence for the owner", () => {
    writeFileSync(path, "Dear diary, this is no database. ".repeat(100))
    expect(() => open()).toThrow(UserError)
    expect(() => open()).toThrow(path)
    expect(() => openSqliteRecord(folder, { seal })).toThrow(UserError)
  })

  test("one that was emptied is refused, and nothing is put in its place", async () => {
    const record = open()
    await withConnection(record)
    await record.close()
    writeFileSync(path, "")
    expect(() => open()).toThrow(UserError)
    expect(() => open()).toThrow(/record\.db is empty, .* put it back from your backup, or move .* away/)
    expect(statSync(path).size).toBe(0)
    rmSync(path)
    new BetterSqlite(path).exec("CREATE TABLE something (x)").close()
    expect(() => open()).toThrow(/holds nothing of casemate's/)
  })

  test("one with damaged pages is refused, and not changed", async () => {
    await open().close()
    const bytes = readFileSync(path)
    bytes.fill(0xa5, 4_096)
    writeFileSync(path, bytes)
    expect(() => open()).toThrow(/record\.db is damaged: put it back from your backup$/)
    expect(readFileSync(path).equals(bytes)).toBe(true)
  })

  test("one that is gone while its log is there is refused", async () => {
    const record = open()
    await withConnection(record)
    rmSync(path)
    expect(() => open()).toThrow(/record\.db is missing, /)
    await record.close()
  })

  test("a crash while it is made for the first time leaves nothing in its place", async () => {
    writeFileSync(`${path}.new`, "half")
    writeFileSync(`${path}.new-wal`, "half")
    await open().close()
    expect(readdirSync(folder)).toEqual(["record.db"])
  })

  test("a mode that a restored backup widened is narrowed", async () => {
    await open().close()
    chmodSync(path, 0o644)
    await open().close()
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })
})
