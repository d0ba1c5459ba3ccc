import { join } from "node:path"
import BetterSqlite from "better-sqlite3"
import { RECORD_FILE } from "../../../src/config/folders.js"
import type { Folders } from "../../support/bunker.js"

/** Every row of every table. */
export type Dump = Readonly<Record<string, readonly string[]>>

/** As SQLite says past our own code. A bunker may be running. */
export function dump(folders: Folders): Dump {
  const db = new BetterSqlite(join(folders.data, RECORD_FILE), { readonly: true, timeout: 5_000 })
  try {
    const tables = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").pluck().all()
    return Object.fromEntries(
      (tables as string[]).map((name) => [name, db.prepare(`SELECT * FROM "${name}"`).all().map(rowText).sort()]),
    )
  } finally {
    db.close()
  }
}

/** Rows that came and went, each with its table. */
export function changesBetween(before: Dump, after: Dump): string[] {
  const tables = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  return tables.flatMap((name) => {
    const [old, now] = [new Set(before[name]), new Set(after[name])]
    const came = [...now].filter((row) => !old.has(row)).map((row) => `+ ${name} ${row.slice(0, 300)}`)
    return [...came, ...[...old].filter((row) => !now.has(row)).map((row) => `- ${name} ${row.slice(0, 300)}`)]
  })
}

function rowText(row: unknown): string {
  const cells = Object.entries(row as object).map(([name, value]): [string, unknown] => [
    name,
    value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value,
  ])
  return JSON.stringify(Object.fromEntries(cells))
}
