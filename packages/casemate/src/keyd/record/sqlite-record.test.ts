import { randomBytes } from "node:crypto"
import { readdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { Nip46Error } from "@casemate/nip46/protocol"
import { CLAIM_TTL, type ClaimEntry, type Connection } from "@casemate/nip46/signer"
import { createFixtures, recordSuite } from "@casemate/nip46/testing"
import BetterSqlite from "better-sqlite3"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { folder, open, path, seal, useRecordBench, withConnection } from "../../../test/support/record-bench.js"
import type { Record } from "./record.js"
import { openSqlite, type SqliteDatabase } from "./sqlite.js"
import { createSqliteRecord } from "./sqlite-record.js"

const START = 1_700_000_000

useRecordBench()

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
    db.emptyLog()
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
