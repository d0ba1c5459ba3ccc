import type { Queries } from "./queries.js"
import type { Query } from "./query.js"
import type { SqliteDatabase, Statement } from "./sqlite.js"

/** Every query of the record, prepared. */
export type Statements = {
  readonly [Name in keyof Queries]: Queries[Name] extends Query<infer P, infer R> ? Statement<P, R> : never
}

export function prepareAll(db: SqliteDatabase, queries: Queries): Statements {
  const prepared = Object.entries(queries).map(([name, query]) => [
    name,
    db.prepare<object, unknown>(query as Query<object, unknown>),
  ])
  return Object.fromEntries(prepared) as Statements
}
