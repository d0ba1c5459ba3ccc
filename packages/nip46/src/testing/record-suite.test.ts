import { describe, expect, test } from "vitest"
import { checkLeaks } from "../../test/support/leaks.js"
import { createMemoryRecord } from "../signer/memory-record.js"
import type { SignerRecord } from "../signer/ports.js"
import { recordChecks, recordSuite } from "./index.js"
import { createFixtures } from "./record-fixtures.js"

checkLeaks()

/** Breaks one rule of the contract. */
type Fault = (record: SignerRecord) => Partial<SignerRecord>

const FAULTS: Record<string, Fault> = {
  "charges nobody": (record) => ({ commit: (entry) => record.commit({ ...entry, charges: [] }) }),
  "ignores the revision": (record) => ({
    async commit(entry) {
      const connection = (await record.connections()).find((c) => c.id === entry.connectionId)
      return await record.commit({ ...entry, expectedRevision: connection?.revision ?? entry.expectedRevision })
    },
  }),
  "redeems whatever secret": (record) => ({
    async commit(entry) {
      const secretHash = (await record.connections()).find((c) => c.id === entry.connectionId)?.secretHash
      const { effect } = entry
      if (effect?.kind !== "activate" || secretHash === undefined) return await record.commit(entry)
      return await record.commit({ ...entry, effect: { ...effect, secretHash } })
    },
  }),
  "never purges": () => ({ purge: async () => {} }),
  "purges everything": (record) => ({ purge: () => record.purge(Number.MAX_SAFE_INTEGER) }),
  "forgets answers": () => ({ answer: async () => {} }),
  "knows no repeats": (record) => {
    let count = 0
    return { commit: (entry) => record.commit({ ...entry, repeatKey: `${entry.repeatKey}${count++}` }) }
  },
  "lets the dead rise": (record) => ({
    setState: async (id, state, audit) => (await record.setState(id, state, audit)) || true,
  }),
  "orders nothing": (record) => ({ unanswered: async () => [...(await record.unanswered())].reverse() }),
  "rates nobody": (record) => ({
    createConnection: (connection, audit) =>
      record.createConnection(
        { ...connection, grants: connection.grants.map((grant) => ({ ...grant, rate: undefined })) },
        audit,
      ),
  }),
  "is never crowded": (record) => ({
    commit: ({ approval, ...entry }) =>
      record.commit({
        ...entry,
        approval: approval && { ...approval, maxScopes: 1_000, maxOfConnection: 1_000, maxWaiting: 1_000 },
      }),
  }),
  "keeps approvals without a claim": (record) => ({
    commit: (entry) => record.commit({ ...entry, approval: undefined }),
  }),
  "lists all approvals for each": (record) => ({ approvals: (state) => record.approvals(state) }),
  "executes what waits": (record) => ({
    unanswered: async () => [
      ...(await record.unanswered()),
      ...(await record.approvals("pending")).map(({ claim }) => claim),
    ],
  }),
  "decides whatever was decided": (record) => ({
    async decide(entry) {
      const result = await record.decide(entry)
      return result.kind === "gone" ? { kind: "decided", claims: [] } : result
    },
  }),
  "charges no decision": (record) => ({ decide: (entry) => record.decide({ ...entry, charged: undefined }) }),
  "forgets the grant of a decision": (record) => ({
    decide: (entry) => record.decide({ ...entry, terms: undefined }),
  }),
  "forgets challenges": () => ({ challenge: async () => {} }),
  "takes no grant away": (record) => ({
    setTerms: (id, terms, audit) => record.setTerms(id, { ...terms, removeGrants: [] }, audit),
  }),
  "recalls nothing": () => ({ recall: async () => ({ kind: "new" }) }),
}

describe("the memory record", () => {
  recordSuite({
    test,
    durable: false,
    create() {
      const record = createMemoryRecord()
      return { record, auditCount: async () => record.audit.length, close() {} }
    },
  })
})

describe("the suite", () => {
  test.each(Object.entries(FAULTS))("notices a record that %s", async (_, fault) => {
    const failed: string[] = []
    for (const check of recordChecks.filter((each) => each.durable !== true)) {
      const sound = createMemoryRecord()
      const record = { ...sound, ...fault(sound) }
      await check.run({ record, close() {} }, createFixtures()).catch(() => failed.push(check.title))
    }
    expect(failed).not.toEqual([])
  })

  test("has a title for every check, and no two are the same", () => {
    const titles = recordChecks.map((check) => check.title)
    expect(titles.length).toBeGreaterThan(25)
    expect(new Set(titles).size).toBe(titles.length)
  })

  test("leaves the durable checks to durable records", () => {
    const registered = (durable: boolean): string[] => {
      const titles: string[] = []
      recordSuite({
        durable,
        test: (title) => titles.push(title),
        create: () => ({ record: createMemoryRecord(), close() {} }),
      })
      return titles
    }
    expect(registered(true)).toEqual(recordChecks.map((check) => check.title))
    expect(registered(false).length).toBe(recordChecks.filter((check) => check.durable !== true).length)
  })
})
