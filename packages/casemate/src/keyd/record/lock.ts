import { statSync } from "node:fs"
import { join } from "node:path"
import BetterSqlite from "better-sqlite3"
import { UserError } from "../../config/user-error.js"
import { createDatabaseFile } from "./sqlite.js"

/** The name of the lock in the data folder. */
export const LOCK_FILE = "lock.db"

export interface LockOptions {
  /** Milliseconds to wait, blocking, for a process that is about to end; 0 unless told. */
  readonly waitMs?: number
}

export interface DataDirLock {
  release(): void
}

/**
 * Makes this process the only owner of a data folder. The lock is the operating system's, on a SQLite
 * file that holds nothing: it ends with the process, however that ends.
 *
 * @throws UserError when another process holds it
 */
export function lockDataDir(dataDir: string, { waitMs = 0 }: LockOptions = {}): DataDirLock {
  const file = join(dataDir, LOCK_FILE)
  createDatabaseFile(file)
  const { ino } = statSync(file)
  const db = new BetterSqlite(file, { timeout: waitMs })
  try {
    db.exec("BEGIN EXCLUSIVE")
  } catch (error) {
    db.close()
    if (!(error instanceof BetterSqlite.SqliteError)) throw error
    if (!error.code.startsWith("SQLITE_BUSY")) {
      throw new UserError(
        `${file} cannot be used as a lock: ${error.message}; it holds nothing, so you may remove it`,
        {
          cause: error,
        },
      )
    }
    throw taken(dataDir, error)
  }
  // Whoever held it may have taken the file away while we waited: then this lock keeps nobody out.
  if (statSync(file, { throwIfNoEntry: false })?.ino !== ino) {
    db.close()
    throw taken(dataDir)
  }
  return { release: () => void db.close() }
}

function taken(dataDir: string, cause?: unknown): UserError {
  return new UserError(
    `another casemate is running on ${dataDir}: stop it first, or choose another folder with --data-dir`,
    { cause },
  )
}
