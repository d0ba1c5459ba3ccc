import { createFixtures } from "@casemate/nip46/testing"
import { afterEach, beforeEach, expect, test } from "vitest"
import { path, seal, useRecordBench } from "../../../test/support/record-bench.js"
import { buildQueries, type Queries } from "./queries.js"
import type { Query } from "./query.js"
import type { Record } from "./record.js"
import { openSqlite, type SqliteDatabase, type Statement, sqliteCompiler } from "./sqlite.js"
import { createSqliteRecord } from "./sqlite-record.js"

/** What a commit and a list cost: in statements and in rows that are looked at, since time is not ours to promise. */

useRecordBench()

let db: SqliteDatabase
let record: Record
let statements: string[]
beforeEach(() => {
  db = openSqlite(path)
  statements = []
  record = createSqliteRecord({ ...db, prepare: (query) => counted(query, db.prepare(query)) }, { seal })
})
afterEach(() => record.close())

function counted<P, R>({ sql }: Query<P, R>, { get, all, run }: Statement<P, R>): Statement<P, R> {
  const noted =
    <T>(step: (values: P) => T) =>
    (values: P): T => {
      statements.push(sql)
      return step(values)
    }
  return { get: noted(get), all: noted(all), run: noted(run) }
}

function planOf(name: keyof Queries): string {
  const query = buildQueries(sqliteCompiler())[name] as Query<object, object>
  const explained = { sql: `EXPLAIN QUERY PLAN ${query.sql}`, bind: (values: object) => query.bind(values) }
  const steps = db.prepare<object, { detail: string }>(explained as never).all({ limit: 1 })
  return steps.map(({ detail }) => detail).join("; ")
}

test("a commit that nobody is asked of costs four statements, and two more for a counter or a rate", async () => {
  const { active, grant, audit, entry, waiting } = createFixtures()
  const grants = [grant({ id: "counted", usesLeft: 9 }), grant({ id: "rated", rate: { uses: 9, seconds: 60 } })]
  const connection = active({ grants, lastUsedAt: 1_700_000_000 })
  await record.createConnection(connection, audit())
  const cost = async (each: ReturnType<typeof entry>): Promise<number> => {
    statements = []
    expect(await record.commit(each)).toEqual({ kind: "committed" })
    return statements.length
  }
  expect(await cost(entry(connection))).toBe(4)
  expect(await cost(entry(connection, { charges: ["counted"] }))).toBe(6)
  expect(await cost(entry(connection, { charges: ["rated"] }))).toBe(6)
  expect(await cost(waiting(connection))).toBe(7)
})

test.each([
  "approvals",
  "approvalsOf",
  "dueApprovals",
  "lateApprovals",
  "approvalById",
  "waitingFor",
  "waitingScopes",
  "purgeApprovals",
] as const)("%s looks at no more approvals than it is about, and sorts none", (name) => {
  const plan = planOf(name)
  expect(plan).toContain("SEARCH approval USING")
  expect(plan).not.toMatch(/SCAN (?:approval|claim)|ORDER BY/)
})

test.each([
  "invitation",
  "ownerById",
  "ownerByName",
  "passkeyById",
  "passkeysOf",
  "codesOf",
  "session",
  "sessionsOf",
  "trimSessionsOf",
  "purgeSessions",
  "purgeInvitations",
  "lastSigned",
  "deleteLastSignedOf",
] as const)("%s looks at no more than it is about", (name) => {
  expect(planOf(name)).not.toMatch(/SCAN|ORDER BY/)
})

test("ten thousand that wait are listed whole, and a commit beside them asks as much as ever", async () => {
  const { active, audit, waiting } = createFixtures()
  const connections = Array.from({ length: 100 }, () => active())
  await Promise.all(connections.map((each) => record.createConnection(each, audit())))
  const entries = connections.flatMap((each) => Array.from({ length: 100 }, () => waiting(each)))
  await Promise.all(entries.map((each) => record.commit(each)))
  const listed = await record.approvals("pending")
  expect(listed.map(({ id }) => id)).toEqual(entries.map(({ approval }) => approval.id))
  statements = []
  for (const each of connections.slice(0, 3)) expect(await record.commit(waiting(each))).toEqual({ kind: "crowded" })
  expect(statements.length).toBe(3 * 4)
})
