import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { beforeEach, describe, expect, test } from "vitest"
import { createOwnerFixtures, dump, START } from "../../../test/support/owner-fixtures.js"
import { folder, open, tamper, useRecordBench } from "../../../test/support/record-bench.js"
import type { CredentialUse, NewOwner } from "./owners-record.js"
import type { Record } from "./record.js"

useRecordBench()

let record: Record
beforeEach(() => {
  record = open()
  return () => record.close()
})

const fixtures = createOwnerFixtures()
const { hex, audit, password, owner, passkey, session, invitation, entry, signed, joined } = fixtures
const AT = START + 60

/** Runs what must be refused, and looks at the whole database before and after. */
async function unchanged<T>(refused: () => Promise<T>): Promise<T> {
  const before = dump()
  const result = await refused()
  expect(dump()).toEqual(before)
  return result
}

async function lastActions(limit: number): Promise<string[]> {
  return (await record.audit({ limit })).map(({ action }) => action)
}

describe("joining", () => {
  test("spends the invitation, and everything is there again after a restart", async () => {
    const invited = invitation()
    await record.addInvitation(invited, audit({ action: "invited" }))
    expect(await record.invitation(invited.hash)).toEqual(invited)
    const made = entry(invited)
    expect(await record.join(made, audit({ action: "joined" }))).toEqual({ kind: "joined" })
    expect(await lastActions(2)).toEqual(["invited", "joined"])
    await record.close()
    record = open()
    const { id, name } = made.owner
    expect(await record.invitation(invited.hash)).toBeUndefined()
    expect(await record.owners()).toEqual([made.owner])
    for (const known of [id, name, name.toUpperCase()]) expect(await record.owner(known)).toEqual(made.owner)
    expect(await record.passkey(made.passkey?.id ?? "")).toEqual(made.passkey)
    expect(await record.passkeysOf(id)).toEqual([made.passkey])
    expect(await record.codesLeft(id)).toBe(3)
    expect(await record.session(made.session.hash)).toEqual(made.session)
    expect(await record.sessionsOf(id)).toEqual([made.session])
  })

  test("without a password, and without a passkey", async () => {
    const withPasskey = await joined(record, { owner: owner({ password: undefined }) })
    const withPassword = await joined(record, { passkey: undefined, codes: [] })
    expect(await record.owners()).toEqual([withPasskey.owner, withPassword.owner])
    expect(await record.passkeysOf(withPassword.owner.id)).toEqual([])
    expect(await record.codesLeft(withPassword.owner.id)).toBe(0)
  })

  test("is refused without an invitation, with one that was used, and from the second on in which it is over", async () => {
    const invited = invitation({ expiresAt: START + 600 })
    expect(await unchanged(() => record.join(entry(invited), audit()))).toEqual({ kind: "spent" })
    await record.addInvitation(invited, audit())
    const late = entry(invited, { owner: owner({ createdAt: START + 600 }) })
    expect(await unchanged(() => record.join(late, audit()))).toEqual({ kind: "spent" })
    const last = entry(invited, { owner: owner({ createdAt: START + 599 }) })
    expect(await record.join(last, audit())).toEqual({ kind: "joined" })
    expect(await unchanged(() => record.join(entry(invited), audit()))).toEqual({ kind: "spent" })
  })

  test.each([
    ["Alice", "alice"],
    ["ÄNNE", "änne"],
    ["Zoe\u0301", "zo\u00e9"],
    ["ﬁona", "Fiona"],
    ["Ｂｏｂ", "bob"],
  ])("%s has the name that %s asks for, and the invitation stands", async (first, second) => {
    const { owner: holder } = await joined(record, { owner: owner({ name: first }) })
    const invited = invitation()
    await record.addInvitation(invited, audit())
    const asking = entry(invited, { owner: owner({ name: second }) })
    expect(await unchanged(() => record.join(asking, audit()))).toEqual({ kind: "taken", by: "name" })
    expect(await record.owner(second)).toEqual(holder)
    expect(await record.invitation(invited.hash)).toEqual(invited)
    const other = entry(invited, { owner: owner({ name: "carol" }) })
    expect(await record.join(other, audit())).toEqual({ kind: "joined" })
  })

  test("with a passkey that is another's is refused, and the invitation stands", async () => {
    const first = await joined(record)
    const invited = invitation()
    await record.addInvitation(invited, audit())
    const joining = owner()
    const stolen = entry(invited, { owner: joining, passkey: passkey(joining.id, { id: first.passkey?.id ?? "" }) })
    expect(await unchanged(() => record.join(stolen, audit()))).toEqual({ kind: "taken", by: "passkey" })
    expect(await record.join(entry(invited), audit())).toEqual({ kind: "joined" })
  })
})

describe("credentials", () => {
  test("a passkey is added once, belongs to an owner who is here, and is not the last way in that is removed", async () => {
    const { owner: mine, passkey: first } = await joined(record, { owner: owner({ password: undefined }) })
    const id = first?.id ?? ""
    expect(await unchanged(() => record.removePasskey(mine.id, id, audit()))).toBe(false)
    const second = passkey(mine.id, { transports: [], counter: 7, lastUsedAt: START })
    expect(await record.addPasskey(second, audit({ action: "added" }))).toBe(true)
    expect(await unchanged(() => record.addPasskey({ ...second, label: "other" }, audit()))).toBe(false)
    const nobodys = record.addPasskey(passkey(hex()), audit())
    await unchanged(() => expect(nobodys).rejects.toMatchObject({ code: "RECORD_FAILED" }))
    expect(await record.passkeysOf(mine.id)).toEqual([first, second])

    const other = await joined(record)
    expect(await unchanged(() => record.removePasskey(other.owner.id, id, audit()))).toBe(false)
    expect(await record.removePasskey(mine.id, id, audit({ action: "removed" }))).toBe(true)
    expect(await unchanged(() => record.removePasskey(mine.id, id, audit()))).toBe(false)
    expect(await unchanged(() => record.removePasskey(mine.id, second.id, audit()))).toBe(false)
    expect(await record.setPassword(mine.id, password(), audit())).toBe(true)
    expect(await record.removePasskey(mine.id, second.id, audit({ action: "removed" }))).toBe(true)
    expect(await record.passkeysOf(mine.id)).toEqual([])
    expect(await record.passkey(second.id)).toBeUndefined()
  })

  test("a password is set in place of the one before, with the step from which codes are taken", async () => {
    const { owner: mine } = await joined(record)
    const next = password({ lastStep: 50 })
    expect(await record.setPassword(mine.id, next, audit())).toBe(true)
    expect(await record.owner(mine.id)).toEqual({ ...mine, password: next })
    expect(await unchanged(() => record.setPassword(hex(), next, audit()))).toBe(false)
    expect(await record.use(mine.id, { kind: "totp", step: 51 }, AT)).toBe(true)
  })

  test("codes are set in place of those before, for an owner who is here", async () => {
    const { owner: mine, codes } = await joined(record)
    const fresh = [hex(), hex()]
    await record.setCodes(mine.id, fresh, audit())
    expect(await record.codesLeft(mine.id)).toBe(2)
    for (const hash of codes)
      expect(await unchanged(() => record.use(mine.id, { kind: "code", hash }, AT, audit()))).toBe(false)
    expect(await record.use(mine.id, { kind: "code", hash: fresh[0] ?? "" }, AT, audit())).toBe(true)
    expect(await record.codesLeft(mine.id)).toBe(1)
    const nobodys = record.setCodes(hex(), fresh, audit())
    await unchanged(() => expect(nobodys).rejects.toMatchObject({ code: "RECORD_FAILED" }))
  })

  test.each([
    { stored: 0, said: 0, holds: true },
    { stored: 0, said: 1, holds: true },
    { stored: 5, said: 6, holds: true },
    { stored: 5, said: 5, holds: false },
    { stored: 5, said: 4, holds: false },
    { stored: 5, said: 0, holds: false },
    { stored: 4_294_967_294, said: 4_294_967_295, holds: true },
  ])("a counter of $stored that says $said: $holds (WebAuthn §6.1.1)", async ({ stored, said, holds }) => {
    const { owner: mine } = await joined(record)
    const key = passkey(mine.id, { counter: stored })
    await record.addPasskey(key, audit())
    const use: CredentialUse = { kind: "passkey", id: key.id, counter: said }
    const run = () => record.use(mine.id, use, AT, audit())
    expect(await (holds ? run() : unchanged(run))).toBe(holds)
    const after = holds ? { counter: said, lastUsedAt: AT } : {}
    expect(await record.passkey(key.id)).toEqual({ ...key, ...after })
  })

  test("a code of an authenticator app is taken once, and none of a step before it", async () => {
    const { owner: mine } = await joined(record, { owner: owner({ password: password({ lastStep: 100 }) }) })
    const use = (step: number) => () => record.use(mine.id, { kind: "totp", step }, AT)
    for (const step of [99, 100]) expect(await unchanged(use(step))).toBe(false)
    expect(await use(102)()).toBe(true)
    for (const step of [101, 102]) expect(await unchanged(use(step))).toBe(false)
    expect(await record.owner(mine.id)).toMatchObject({ password: { lastStep: 102 } })
    const { owner: without } = await joined(record, { owner: owner({ password: undefined }) })
    expect(await unchanged(() => record.use(without.id, { kind: "totp", step: 5 }, AT, audit()))).toBe(false)
  })

  test("what is another owner's is not used up", async () => {
    const mine = await joined(record)
    const { owner: other } = await joined(record)
    const uses: CredentialUse[] = [
      { kind: "passkey", id: mine.passkey?.id ?? "", counter: 1 },
      { kind: "code", hash: mine.codes[0] ?? "" },
      { kind: "passkey", id: "nowhere", counter: 1 },
      { kind: "code", hash: hex() },
    ]
    for (const use of uses) {
      expect(await unchanged(() => record.use(other.id, use, AT, audit()))).toBe(false)
      expect(await unchanged(() => record.signIn(session(other.id), use, audit()))).toBe(false)
    }
    expect(await unchanged(() => record.use(hex(), { kind: "totp", step: 500 }, AT, audit()))).toBe(false)
  })

  test("a use is written down where an audit row comes with it", async () => {
    const { owner: mine } = await joined(record)
    await record.use(mine.id, { kind: "totp", step: 201 }, AT)
    expect(await lastActions(1)).toEqual(["owner.test"])
    await record.use(mine.id, { kind: "totp", step: 202 }, AT, audit({ action: "proof" }))
    expect(await lastActions(1)).toEqual(["proof"])
  })
})

describe("sessions", () => {
  test("begin with a credential that is used up by it", async () => {
    const { owner: mine, passkey: key, codes } = await joined(record)
    const id = key?.id ?? ""
    const [byPasskey, byPassword, byCode] = [
      session(mine.id, { createdAt: AT }),
      session(mine.id, { by: "password" }),
      session(mine.id, { by: "recovery" }),
    ]
    expect(await record.signIn(byPasskey, { kind: "passkey", id, counter: 3 }, audit())).toBe(true)
    expect(await record.passkey(id)).toMatchObject({ counter: 3, lastUsedAt: AT })
    expect(await record.signIn(byPassword, { kind: "totp", step: 300 }, audit())).toBe(true)
    const use: CredentialUse = { kind: "code", hash: codes[1] ?? "" }
    expect(await record.signIn(byCode, use, audit({ action: "recovered" }))).toBe(true)
    expect(await record.codesLeft(mine.id)).toBe(2)
    expect((await record.sessionsOf(mine.id)).slice(1)).toEqual([byPasskey, byPassword, byCode])
    expect(await lastActions(1)).toEqual(["recovered"])
    expect(await unchanged(() => record.signIn(session(mine.id), use, audit()))).toBe(false)
  })

  test("one that cannot be written leaves its credential", async () => {
    const { owner: mine, session: held, codes } = await joined(record)
    const use: CredentialUse = { kind: "code", hash: codes[0] ?? "" }
    const twice = record.signIn(session(mine.id, { hash: held.hash }), use, audit())
    await unchanged(() => expect(twice).rejects.toMatchObject({ code: "RECORD_FAILED" }))
    expect(await record.signIn(session(mine.id), use, audit())).toBe(true)
  })

  test("of one owner the newest twenty stay, and others keep theirs", async () => {
    const mine = await joined(record)
    const other = await joined(record)
    const begun = Array.from({ length: 25 }, () => session(mine.owner.id))
    for (const [i, each] of begun.entries())
      expect(await record.signIn(each, { kind: "totp", step: 200 + i }, audit())).toBe(true)
    expect(await record.sessionsOf(mine.owner.id)).toEqual(begun.slice(5))
    expect(await record.session(mine.session.hash)).toBeUndefined()
    expect(await record.sessionsOf(other.owner.id)).toEqual([other.session])
  })

  test("end one by one, all but one, and all", async () => {
    const mine = await joined(record)
    const other = await joined(record)
    const { id } = mine.owner
    const more = Array.from({ length: 3 }, () => session(id))
    for (const [i, each] of more.entries()) await record.signIn(each, { kind: "totp", step: 200 + i }, audit())
    await record.endSession(mine.session.hash)
    await record.endSession(hex())
    expect(await record.sessionsOf(id)).toEqual(more)
    const kept = more[1]?.hash
    expect(await record.endSessionsOf(id, kept, audit({ action: "others ended" }))).toBe(2)
    expect(await lastActions(1)).toEqual(["others ended"])
    expect(await record.sessionsOf(id)).toEqual([more[1]])
    expect(await unchanged(() => record.endSessionsOf(id, kept, audit()))).toBe(0)
    // One that is another's protects nothing.
    expect(await record.endSessionsOf(id, other.session.hash, audit())).toBe(1)
    expect(await record.sessionsOf(other.owner.id)).toEqual([other.session])
    expect(await record.endSessionsOf(other.owner.id, undefined, audit())).toBe(1)
    expect(await record.sessionsOf(other.owner.id)).toEqual([])
  })
})

describe("an owner who is removed", () => {
  test("leaves no secret in the files, and the others theirs", async () => {
    const made: NewOwner[] = []
    for (let i = 0; i < 40; i++) made.push(await joined(record))
    const [gone, kept] = [made.slice(0, 20), made.slice(20)]
    const canaries = (each: NewOwner): Buffer[] => [
      Buffer.from(each.owner.password?.hash ?? ""),
      Buffer.from(each.owner.password?.totp ?? []),
      Buffer.from(each.passkey?.publicKey ?? []),
      ...[...each.codes, each.session.hash].map((text) => Buffer.from(text)),
    ]
    const found = (of: readonly NewOwner[]): number => {
      const files = readdirSync(folder).map((name) => readFileSync(join(folder, name)))
      return of.flatMap(canaries).filter((canary) => files.some((file) => file.includes(canary))).length
    }
    expect(found(made)).toBe(40 * 7)
    for (const { owner: each } of gone) {
      expect(await record.removeOwner(each.id, audit({ action: "removed", param: each.name }))).toBe(true)
      expect(await unchanged(() => record.removeOwner(each.id, audit()))).toBe(false)
      expect(await record.owner(each.name)).toBeUndefined()
    }
    expect(found(gone)).toBe(0)
    expect(found(kept)).toBe(20 * 7)
    expect(await record.owners()).toEqual(kept.map((each) => each.owner))
    const { owner_passkey: keys, owner_code: codes, owner_session: sessions } = dump()
    expect([keys?.length, codes?.length, sessions?.length]).toEqual([20, 60, 20])
    expect(await record.verifyAudit()).toMatchObject({ ok: true })
  })

  test("has a name and passkeys that others may have then", async () => {
    const first = await joined(record, { owner: owner({ name: "alice" }) })
    await record.removeOwner(first.owner.id, audit())
    const next = owner({ name: "Alice" })
    const made = await joined(record, { owner: next, passkey: passkey(next.id, { id: first.passkey?.id ?? "" }) })
    expect(await record.owner("alice")).toEqual(next)
    expect(await record.passkeysOf(next.id)).toEqual([made.passkey])
  })
})

test("a password that was replaced is gone from the files, with what its app knew", async () => {
  const { owner: mine } = await joined(record)
  const { hash = "", totp = new Uint8Array() } = mine.password ?? {}
  const isStored = () =>
    readdirSync(folder).some((name) => {
      const file = readFileSync(join(folder, name))
      return file.includes(hash) || file.includes(Buffer.from(totp))
    })
  expect(isStored()).toBe(true)
  await record.setPassword(mine.id, password(), audit())
  expect(isStored()).toBe(false)
})

describe("what was signed last", () => {
  const addKey = async (name = "mine") => {
    const pubkey = hex()
    await record.addUserKey({ name, pubkey, sealed: Uint8Array.of(1), createdAt: START }, audit())
    return pubkey
  }

  test("stays until a later one comes, or one of the same second", async () => {
    const pubkey = await addKey()
    const first = signed(pubkey)
    expect(await record.lastSigned(first.slot)).toBeUndefined()
    await record.setLastSigned(first)
    expect(await record.lastSigned(first.slot)).toEqual(first.sealed)
    const same = signed(pubkey, { slot: first.slot })
    await record.setLastSigned(same)
    expect(await record.lastSigned(first.slot)).toEqual(same.sealed)
    await unchanged(() => record.setLastSigned(signed(pubkey, { slot: first.slot, createdAt: START - 1 })))
    const later = signed(pubkey, { slot: first.slot, createdAt: START + 1 })
    await Promise.all([record.setLastSigned(later), record.setLastSigned(signed(pubkey, { slot: first.slot }))])
    expect(await record.lastSigned(first.slot)).toEqual(later.sealed)
  })

  test("rides in the next commit, and waits for none", async () => {
    const transactions: number[] = []
    await record.close()
    record = open({ onCommit: (writes) => transactions.push(writes) })
    const pubkey = await addKey()
    transactions.length = 0
    const riding = record.setLastSigned(signed(pubkey))
    await record.note(audit())
    await riding
    expect(transactions).toEqual([2])
    await record.setLastSigned(signed(pubkey))
    expect(transactions).toEqual([2, 1])
  })

  test("goes with its key, also what comes in after it", async () => {
    const [gone, kept] = [await addKey("gone"), await addKey("kept")]
    const [one, two, other] = [signed(gone), signed(gone), signed(kept)]
    for (const each of [one, two, other]) await record.setLastSigned(each)
    const removing = record.removeUserKey(gone, audit())
    const late = record.setLastSigned(signed(gone, { slot: one.slot }))
    expect(await removing).toMatchObject({ kind: "removed" })
    await late
    for (const { slot } of [one, two]) expect(await record.lastSigned(slot)).toBeUndefined()
    expect(await record.lastSigned(other.slot)).toEqual(other.sealed)
    const files = readdirSync(folder).map((name) => readFileSync(join(folder, name)))
    expect(files.some((file) => file.includes(Buffer.from(one.sealed)))).toBe(false)
  })
})

describe("purging", () => {
  test("takes sessions and invitations that are over, and no others", async () => {
    const { owner: mine } = await joined(record)
    const [over, open] = [session(mine.id, { expiresAt: AT }), session(mine.id, { expiresAt: AT + 1 })]
    for (const [i, each] of [over, open].entries()) await record.signIn(each, { kind: "totp", step: 200 + i }, audit())
    const [spent, valid] = [invitation({ expiresAt: AT }), invitation({ expiresAt: AT + 1 })]
    for (const each of [spent, valid]) await record.addInvitation(each, audit())
    await unchanged(() => record.purge(AT - 1))
    expect(await record.session(over.hash)).toEqual(over)
    await record.purge(AT)
    expect(await record.session(over.hash)).toBeUndefined()
    expect(await record.invitation(spent.hash)).toBeUndefined()
    expect(await record.session(open.hash)).toEqual(open)
    expect(await record.invitation(valid.hash)).toEqual(valid)
    await unchanged(() => record.purge(AT))
  })

  test("a backlog goes in slices, and of what was signed last the newest ten thousand slots stay", async () => {
    const transactions: number[] = []
    const { owner: mine } = await joined(record)
    await record.close()
    tamper(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 11300)
      INSERT INTO last_signed (slot, user_pubkey, created_at, sealed) SELECT 'slot' || i, 'user', 90000 - i, x'00' FROM n`)
    tamper(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1300)
      INSERT INTO owner_invitation SELECT 'invited' || i, 1, 2 FROM n`)
    tamper(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 900)
      INSERT INTO owner_session SELECT NULL, 'session' || i, '${mine.id}', 'passkey', 1, 2 FROM n`)
    record = open({ onCommit: (writes) => transactions.push(writes) })
    await record.purge(START)
    expect(transactions.length).toBe(3)
    const { owner_invitation: invitations, owner_session: sessions, last_signed: slots } = dump()
    expect([invitations?.length, sessions?.length, slots?.length]).toEqual([0, 1, 10_000])
    for (const [slot, stays] of Object.entries({ slot1300: false, slot1301: true, slot11300: true }))
      expect((await record.lastSigned(slot)) !== undefined).toBe(stays)
  })
})
