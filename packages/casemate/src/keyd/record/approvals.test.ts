import type { ClaimEntry, DecisionEntry } from "@casemate/nip46/signer"
import { createFixtures } from "@casemate/nip46/testing"
import { expect, test } from "vitest"
import { open, useRecordBench } from "../../../test/support/record-bench.js"

const START = 1_700_000_000

useRecordBench()

/** Approves what waits. */
function decision({ connectionId, approval }: ClaimEntry, fields: Partial<DecisionEntry> = {}): DecisionEntry {
  return {
    connectionId,
    ids: [approval?.id ?? ""],
    from: "pending",
    to: "approved",
    verdict: { kind: "allow", decidedAt: START },
    at: START,
    terms: undefined,
    charged: undefined,
    audit: createFixtures().audit(),
    ...fields,
  }
}

test("one that cannot be written takes its claim and what it charged with it", async () => {
  const record = open()
  const { active, grant, audit, waiting } = createFixtures()
  const connection = active({ grants: [grant({ id: "counted", usesLeft: 2 })] })
  await record.createConnection(connection, audit())
  const first = waiting(connection, { id: "same" })
  const second = waiting(connection, { id: "same" }, { charges: ["counted"] })
  expect(await record.commit(first)).toEqual({ kind: "committed" })
  await expect(record.commit(second)).rejects.toMatchObject({ code: "RECORD_FAILED" })
  expect(await record.recall(second.eventId, second.repeatKey, START)).toEqual({ kind: "new" })
  expect(await record.connection(connection.remoteSignerPubkey)).toMatchObject({ grants: [{ usesLeft: 2 }] })
  expect(await record.approval("same")).toMatchObject({ claim: { eventId: first.eventId } })
  expect(await record.verifyAudit()).toMatchObject({ ok: true, head: { seq: 2 } })
  await record.close()
})

test("a decision whose grant cannot be made decides nothing", async () => {
  const record = open()
  const { active, grant, audit, waiting } = createFixtures()
  const connection = active({ grants: [grant({ id: "one" })] })
  await record.createConnection(connection, audit())
  const entry = waiting(connection)
  await record.commit(entry)
  const decide = (id: string) => record.decide(decision(entry, { terms: { addGrants: [grant({ id })] } }))
  await expect(decide("one")).rejects.toMatchObject({ code: "RECORD_FAILED" })
  const pending = { state: "pending", claim: { verdict: { kind: "ask" } } }
  expect(await record.approval(entry.approval.id)).toMatchObject(pending)
  expect(await decide("two")).toMatchObject({ kind: "decided" })
  await record.close()
})

test("what waits for a key that is removed is approved no more, and expires", async () => {
  const record = open()
  const { hex, active, audit, waiting } = createFixtures()
  const pubkey = hex()
  await record.addUserKey({ name: "gone", pubkey, sealed: Uint8Array.of(1), createdAt: 5 }, audit())
  const connection = active({ userPubkey: pubkey })
  await record.createConnection(connection, audit())
  const entry = waiting(connection)
  await record.commit(entry)
  expect(await record.removeUserKey(pubkey, audit())).toEqual({ kind: "removed", revoked: [connection.id] })
  expect(await record.decide(decision(entry))).toEqual({ kind: "gone" })
  const verdict = { kind: "deny", reason: "nobody decided in time" } as const
  expect(await record.decide(decision(entry, { to: "expired", verdict }))).toMatchObject({ kind: "decided" })
  await record.close()
})

test("a backlog is purged in slices with its approvals", async () => {
  const record = open()
  const { active, audit, waiting } = createFixtures()
  const connection = active()
  await record.createConnection(connection, audit())
  const entries = Array.from({ length: 1_100 }, () =>
    waiting(connection, { maxOfConnection: 2_000, maxWaiting: 2_000 }),
  )
  await Promise.all(entries.map((each) => record.commit(each)))
  await record.purge(START + 24 * 60 * 60 + 1)
  expect(await record.approvals("pending")).toEqual([])
  expect(await record.recall(entries[0]?.eventId ?? "", "", START)).toEqual({ kind: "stale" })
  await record.close()
})
