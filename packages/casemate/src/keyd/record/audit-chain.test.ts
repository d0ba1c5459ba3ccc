import { createHash } from "node:crypto"
import { join } from "node:path"
import { createFixtures } from "@casemate/nip46/testing"
import BetterSqlite from "better-sqlite3"
import { beforeEach, describe, expect, test } from "vitest"
import { createSeal, folder, open, path, seal, tamper, useRecordBench } from "../../../test/support/record-bench.js"
import { UserError } from "../../config/user-error.js"
import { openSqliteRecord } from "./sqlite-record.js"

useRecordBench()

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

    const other = open({ at: backup })
    expect(await other.verifyAudit()).toMatchObject({ ok: true, head: { seq: ROWS } })
    expect(await other.verifyAudit(now.head)).toMatchObject({ ok: false, row: ROWS + 1 })
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
