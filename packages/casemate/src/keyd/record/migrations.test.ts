import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, expect, test } from "vitest"
import { UserError } from "../../config/user-error.js"
import { MIGRATIONS, type Migration, migrate } from "./migrations.js"
import { openSqlite, type SqliteDatabase } from "./sqlite.js"

let folder: string
let db: SqliteDatabase
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "casemate-migrations-"))
  db = openSqlite(join(folder, "record.db"))
})
afterEach(() => {
  db.close()
  rmSync(folder, { recursive: true, force: true })
})

const first: Migration = { version: 1, statements: ({ integer }) => [`CREATE TABLE a (x ${integer})`] }
const second: Migration = { version: 2, statements: () => ["ALTER TABLE a ADD COLUMN y TEXT DEFAULT 'new'"] }
const broken: Migration = {
  version: 3,
  statements: () => ["CREATE TABLE b (x TEXT)", "ALTER TABLE nowhere ADD z TEXT"],
}

const rows = (table: string): unknown[] =>
  db.prepare<object, object>({ sql: `SELECT * FROM ${table}`, bind: () => [] }).all({})

test("versions rise by one from one, and an empty database gets them all", () => {
  expect(MIGRATIONS.map(({ version }) => version)).toEqual(MIGRATIONS.map((_, i) => i + 1))
  migrate(db)
  expect(db.schemaVersion()).toBe(MIGRATIONS.length)
  expect(rows("claim")).toEqual([])
})

test("an older database gets what it lacks and keeps what it has", () => {
  let seeds = 0
  const seed = () => void seeds++
  migrate(db, { migrations: [first], seed })
  db.exec("INSERT INTO a VALUES (1)")
  migrate(db, { migrations: [first, second], seed })
  migrate(db, { migrations: [first, second], seed })
  expect(rows("a")).toEqual([{ x: 1, y: "new" }])
  expect(db.schemaVersion()).toBe(2)
  expect(seeds).toBe(1)
})

test("connections of the first schema come through with what they now have beside", () => {
  migrate(db, { migrations: MIGRATIONS.slice(0, 1) })
  db.exec(`INSERT INTO connection (id, user_pubkey, remote_signer_pubkey, sealed_transport_key, state, relays,
    client_relays, app, requested_perms, created_at, revision)
    VALUES ('one', 'user', 'signer', x'00', 'active', '[]', '[]', '{}', '', 1, 0)`)
  migrate(db)
  expect(rows("connection")).toMatchObject([
    { id: "one", guarded_relays: "[]", connect_response: null, nip04_transport: 0 },
  ])
})

test("what the third schema has goes on to deny whatever it did not grant, without a rate or a condition", () => {
  migrate(db, { migrations: MIGRATIONS.slice(0, 3) })
  db.exec(`INSERT INTO connection (id, user_pubkey, remote_signer_pubkey, sealed_transport_key, state, relays,
    client_relays, app, requested_perms, created_at, revision, expires_at)
    VALUES ('one', 'user', 'signer', x'00', 'active', '[]', '[]', '{}', '', 1, 7, 99)`)
  db.exec(`INSERT INTO "grant" VALUES ('one', 'g', 0, 'sign_event', '1', 'allow', 9, 3)`)
  db.exec("INSERT INTO claim VALUES (NULL, 'event', 'one', 'key', '{}', 1, 1, '{\"kind\":\"allow\"}', NULL, NULL)")
  migrate(db)
  expect(rows("connection")).toMatchObject([{ id: "one", style: "deny", revision: 7, expires_at: 99 }])
  expect(rows(`"grant"`)).toMatchObject([
    { id: "g", expires_at: 9, uses_left: 3, rate_uses: null, rate_seconds: null, recent_uses: "[]", conditions: "{}" },
  ])
  expect(rows("claim")).toMatchObject([{ event_id: "event", verdict: '{"kind":"allow"}' }])
  expect([rows("approval"), rows("pragma_foreign_key_check")]).toEqual([[], []])
})

test("a filled record of the fourth schema comes through whole, and has no owners yet", () => {
  migrate(db, { migrations: MIGRATIONS.slice(0, 4) })
  db.exec("INSERT INTO user_key VALUES (NULL, 'alice', 'user', x'01', 1)")
  db.exec(`INSERT INTO connection (id, user_pubkey, remote_signer_pubkey, sealed_transport_key, state, relays,
    client_relays, app, requested_perms, created_at, revision, style)
    VALUES ('one', 'user', 'signer', x'00', 'active', '[]', '[]', '{}', '', 1, 7, 'hold')`)
  db.exec(`INSERT INTO "grant" VALUES ('one', 'g', 0, 'sign_event', '1', 'allow', 9, 3, 4, 60, '[5]', '{}')`)
  db.exec("INSERT INTO claim VALUES (NULL, 'event', 'one', 'key', '{}', 1, 1, '{\"kind\":\"ask\"}', NULL, NULL)")
  db.exec(`INSERT INTO approval VALUES
    (NULL, 'a', 'event', 'one', 'user', 1, 'ping', NULL, '[]', 'ask', 'pending', 1, NULL, NULL)`)
  db.exec("INSERT INTO audit VALUES ('keyd', 1, 1, 'owner', 'one', 'ping', NULL, 'ask', '', 'event', x'02')")
  db.exec("INSERT INTO audit_head VALUES ('keyd', x'03')")
  db.exec("INSERT INTO setting VALUES ('record.floor', '5')")
  const tables = ["user_key", "connection", '"grant"', "claim", "approval", "audit", "audit_head", "setting"]
  const before = tables.map(rows)
  expect(before.every(({ length }) => length === 1)).toBe(true)
  migrate(db)
  expect(tables.map(rows)).toEqual(before)
  const fresh = ["owner", "owner_passkey", "owner_code", "owner_session", "owner_invitation", "last_signed"]
  expect(fresh.map(rows)).toEqual(fresh.map(() => []))
  expect(rows("pragma_foreign_key_check")).toEqual([])
})

test("what an owner has stands on an owner who is here, and a password on the app that goes with it", () => {
  migrate(db)
  const insert = (id: string, name: string, hash: string, totp: string) =>
    db.exec(`INSERT INTO owner VALUES (NULL, '${id}', '${name}', '${name}', 1, ${hash}, ${totp}, 0)`)
  expect(() => insert("one", "alice", "'hash'", "NULL")).toThrow(/CHECK/)
  expect(() => insert("one", "alice", "NULL", "x'00'")).toThrow(/CHECK/)
  insert("one", "alice", "'hash'", "x'00'")
  insert("two", "bob", "NULL", "NULL")
  expect(() => insert("three", "alice", "NULL", "NULL")).toThrow(/UNIQUE/)
  const code = (owner: string) => db.exec(`INSERT INTO owner_code VALUES ('code', '${owner}')`)
  const session = (owner: string, by: string) =>
    db.exec(`INSERT INTO owner_session VALUES (NULL, 'session', '${owner}', '${by}', 1, 2)`)
  const passkey = (owner: string) =>
    db.exec(`INSERT INTO owner_passkey VALUES (NULL, 'key', '${owner}', x'00', 0, '[]', 'localhost', '', 1, NULL)`)
  for (const orphan of [() => code("nobody"), () => session("nobody", "passkey"), () => passkey("nobody")])
    expect(orphan).toThrow(/FOREIGN KEY/)
  expect(() => session("one", "guess")).toThrow(/CHECK/)
  code("one")
  passkey("two")
  for (const id of ["one", "two"]) expect(() => db.exec(`DELETE FROM owner WHERE id = '${id}'`)).toThrow(/FOREIGN KEY/)
})

test("an approval stands on a claim and a connection that are there", () => {
  migrate(db)
  db.exec(`INSERT INTO connection (id, user_pubkey, remote_signer_pubkey, sealed_transport_key, state, relays,
    client_relays, app, requested_perms, created_at, revision)
    VALUES ('one', 'user', 'signer', x'00', 'active', '[]', '[]', '{}', '', 1, 0)`)
  db.exec("INSERT INTO claim VALUES (NULL, 'event', 'one', 'key', '{}', 1, 1, '{}', NULL, NULL)")
  const insert = (id: string, event: string, connection: string, state: string) =>
    db.exec(`INSERT INTO approval VALUES
      (NULL, '${id}', '${event}', '${connection}', 'user', 1, 'ping', NULL, '[]', 'ask', '${state}', 1, NULL, NULL)`)
  expect(() => insert("a", "nowhere", "one", "pending")).toThrow(/FOREIGN KEY/)
  expect(() => insert("a", "event", "nobody", "pending")).toThrow(/FOREIGN KEY/)
  expect(() => insert("a", "event", "one", "asked")).toThrow(/CHECK/)
  insert("a", "event", "one", "pending")
  expect(() => insert("b", "event", "one", "pending")).toThrow(/UNIQUE/)
  expect(() => db.exec("DELETE FROM claim")).toThrow(/FOREIGN KEY/)
  expect(() => db.exec("UPDATE connection SET style = 'loud'")).toThrow(/CHECK/)
})

test("a migration that fails leaves the database as it was", () => {
  migrate(db, { migrations: [first] })
  db.exec("INSERT INTO a VALUES (1)")
  expect(() => migrate(db, { migrations: [first, second, broken] })).toThrow(/nowhere/)
  expect(db.schemaVersion()).toBe(1)
  expect(rows("a")).toEqual([{ x: 1 }])
  expect(() => rows("b")).toThrow(/no such table/)
})

test("a database of a newer casemate is refused and not touched", () => {
  migrate(db, { migrations: [first, second] })
  expect(() => migrate(db, { migrations: [first] })).toThrow(UserError)
  expect(() => migrate(db, { migrations: [first] })).toThrow(/schema 2 .* knows 1 at most/)
  expect(db.schemaVersion()).toBe(2)
})

test("a connection that had ended before its end was written down ended with its last audit row", () => {
  migrate(db, { migrations: MIGRATIONS.slice(0, 1) })
  const made = ["active", "revoked", "logged_out", "offered"]
  for (const [n, state] of made.entries()) {
    db.exec(`INSERT INTO connection VALUES
      (NULL, 'c${n}', 'u', 'r${n}', X'00', NULL, '${state}', NULL, NULL, NULL, '[]', '[]', '{}', '', 100, NULL, 1)`)
    for (const at of state === "logged_out" ? [] : [100, 300, 200])
      db.exec(`INSERT INTO audit VALUES
        ('keyd', ${n * 1000 + at}, ${at}, 'owner', 'c${n}', 'owner.test', NULL, 'allow', '', NULL, X'00')`)
  }
  migrate(db)
  const ends = rows("connection").map((row) => (row as { ended_at: number | null }).ended_at)
  expect(ends).toEqual([null, 300, 100, null])
})
