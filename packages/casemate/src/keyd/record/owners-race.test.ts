import { setImmediate as turn } from "node:timers/promises"
import { beforeEach, describe, expect, test } from "vitest"
import { createOwnerFixtures, dump, START } from "../../../test/support/owner-fixtures.js"
import { open, useRecordBench } from "../../../test/support/record-bench.js"
import type { CredentialUse, NewOwner } from "./owners-record.js"
import type { Record } from "./record.js"

/** Whoever comes at once: in one transaction, in several, and in one that fails and is taken apart. */

useRecordBench()

let record: Record
beforeEach(() => {
  record = open()
  return () => record.close()
})

const { audit, owner, passkey, session, invitation, entry, joined } = createOwnerFixtures()
const MANY = 60

type Race = <T>(runs: readonly (() => Promise<T>)[]) => Promise<T[]>

const races: readonly [string, Race][] = [
  ["in one turn", (runs) => Promise.all(runs.map((run) => run()))],
  ["turn by turn", (runs) => Promise.all(runs.map((run, i) => delayed(i, run)))],
  [
    "beside one that cannot be committed",
    async (runs) => {
      const running = runs.map((run) => run())
      const beyond = record.addInvitation(invitation({ createdAt: { not: "a number" } as never }), audit())
      await expect(beyond).rejects.toMatchObject({ code: "RECORD_FAILED" })
      return Promise.all(running)
    },
  ],
]

async function delayed<T>(turns: number, run: () => Promise<T>): Promise<T> {
  for (let i = 0; i < turns; i++) await turn()
  return run()
}

describe.each(races)("%s", (_, race) => {
  test("of sixty who join with one invitation exactly one does, and nothing of the others is left", async () => {
    const invited = invitation()
    await record.addInvitation(invited, audit())
    const entries = Array.from({ length: MANY }, () => entry(invited))
    const results = await race(entries.map((each) => () => record.join(each, audit())))
    const winners = entries.filter((__, i) => results[i]?.kind === "joined")
    expect(winners.length).toBe(1)
    expect(results.filter(({ kind }) => kind === "spent").length).toBe(MANY - 1)
    await expectOnly(winners)
    expect(await record.verifyAudit()).toMatchObject({ ok: true, head: { seq: 2 } })
  })

  test("of sixty who join with a name, each by an invitation of their own, one does, and the others keep theirs", async () => {
    const invited = Array.from({ length: MANY }, () => invitation())
    for (const each of invited) await record.addInvitation(each, audit())
    const spellings = ["alice", "Alice", "ALICE", "ａlice"]
    const entries = invited.map((each, i) => entry(each, { owner: owner({ name: spellings[i % 4] ?? "" }) }))
    const results = await race(entries.map((each) => () => record.join(each, audit())))
    const winners = entries.filter((__, i) => results[i]?.kind === "joined")
    expect(winners.length).toBe(1)
    await expectOnly(winners)
    const standing = await Promise.all(invited.map(({ hash }) => record.invitation(hash)))
    expect(standing.filter((each) => each !== undefined).length).toBe(MANY - 1)
  })

  const spent: [string, (made: NewOwner) => CredentialUse][] = [
    ["recovery code", ({ codes }) => ({ kind: "code", hash: codes[0] ?? "" })],
    ["code of an app", () => ({ kind: "totp", step: 500 })],
    ["answer of a passkey that counts", ({ passkey: key }) => ({ kind: "passkey", id: key?.id ?? "", counter: 9 })],
  ]
  test.each(spent)("of sixty who sign in or prove with one %s exactly one does", async (__, useOf) => {
    const made = await joined(record)
    const { id } = made.owner
    const use = useOf(made)
    const results = await race(
      Array.from({ length: MANY }, (___, i) => () => {
        if (i % 2 === 0) return record.signIn(session(id), use, audit())
        return record.use(id, use, START, audit())
      }),
    )
    expect(results.filter((done) => done).length).toBe(1)
    const isSignIn = results.indexOf(true) % 2 === 0
    expect((await record.sessionsOf(id)).length).toBe(isSignIn ? 2 : 1)
    expect(await record.verifyAudit()).toMatchObject({ ok: true, head: { seq: 3 } })
  })

  test("of sixty who take away both passkeys of somebody without a password one does, and a way in stays", async () => {
    const made = await joined(record, { owner: owner({ password: undefined }) })
    const { id } = made.owner
    const second = passkey(id)
    await record.addPasskey(second, audit())
    const keys = [made.passkey?.id ?? "", second.id]
    const results = await race(
      Array.from({ length: MANY }, (__, i) => () => record.removePasskey(id, keys[i % 2] ?? "", audit())),
    )
    expect(results.filter((done) => done).length).toBe(1)
    expect((await record.passkeysOf(id)).length).toBe(1)
  })

  test("who signs in while the owner is removed has no session afterwards", async () => {
    const { owner: gone, codes } = await joined(record)
    const runs = Array.from({ length: MANY }, (__, i) => () => {
      if (i === MANY / 2) return record.removeOwner(gone.id, audit())
      if (i % 3 === 0) return record.use(gone.id, { kind: "code", hash: codes[0] ?? "" }, START, audit())
      return record.signIn(session(gone.id), { kind: "totp", step: 500 + i }, audit())
    })
    const results = await race(runs)
    expect(results[MANY / 2]).toBe(true)
    expect(results.slice(MANY / 2 + 1).filter((done) => done)).toEqual([])
    await expectOnly([])
    expect(await record.verifyAudit()).toMatchObject({ ok: true })
  })
})

/** These owners and what they joined with, and nobody's else. */
async function expectOnly(made: readonly NewOwner[]): Promise<void> {
  const tables = dump()
  expect(await record.owners()).toEqual(made.map((each) => each.owner))
  expect([tables["owner_passkey"]?.length, tables["owner_session"]?.length]).toEqual([made.length, made.length])
  expect(tables["owner_code"]?.length).toBe(made.reduce((sum, { codes }) => sum + codes.length, 0))
}
