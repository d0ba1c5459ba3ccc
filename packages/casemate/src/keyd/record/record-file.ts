import { existsSync, renameSync, rmSync } from "node:fs"
import { dirname } from "node:path"
import { RECORD_FILE } from "../../config/folders.js"
import { UserError } from "../../config/user-error.js"
import { syncFolder } from "../vault/private-file.js"
import { openSqlite, type SqliteDatabase } from "./sqlite.js"

/** What SQLite lays beside a database. */
const BESIDE = ["-wal", "-shm", "-journal"] as const
const UNFINISHED = ".new"
/** The record and everything that can lie beside it. */
export const RECORD_FILES: readonly string[] = [RECORD_FILE, RECORD_FILE + UNFINISHED].flatMap((name) => [
  name,
  ...BESIDE.map((end) => name + end),
])

/** Whole or not at all, also through a crash. */
export function createRecordFile(file: string, fill: (db: SqliteDatabase) => void): void {
  // SQLite would take a log that was left behind for that of the new database.
  if (existsSync(`${file}-wal`)) throw emptied(file, "is missing")
  const unfinished = file + UNFINISHED
  for (const end of ["", ...BESIDE]) rmSync(unfinished + end, { force: true })
  const db = openSqlite(unfinished)
  try {
    fill(db)
  } finally {
    db.close()
  }
  renameSync(unfinished, file)
  syncFolder(dirname(file))
}

export function emptied(file: string, how: string): UserError {
  return new UserError(
    `${file} ${how}, but it should hold the keys and apps of this bunker: put it back from your backup, or move ${dirname(file)} away to start anew with a new key`,
  )
}
