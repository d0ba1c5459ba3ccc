import { join } from "node:path"
import fc from "fast-check"
import { expect, test } from "vitest"
import { createOwnerFixtures, dump, START } from "../../../test/support/owner-fixtures.js"
import { type Known, OwnersModel, type Step, steps } from "../../../test/support/owners-model.js"
import { folder, open, path, seal, useRecordBench } from "../../../test/support/record-bench.js"
import type { CredentialUse } from "./owners-record.js"
import type { Record } from "./record.js"
import { openSqlite, type SqliteDatabase } from "./sqlite.js"
import { createSqliteRecord } from "./sqlite-record.js"

/** A write is there whole, with its audit row, or nothing of it is. */

useRecordBench()

const { audit, owner, password, passkey, session, invitation, entry, joined, hex } = createOwnerFixtures()

test("whichever statement of a write fails, nothing of the write is left, and it can be made again", async () => {
  let failing = Number.POSITIVE_INFINITY
  let count = 0
  const db = openSqlite(path)
  const prepare: SqliteDatabase["prepare"] = (query) => {
    const statement = db.prepare(query)
    const run: typeof statement.run = (values) => {
      if (++count === failing) throw new Error("the disk is full")
      return statement.run(values)
    }
    return { ...statement, run }
  }
  const record = createSqliteRecord({ ...db, prepare }, { seal })
  const made = await joined(record)
  const { id } = made.owner
  const invited = invitation()
  const [joining, second, begun] = [entry(invited), passkey(id), session(id)]
  const [fresh, codes] = [password(), [hex(), hex()]]
  const code = made.codes[0] ?? ""
  /** Each with the number of its statements: the audit row, the sealed head, and those of its own. */
  const writes: [statements: number, write: () => Promise<unknown>][] = [
    [3, () => record.addInvitation(invited, audit())],
    [9, () => record.join(joining, audit())],
    [3, () => record.addPasskey(second, audit())],
    [3, () => record.use(id, { kind: "passkey", id: second.id, counter: 4 }, START, audit())],
    [5, () => record.signIn(begun, { kind: "code", hash: code }, audit())],
    [3, () => record.removePasskey(id, second.id, audit())],
    [3, () => record.setPassword(id, fresh, audit())],
    [5, () => record.setCodes(id, codes, audit())],
    [3, () => record.endSessionsOf(id, begun.hash, audit())],
    [6, () => record.removeOwner(id, audit())],
  ]
  for (const [statements, write] of writes) {
    const before = dump()
    for (failing = 1; failing <= statements; failing++) {
      count = 0
      await expect(write()).rejects.toMatchObject({ code: "RECORD_FAILED" })
      expect(dump()).toEqual(before)
      expect(await record.verifyAudit()).toMatchObject({ ok: true })
    }
    count = 0
    await write()
    expect(count).toBe(statements)
    expect(dump()).not.toEqual(before)
  }
  await record.close()
})

test("it does what a simple model does, and what it refuses changes nothing", async () => {
  let runs = 0
  const seen = new Set<string>()
  await fc.assert(
    fc.asyncProperty(steps, async (sequence) => {
      const at = join(folder, `${runs++}.db`)
      const record = open({ at })
      try {
        const model = new OwnersModel()
        let before = dump(at)
        for (const step of sequence) {
          const done = await run(record, step)
          expect([step, done]).toEqual([step, model.apply(step)])
          const after = dump(at)
          seen.add(`${step.operation} ${done}`)
          if (done) expect(after["audit"]?.length).toBe((before["audit"]?.length ?? 0) + 1)
          else expect(after).toEqual(before)
          expect(await knownTo(record, after)).toEqual(model.owners)
          before = after
        }
        expect(await record.verifyAudit()).toMatchObject({ ok: true })
      } finally {
        await record.close()
      }
    }),
    { numRuns: 25 },
  )
  // Of fourteen operations, each done and each refused, most: or the sequences lead nowhere.
  expect(seen.size).toBeGreaterThan(20)
})

/** Does a step to a record; what the record throws is a no as well. */
async function run(record: Record, step: Step): Promise<boolean> {
  const { operation, id, thing, count, hasPassword } = step
  const use = useOf(step)
  switch (operation) {
    case "invite":
      return record.addInvitation(invitation({ hash: thing }), audit()).then(
        () => true,
        () => false,
      )
    case "join": {
      const joining = owner({ id, name: id, password: hasPassword ? password({ lastStep: 0 }) : undefined })
      const made = { owner: joining, passkey: passkey(id, { id: thing }), codes: [`${id}/${thing}`] }
      return (await record.join(entry(invitation({ hash: thing }), made), audit())).kind === "joined"
    }
    case "removeOwner":
      return record.removeOwner(id, audit())
    case "addPasskey":
      return record.addPasskey(passkey(id, { id: thing, counter: count }), audit()).catch(() => false)
    case "removePasskey":
      return record.removePasskey(id, thing, audit())
    case "setPassword":
      return record.setPassword(id, password({ lastStep: count }), audit())
    case "setCodes":
      return record.setCodes(id, [`${id}/${thing}`], audit()).then(
        () => true,
        () => false,
      )
    case "endSessions":
      return (await record.endSessionsOf(id, undefined, audit())) > 0
    default:
      if (operation.startsWith("use")) return record.use(id, use, START, audit())
      return record.signIn(session(id), use, audit())
  }
}

function useOf({ operation, id, thing, count }: Step): CredentialUse {
  if (operation.endsWith("Totp")) return { kind: "totp", step: count }
  if (operation.endsWith("Code")) return { kind: "code", hash: `${id}/${thing}` }
  return { kind: "passkey", id: thing, counter: count }
}

async function knownTo(record: Record, tables: ReturnType<typeof dump>): Promise<Map<string, Known>> {
  const known = new Map<string, Known>()
  for (const { id, password: held } of await record.owners()) {
    const passkeys = new Map((await record.passkeysOf(id)).map((each) => [each.id, each.counter]))
    const sessions = (await record.sessionsOf(id)).length
    const codes = (tables["owner_code"] as { hash: string; owner_id: string }[]).flatMap((code) =>
      code.owner_id === id ? [code.hash] : [],
    )
    known.set(id, { hasPassword: held !== undefined, step: held?.lastStep ?? 0, codes, sessions, passkeys })
  }
  return known
}
