import { UserError } from "../../config/user-error.js"
import { initial } from "./migrations/0001-initial.js"
import { endedAt } from "./migrations/0002-ended-at.js"
import { nostrconnectAndNip04 } from "./migrations/0003-nostrconnect-and-nip04.js"
import { approvals } from "./migrations/0004-approvals.js"
import { owners } from "./migrations/0005-owners.js"

/** How a dialect writes the types in which the databases differ. */
export interface ColumnTypes {
  readonly serial: string
  readonly bytes: string
  readonly integer: string
}

/** One step of the schema. Released ones are never changed. */
export interface Migration {
  /** From 1, without gaps. */
  readonly version: number
  statements(types: ColumnTypes): readonly string[]
}

export const MIGRATIONS: readonly Migration[] = [initial, endedAt, nostrconnectAndNip04, approvals, owners]

/** What migrating needs of a database. */
export interface Migratable {
  readonly name: string
  readonly types: ColumnTypes
  /** 0 for an empty one. */
  schemaVersion(): number
  setSchemaVersion(version: number): void
  exec(sql: string): void
  transaction<T>(work: () => T): T
}

export interface MigrateOptions {
  readonly migrations?: readonly Migration[]
  /** What a new database starts with; in the same transaction, so that there is none without it. */
  readonly seed?: () => void
}

/**
 * Brings a database to the newest schema: all steps or none.
 *
 * @throws UserError when a newer casemate wrote it
 */
export function migrate(database: Migratable, { migrations = MIGRATIONS, seed }: MigrateOptions = {}): void {
  database.transaction(() => {
    const version = database.schemaVersion()
    const newest = migrations.at(-1)?.version ?? 0
    if (version > newest) {
      throw new UserError(
        `${database.name} has schema ${version} and this casemate knows ${newest} at most: start the newer version that wrote it`,
      )
    }
    for (const migration of migrations.filter((each) => each.version > version)) {
      for (const statement of migration.statements(database.types)) database.exec(statement)
      database.setSchemaVersion(migration.version)
    }
    if (version === 0) seed?.()
  })
}
