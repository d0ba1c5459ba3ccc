import { createHash, createHmac, randomBytes } from "node:crypto"
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Nip46Error } from "@casemate/nip46/protocol"
import { CLAIM_TTL, type ClaimEntry, type Connection } from "@casemate/nip46/signer"
import { createFixtures, recordSuite } from "@casemate/nip46/testing"
import BetterSqlite from "better-sqlite3"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { UserError } from "../../config/user-error.js"
import type { AuditSeal, Record } from "./record.js"
import { openSqlite, type SqliteDatabase } from "./sqlite.js"
import { createSqliteRecord, openSqliteRecord, type SqliteRecordOptions } from "./sqlite-record.js"

/** Seals with a plain MAC: what the record needs of a vault, and quick. */
function createSeal(key: string): AuditSeal {
  const mac = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHmac("sha256", key).update(bytes).digest())
  const headMac = (writer: string, head: Uint8Array) => mac(Buffer.concat([Buffer.from(writer), head]))
  return {
    mac,
    sealHead: (writer, head) => Buffer.concat([headMac(writer, head), head]),
    openHead(writer, sealed) {
      const head = sealed.subarray(32)
      if (Buffer.compare(headMac(writer, head), sealed.subarray(0, 32)) !== 0) throw new Error("not sealed here")
      return head
    },
  }
}

const seal = createSeal("one")
const START = 1_700_000_000

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "casemate-record-"))
  path = join(folder, "record.db")
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const open = (options: Partial<SqliteRecordOptions> = {}): Record => openSqliteRecord(path, { seal, ...options })

/** A record with an active connection in it. */
async function withConnection(record: Record, fields: Partial<Connection> = {}): Promise<Connection> {
  const fixtures = createFixtures()
  const connection = fixtures.active(fields)
  await record.createConnection(connection, fixtures.audit())
  return connection
}

/** What an attacker with the file can do. */
function tamper(sql: string): void {
  const db = new BetterSqlite(path)
  db.exec(sql)
  db.close()
}

describe("the SQLite record", () => {
  recordSuite({
    test,
    durable: true,
    create() {
      let record = open()
      return {
        record,
        async reopen() {
          await record.close()
          record = open()
          return record
        },
        auditCount: async () => (await record.audit({ limit: 1_000_000 })).length,
        close: () => record.close(),
      }
    },
  })
})

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

describe("owner calls", () => {
  test("user keys are found by name and by pubkey, and neither is given twice", async () => {
    const record = open()
    const { hex, audit } = createFixtures()
    const [one, two] = [hex(), hex()]
    const key = { name: "alice", pubkey: one, sealed: Uint8Array.of(1, 2, 3), createdAt: 5 }
    expect(await record.addUserKey(key, audit())).toEqual({ kind: "added" })
    expect(await record.addUserKey({ ...key, pubkey: two }, audit())).toEqual({ kind: "taken", by: "name" })
    expect(await record.addUserKey({ ...key, name: "bob" }, audit())).toEqual({ kind: "taken", by: "pubkey" })
    expect(await record.addUserKey({ ...key, name: "bob", pubkey: two }, audit())).toEqual({ kind: "added" })
    expect(await record.userKey("alice")).toEqual(key)
    expect(await record.userKey(two)).toEqual({ ...key, name: "bob", pubkey: two })
    expect(await record.userKey("carol")).toBeUndefined()
    expect((await record.userKeys()).map(({ name }) => name)).toEqual(["alice", "bob"])
    expect((await record.audit({ limit: 10 })).length).toBe(2)
    await record.close()
  })

  test("a user key is renamed, and no name is given twice", async () => {
    const record = open()
    const { hex, audit } = createFixtures()
    const key = (name: string) => ({ name, pubkey: hex(), sealed: Uint8Array.of(1, 2, 3), createdAt: 5 })
    const [alice, bob] = [key("alice"), key("bob")]
    for (const each of [alice, bob]) await record.addUserKey(each, audit())
    expect(await record.renameUserKey(alice.pubkey, "bob", audit())).toEqual({ kind: "taken" })
    expect(await record.renameUserKey(alice.pubkey, "alice", audit())).toEqual({ kind: "taken" })
    expect(await record.renameUserKey(hex(), "carol", audit())).toEqual({ kind: "none" })
    expect((await record.audit({ limit: 10 })).length).toBe(2)
    expect(await record.renameUserKey(alice.pubkey, "carol", audit())).toEqual({ kind: "renamed" })
    expect(await record.userKeys()).toEqual([{ ...alice, name: "carol" }, bob])
    expect(await record.verifyAudit()).toMatchObject({ ok: true, head: { seq: 3 } })
    await record.close()
  })

  test("a user key is removed with what signs with it, and nothing else", async () => {
    const record = open()
    const { hex, active, offered, audit } = createFixtures()
    const [gone, kept] = [hex(), hex()]
    for (const [name, pubkey] of Object.entries({ gone, kept }))
      await record.addUserKey({ name, pubkey, sealed: randomBytes(64), createdAt: 5 }, audit())
    const [app, paused, ended, token, other] = [
      active({ userPubkey: gone }),
      active({ userPubkey: gone }),
      active({ userPubkey: gone }),
      offered({ userPubkey: gone }),
      active({ userPubkey: kept }),
    ]
    for (const each of [app, paused, ended, token, other]) await record.createConnection(each, audit())
    await record.setState(paused.id, "paused", audit())
    await record.setState(ended.id, "revoked", audit({ at: 1 }))
    const sealed = Buffer.from((await record.userKey(gone))?.sealed ?? [])
    const stored = () => readdirSync(folder).filter((name) => readFileSync(join(folder, name)).includes(sealed))
    expect(stored()).toEqual(["record.db-wal"])
    // Read before, so that a stale copy would show.
    for (const { remoteSignerPubkey } of [app, paused, token]) await record.connection(remoteSignerPubkey)

    const rows = (await record.audit({ limit: 100 })).length
    const removal = audit({ at: 77, action: "owner.key.removed", param: gone })
    expect(await record.removeUserKey(hex(), removal)).toEqual({ kind: "none" })
    expect(await record.removeUserKey(gone, removal)).toEqual({
      kind: "removed",
      revoked: [app.id, paused.id, token.id],
    })
    expect(await record.removeUserKey(gone, removal)).toEqual({ kind: "none" })
    expect(stored()).toEqual([])
    expect((await record.userKeys()).map(({ pubkey }) => pubkey)).toEqual([kept])
    for (const { remoteSignerPubkey } of [app, paused, token])
      expect(await record.connection(remoteSignerPubkey)).toMatchObject({ state: "revoked", endedAt: 77 })
    expect(await record.connection(ended.remoteSignerPubkey)).toMatchObject({ state: "revoked", endedAt: 1 })
    expect(await record.connection(other.remoteSignerPubkey)).toMatchObject({ state: "active" })
    const added = await record.audit({ after: rows, limit: 100 })
    expect(added.map(({ action, connectionId, param }) => [action, connectionId, param])).toEqual([
      ["owner.revoke", app.id, undefined],
      ["owner.revoke", paused.id, undefined],
      ["owner.revoke", token.id, undefined],
      ["owner.key.removed", removal.connectionId, gone],
    ])
    expect(await record.verifyAudit()).toMatchObject({ ok: true })
    // The key may come back; its old connections do not.
    expect(
      await record.addUserKey({ name: "gone", pubkey: gone, sealed: randomBytes(64), createdAt: 6 }, audit()),
    ).toEqual({ kind: "added" })
    expect(await record.connection(app.remoteSignerPubkey)).toMatchObject({ state: "revoked" })
    await record.close()
  })

  test("a removal that cannot be committed leaves the key and its apps as they were", async () => {
    const record = open()
    const { hex, active, audit } = createFixtures()
    const pubkey = hex()
    await record.addUserKey({ name: "mine", pubkey, sealed: Uint8Array.of(1), createdAt: 5 }, audit())
    const app = active({ userPubkey: pubkey })
    await record.createConnection(app, audit())
    const intruder = new BetterSqlite(path)
    intruder.exec("BEGIN IMMEDIATE")
    await expect(record.removeUserKey(pubkey, audit())).rejects.toMatchObject({ code: "RECORD_FAILED" })
    intruder.close()
    expect(await record.userKey("mine")).toBeDefined()
    expect(await record.connection(app.remoteSignerPubkey)).toMatchObject({ state: "active" })
    await record.close()
  })

  test("a connection is found by its id and by a beginning that is its alone", async () => {
    const record = open()
    const { active, audit } = createFixtures()
    for (const id of ["ab", "abc1", "abd2"]) await record.createConnection(active({ id }), audit())
    const found = async (id: string) => {
      const result = await record.findConnection(id)
      return result.kind === "found" ? result.connection.id : result
    }
    expect(await found("ab")).toBe("ab")
    expect(await found("abc")).toBe("abc1")
    expect(await found("abd2")).toBe("abd2")
    expect(await found("a")).toEqual({ kind: "ambiguous", ids: ["ab", "abc1", "abd2"] })
    for (const nobody of ["", "abd22", "%", "_b", "b"]) expect(await found(nobody)).toEqual({ kind: "none" })
    await record.close()
  })

  test("settings are kept", async () => {
    const record = open()
    expect(await record.setting("theme")).toBeUndefined()
    await record.setSetting("theme", "light")
    await record.setSetting("theme", "dark")
    await record.close()
    const again = open()
    expect(await again.setting("theme")).toBe("dark")
    await again.close()
  })

  test("the audit is read from its end and from a place in it, and carries odd text unchanged", async () => {
    const record = open()
    const { audit } = createFixtures()
    const whys = ["a", "b\u0000c", "é🔑", "lone \ud800 half", "d"]
    for (const why of whys) await record.note(audit({ why, action: why, param: why }))
    const read = async (query: { after?: number; limit: number }) => (await record.audit(query)).map(({ seq }) => seq)
    expect(await read({ limit: 2 })).toEqual([4, 5])
    expect(await read({ after: 0, limit: 2 })).toEqual([1, 2])
    expect(await read({ after: 4, limit: 9 })).toEqual([5])
    const stored = (await record.audit({ limit: 9 })).map(({ why }) => why)
    expect(stored).toEqual(["a", "b\u0000c", "é🔑", "lone \ufffd half", "d"])
    expect(await record.verifyAudit()).toMatchObject({ ok: true, head: { seq: 5 } })
    await record.close()
  })
})

describe("group commit", () => {
  test("what comes in one turn is committed in one transaction", async () => {
    const transactions: number[] = []
    const record = open({ onCommit: (writes) => transactions.push(writes) })
    const connection = await withConnection(record)
    transactions.length = 0
    const { entry } = createFixtures()
    await Promise.all(Array.from({ length: 200 }, () => record.commit(entry(connection))))
    expect(transactions).toEqual([200])
    await record.close()
  })

  test("answers ride in the next commit, or are committed by themselves", async () => {
    const transactions: number[] = []
    const record = open({ onCommit: (writes) => transactions.push(writes) })
    const connection = await withConnection(record)
    const { entry, event } = createFixtures()
    const entries = [entry(connection), entry(connection)]
    for (const each of entries) await record.commit(each)
    transactions.length = 0
    const riding = entries.map((each) => record.answer(each.eventId, event()))
    await record.commit(entry(connection))
    await Promise.all(riding)
    expect(transactions).toEqual([3])
    await record.answer(entries[0]?.eventId ?? "", event())
    expect(transactions).toEqual([3, 1])
    await record.close()
  })

  test("close commits what is queued, and everything after it is RECORD_FAILED", async () => {
    const record = open()
    const connection = await withConnection(record)
    const { entry, event } = createFixtures()
    const claim = entry(connection)
    const committed = record.commit(claim)
    const answered = record.answer(claim.eventId, event(7))
    await record.close()
    expect(await committed).toEqual({ kind: "committed" })
    await answered
    for (const late of [
      record.commit(entry(connection)),
      record.answer(claim.eventId, event()),
      record.connection(connection.remoteSignerPubkey),
      record.recall(claim.eventId, "", 0),
      record.unanswered(),
      record.verifyAudit(),
    ]) {
      await expect(late).rejects.toMatchObject({ code: "RECORD_FAILED" })
    }
    const again = open()
    expect((await again.answeredSince(0)).map(({ answer }) => answer?.created_at)).toEqual([7])
    await again.close()
  })

  test("a backlog is purged in slices, with the floor over all of it, and others are served between them", async () => {
    const transactions: number[] = []
    const record = open({ onCommit: (writes) => transactions.push(writes) })
    const connection = await withConnection(record)
    const { entry, event } = createFixtures()
    const entries = Array.from({ length: 1_700 }, (_, i) => entry(connection, { event: event(START + (i % 97)) }))
    await Promise.all(entries.map((each) => record.commit(each)))
    transactions.length = 0
    const purged = record.purge(START + CLAIM_TTL + 1)
    const served = await record.commit(entry(connection, { event: event(START + 97), receivedAt: START + CLAIM_TTL }))
    expect(served).toEqual({ kind: "committed" })
    expect(transactions).toEqual([2])
    await purged
    expect(transactions.length).toBeGreaterThan(3)
    expect((await record.unanswered()).length).toBe(1)
    for (const each of entries) expect((await record.recall(each.eventId, "", START)).kind).toBe("stale")
    expect((await record.recall("", "", START + 96)).kind).toBe("stale")
    expect((await record.recall("", "", START + 97)).kind).toBe("new")
    await record.close()
  })

  test("one that cannot be committed takes no other with it", async () => {
    const record = open()
    const connection = await withConnection(record, { grants: [] })
    const { entry, audit, hex } = createFixtures()
    const beyond: ClaimEntry = { ...entry(connection), receivedAt: { not: "a number" } as unknown as number }
    const results = await Promise.allSettled([
      record.commit(entry(connection)),
      record.commit(beyond),
      record.createConnection({ ...connection, id: hex() }, audit()),
      record.commit(entry(connection)),
      record.note(audit()),
    ])
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected", "fulfilled", "fulfilled"])
    for (const result of results) {
      if (result.status === "rejected") expect(result.reason).toMatchObject({ code: "RECORD_FAILED" })
    }
    expect((await record.unanswered()).length).toBe(2)
    expect(await record.verifyAudit()).toMatchObject({ ok: true, head: { seq: 4 } })
    await record.close()
  })
})

describe("failing storage", () => {
  let db: SqliteDatabase
  let record: Record
  let connection: Connection
  beforeEach(async () => {
    db = openSqlite(path)
    record = createSqliteRecord(db, { seal })
    connection = await withConnection(record)
  })
  afterEach(() => record.close())

  test("a full disk is RECORD_FAILED with nothing written, and once there is room all works again", async () => {
    const { entry, event } = createFixtures()
    const big = () => entry(connection, { event: { ...event(), content: "x".repeat(50_000) } })
    db.exec("PRAGMA max_page_count = 1")
    const outcomes = await Promise.allSettled(Array.from({ length: 12 }, () => record.commit(big())))
    const failures = outcomes.filter((outcome) => outcome.status === "rejected")
    expect(failures.length).toBe(12)
    for (const { reason } of failures) {
      expect(reason).toBeInstanceOf(Nip46Error)
      expect(reason).toMatchObject({ code: "RECORD_FAILED", cause: { code: "SQLITE_FULL" } })
    }
    expect(await record.unanswered()).toEqual([])
    expect(await record.verifyAudit()).toMatchObject({ ok: true, head: { seq: 1 } })

    db.exec("PRAGMA max_page_count = 1000000")
    expect(await record.commit(big())).toEqual({ kind: "committed" })
    expect(await record.verifyAudit()).toMatchObject({ ok: true, head: { seq: 2 } })
  })

  test("a disk that fills in the middle of a batch keeps exactly what was acknowledged", async () => {
    const { entry, event } = createFixtures()
    const before = statSync(path).size
    db.exec(`PRAGMA max_page_count = ${Math.ceil(before / 4096) + 40}`)
    const entries = Array.from({ length: 12 }, () =>
      entry(connection, { event: { ...event(), content: "x".repeat(20_000) } }),
    )
    const outcomes = await Promise.allSettled(entries.map((each) => record.commit(each)))
    const kept = entries.filter((_, i) => outcomes[i]?.status === "fulfilled").map(({ eventId }) => eventId)
    expect(kept.length).toBeGreaterThan(0)
    expect(kept.length).toBeLessThan(12)
    expect((await record.unanswered()).map(({ eventId }) => eventId)).toEqual(kept)
    expect(await record.verifyAudit()).toMatchObject({ ok: true, head: { seq: 1 + kept.length } })
  })

  test("a database that somebody else holds is RECORD_FAILED, and is written again when they let go", async () => {
    const { entry } = createFixtures()
    const other = new BetterSqlite(path)
    other.exec("BEGIN IMMEDIATE")
    const outcomes = await Promise.allSettled([record.commit(entry(connection)), record.commit(entry(connection))])
    for (const outcome of outcomes) expect(outcome).toMatchObject({ reason: { code: "RECORD_FAILED" } })
    other.exec("ROLLBACK")
    other.close()
    expect(await record.commit(entry(connection))).toEqual({ kind: "committed" })
    expect((await record.unanswered()).length).toBe(1)
  })
})

describe("the audit chain", () => {
  const ROWS = 6

  beforeEach(async () => {
    const record = open()
    const { audit } = createFixtures()
    for (let i = 1; i <= ROWS; i++) await record.note(audit({ at: i, why: `row ${i}`, actor: hash(i) }))
    await record.close()
  })

  async function verify(expected?: { seq: number; mac: string }) {
    const record = open()
    try {
      return await record.verifyAudit(expected)
    } finally {
      await record.close()
    }
  }

  test("an untouched one holds, and goes on after a restart", async () => {
    const before = await verify()
    expect(before).toMatchObject({ ok: true, head: { seq: ROWS } })
    const record = open()
    await record.note(createFixtures().audit())
    expect(await record.verifyAudit(before.ok ? before.head : undefined)).toMatchObject({ ok: true, head: { seq: 7 } })
    await record.close()
  })

  const rows = Array.from({ length: ROWS }, (_, i) => i + 1)

  test.each(rows)("row %i taken out is named", async (row) => {
    tamper(`DELETE FROM audit WHERE seq = ${row}`)
    expect(await verify()).toMatchObject({ ok: false, row })
  })

  test.each(rows.slice(1))("the end cut off from row %i is named", async (row) => {
    tamper(`DELETE FROM audit WHERE seq >= ${row}`)
    expect(await verify()).toMatchObject({ ok: false, row, why: expect.stringContaining("cut") })
  })

  test.each(
    rows.flatMap((row) =>
      ["at = at + 1", "actor = 'owner'", "connection_id = 'x'", "action = 'ping'", "param = ''", "verdict = 'deny'"]
        .concat(["why = why || ' '", "event_id = 'x'", "mac = zeroblob(32)", "mac = x''"])
        .map((change) => [row, change] as const),
    ),
  )("row %i with %s is named", async (row, change) => {
    tamper(`UPDATE audit SET ${change} WHERE seq = ${row}`)
    expect(await verify()).toMatchObject({ ok: false, row })
  })

  test("two rows in each other's place, and one put in, are named", async () => {
    tamper(
      "UPDATE audit SET seq = 99 WHERE seq = 2; UPDATE audit SET seq = 2 WHERE seq = 4; UPDATE audit SET seq = 4 WHERE seq = 99",
    )
    expect(await verify()).toMatchObject({ ok: false, row: 2 })
    tamper("DELETE FROM audit WHERE seq > 1")
    tamper(
      "INSERT INTO audit SELECT writer, 0, at, actor, connection_id, action, param, verdict, why, event_id, mac FROM audit",
    )
    expect(await verify()).toMatchObject({ ok: false, row: 1 })
  })

  test("a row appended without the key is named, and does not stop the record from being written", async () => {
    tamper(
      "INSERT INTO audit SELECT writer, 7, at, actor, connection_id, action, param, verdict, why, event_id, mac FROM audit WHERE seq = 6",
    )
    expect(await verify()).toMatchObject({ ok: false, row: 7 })
    const record = open()
    await record.note(createFixtures().audit())
    expect(await record.verifyAudit()).toMatchObject({ ok: false, row: 7 })
    await record.close()
  })

  test("an audit of which nothing is left is refused when the record opens, with what to do", () => {
    tamper("DELETE FROM audit")
    expect(() => open()).toThrow(UserError)
    expect(() => open()).toThrow(/the audit of .*record\.db was emptied.* from your backup, or move .* away/)
  })

  test("keys without any audit are refused, whatever the sealed head says", async () => {
    const other = join(folder, "other.db")
    await openSqliteRecord(other, { seal }).close()
    const young = new BetterSqlite(other)
    const { sealed } = young.prepare("SELECT sealed FROM audit_head").get() as { sealed: Buffer }
    young.close()
    const record = open()
    await record.addUserKey(
      { name: "mine", pubkey: hash(1), sealed: new Uint8Array(8), createdAt: 1 },
      createFixtures().audit(),
    )
    await record.close()
    tamper(`DELETE FROM audit; UPDATE audit_head SET sealed = x'${sealed.toString("hex")}'`)
    expect(() => open()).toThrow(/was emptied/)
  })

  test.each([
    ["DELETE FROM audit WHERE seq > 4", "2 rows were cut from the end of the audit"],
    ["UPDATE audit SET mac = zeroblob(32) WHERE seq = 6", "the last row of the audit was altered"],
    [
      "INSERT INTO audit SELECT writer, 7, at, actor, connection_id, action, param, verdict, why, event_id, mac FROM audit WHERE seq = 6",
      "1 rows were put at the end",
    ],
    ["SELECT 1", undefined],
  ])("after %s whoever opens it is told", async (change, expected) => {
    tamper(change)
    const told: string[] = []
    await open({ onBrokenAudit: (why) => told.push(why) }).close()
    expect(told).toEqual(expected === undefined ? [] : [expect.stringContaining(expected)])
  })

  test("rows that are gone stay missed however many follow", async () => {
    tamper("DELETE FROM audit WHERE seq > 4")
    const record = open()
    for (let i = 0; i < 5; i++) await record.note(createFixtures().audit())
    expect(await record.verifyAudit()).toMatchObject({ ok: false, row: 5 })
    await record.close()
  })

  test("a head that is gone, of another root key or altered is refused when the record opens", () => {
    expect(() => open({ seal: createSeal("two") })).toThrow(UserError)
    tamper("UPDATE audit_head SET sealed = zeroblob(80)")
    expect(() => open()).toThrow(/root key/)
    tamper("DELETE FROM audit_head")
    expect(() => open()).toThrow(UserError)
  })

  test("a whole database that was rolled back is found with a head kept elsewhere", async () => {
    const old = new BetterSqlite(path)
    const backup = join(folder, "old.db")
    await old.backup(backup)
    old.close()
    const record = open()
    await record.note(createFixtures().audit())
    const now = await record.verifyAudit()
    await record.close()
    if (!now.ok) throw new Error("an untouched chain holds")

    path = backup
    expect(await verify()).toMatchObject({ ok: true, head: { seq: ROWS } })
    expect(await verify(now.head)).toMatchObject({ ok: false, row: ROWS + 1 })
    const other = open()
    for (let i = 0; i < 3; i++) await other.note(createFixtures().audit({ why: "another history" }))
    expect(await other.verifyAudit(now.head)).toMatchObject({ ok: false, row: ROWS + 1 })
    await other.close()
  })

  test("commits between its pages do not look like tampering", async () => {
    const record = open()
    const { audit } = createFixtures()
    await Promise.all(Array.from({ length: 2_500 }, () => record.note(audit())))
    const verdict = record.verifyAudit()
    const noting = Array.from({ length: 5 }, () => record.note(audit()))
    expect(await verdict).toMatchObject({ ok: true })
    await Promise.all(noting)
    await record.close()
  })
})

function hash(n: number): string {
  return createHash("sha256").update(String(n)).digest("hex")
}
