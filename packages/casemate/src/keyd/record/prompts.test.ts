import type { ClaimEntry, Connection, DecisionEntry } from "@casemate/nip46/signer"
import { createFixtures } from "@casemate/nip46/testing"
import { expect, test } from "vitest"
import { open, useRecordBench } from "../../../test/support/record-bench.js"
import type { Record } from "./record.js"

const START = 1_700_000_000
const ROOM = { maxScopes: 1_000, maxOfConnection: 1_000, maxWaiting: 1_000 }

useRecordBench()

const { active, audit, waiting, hex } = createFixtures()

async function asked(record: Record, connection: Connection, fields: object, receivedAt = START): Promise<ClaimEntry> {
  const entry = waiting(connection, { ...ROOM, ...fields }, { receivedAt })
  expect((await record.commit(entry)).kind).toBe("committed")
  return entry
}

async function end(record: Record, { connectionId, approval }: ClaimEntry, to: DecisionEntry["to"]): Promise<void> {
  const result = await record.decide({
    connectionId,
    ids: [approval?.id ?? ""],
    from: "pending",
    to,
    verdict: { kind: "deny", reason: "no" },
    at: START,
    terms: undefined,
    charged: undefined,
    audit: audit(),
  })
  expect(result.kind).toBe("decided")
}

test("what waits for owners is one prompt for each scope of an app, the oldest first, and none of those that are shut out", async () => {
  const record = open()
  const [one, other, paused] = [active(), active(), active()]
  for (const connection of [one, other, paused]) await record.createConnection(connection, audit())
  const oldest = await asked(record, one, { id: "b1", scope: "notes", method: "sign_event", param: "1" }, START)
  await asked(record, other, { scope: "notes" }, START + 1)
  const likes = await asked(record, one, { scope: "likes", param: "7", deadline: START + 60 }, START + 2)
  await asked(record, one, { scope: "notes" }, START + 3)
  await asked(record, paused, { scope: "notes" }, START - 5)
  await end(record, await asked(record, one, { scope: "denied" }, START - 9), "denied")
  await end(record, await asked(record, one, { scope: "late" }, START - 9), "expired")
  await record.setState(paused.id, "paused", audit())

  const { total, prompts } = await record.prompts(10)
  expect(total).toBe(3)
  expect(prompts.map(({ connectionId, count }) => [connectionId, count])).toEqual([
    [one.id, 2],
    [other.id, 1],
    [one.id, 1],
  ])
  expect(prompts[0]).toMatchObject({ id: "b1", method: "sign_event", param: "1", state: "pending", receivedAt: START })
  expect(prompts[2]).toMatchObject({ id: likes.approval?.id, param: "7", deadline: START + 60, receivedAt: START + 2 })
  expect(await record.prompts(1)).toEqual({ total: 3, prompts: prompts.slice(0, 1) })

  await end(record, oldest, "approved")
  expect((await record.prompts(10)).prompts.map(({ count }) => count)).toEqual([1, 1, 1])
  await record.close()
})

test("an approval is found by a beginning of its id while it can be decided", async () => {
  const record = open()
  const [connection, paused] = [active(), active()]
  for (const each of [connection, paused]) await record.createConnection(each, audit())
  await asked(record, connection, { id: "aa00", scope: "1" })
  await asked(record, connection, { id: "aaff", scope: "2" })
  await asked(record, connection, { id: "ab00", scope: "3" })
  await end(record, await asked(record, connection, { id: "aa01", scope: "4", deadline: START + 60 }), "expired")
  await end(record, await asked(record, connection, { id: "aa02", scope: "5" }), "approved")
  await asked(record, paused, { id: "aa03", scope: "6" })
  await record.setState(paused.id, "paused", audit())

  expect(await record.findApprovals("aa", START)).toEqual(["aa00", "aa01", "aaff"])
  expect(await record.findApprovals("aa", START + 60)).toEqual(["aa00", "aaff"])
  expect(await record.findApprovals("aaf", START)).toEqual(["aaff"])
  expect(await record.findApprovals("aa00", START)).toEqual(["aa00"])
  expect(await record.findApprovals("ac", START)).toEqual([])
  await Promise.all(
    Array.from({ length: 12 }, (_, n) => asked(record, connection, { id: `cc${hex()}`, scope: `c${n}` })),
  )
  expect(await record.findApprovals("cc", START)).toHaveLength(10)
  await record.close()
})
