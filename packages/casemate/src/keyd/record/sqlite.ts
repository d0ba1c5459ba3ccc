import { chmodSync, closeSync, mkdirSync, openSync } from "node:fs"
import { dirname } from "node:path"
import BetterSqlite from "better-sqlite3"
import { DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from "kysely"
import { UserError } from "../../config/user-error.js"
import type { Migratable } from "./migrations.js"
import type { Query } from "./query.js"
import type { Tables } from "./schema.js"

/** Everything that is SQLite's own: the compiler, the pragmas, how statements run and what errors mean. */

/** Compiles for SQLite and never connects. */
export function sqliteCompiler(): Kysely<Tables> {
  return new Kysely<Tables>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => new SqliteIntrospector(db),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  })
}

/** A query that was prepared. */
export interface Statement<P, R> {
  get(values: P): R | undefined
  all(values: P): R[]
  /** The number of rows that changed. */
  run(values: P): number
}

export interface SqliteDatabase extends Migratable {
  prepare<P, R>(query: Query<P, R>): Statement<P, R>
  /** Brings the write-ahead log into the database and cuts it to nothing, unless somebody else is reading. */
  emptyLog(): void
  close(): void
}

/** Waiting blocks the process, and nobody but us writes here: a second is for a backup that takes the lock. */
const BUSY_TIMEOUT_MS = 1_000

/**
 * Opens a database file, 0600, with every commit on the disk before it is acknowledged.
 *
 * @throws UserError when it is not a database, is damaged or cannot be opened
 */
export function openSqlite(file: string): SqliteDatabase {
  const db = connect(file)
  const begin = db.prepare("BEGIN IMMEDIATE")
  const commit = db.prepare("COMMIT")
  const rollback = db.prepare("ROLLBACK")

  return {
    name: file,
    types: { serial: "INTEGER PRIMARY KEY", bytes: "BLOB", integer: "INTEGER" },
    schemaVersion: () => db.pragma("user_version", { simple: true }) as number,
    setSchemaVersion: (version) => void db.pragma(`user_version = ${version}`),
    exec: (sql) => void db.exec(sql),
    transaction(work) {
      begin.run()
      try {
        const result = work()
        commit.run()
        return result
      } finally {
        // After some errors, such as a full disk, SQLite has rolled back by itself.
        if (db.inTransaction) rollback.run()
      }
    },
    prepare<P, R>(query: Query<P, R>) {
      const statement = db.prepare(query.sql)
      return {
        get: (values: P) => statement.get(query.bind(values)) as R | undefined,
        all: (values: P) => statement.all(query.bind(values)) as R[],
        run: (values: P) => statement.run(query.bind(values)).changes,
      }
    },
    emptyLog: () => void db.pragma("wal_checkpoint(TRUNCATE)"),
    close: () => void db.close(),
  }
}

/** True when no operation can succeed now, so that trying the others one by one is in vain. */
export function isStorageDown(error: unknown): boolean {
  const code = error instanceof BetterSqlite.SqliteError ? error.code : ""
  return /^SQLITE_(BUSY|LOCKED|IOERR|CANTOPEN|READONLY|CORRUPT|NOTADB)/.test(code)
}

/**
 * Made by us before SQLite sees it, since SQLite gives its -wal and -shm the mode of the file. One that is
 * there is never opened here: closing it again would drop the POSIX locks that SQLite holds on it.
 */
export function createDatabaseFile(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  try {
    closeSync(openSync(file, "wx", 0o600))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error
    chmodSync(file, 0o600)
  }
}

function connect(file: string): BetterSqlite.Database {
  let db: BetterSqlite.Database | undefined
  try {
    createDatabaseFile(file)
    db = new BetterSqlite(file, { timeout: BUSY_TIMEOUT_MS })
    db.pragma("journal_mode = WAL")
    db.pragma("synchronous = FULL")
    db.pragma("foreign_keys = ON")
    db.pragma("secure_delete = ON")
    return db
  } catch (error) {
    db?.close()
    if (isDamage(error) && error.code !== "SQLITE_NOTADB") throw damaged(file, error)
    const why = error instanceof Error ? error.message : String(error)
    throw new UserError(`${file} cannot be opened as a database: ${why}`, { cause: error })
  }
}

export function damaged(file: string, cause: unknown): UserError {
  return new UserError(`${file} is damaged: put it back from your backup`, { cause })
}

/** Whether an error says that a database file is not what SQLite wrote. */
export function isDamage(error: unknown): error is InstanceType<typeof BetterSqlite.SqliteError> {
  return error instanceof BetterSqlite.SqliteError && /^SQLITE_(?:CORRUPT|NOTADB)/.test(error.code)
}
