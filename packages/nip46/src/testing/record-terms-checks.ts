import type { Terms } from "../signer/ports.js"
import { equal } from "./assert.js"
import { activation, present, refused } from "./record-connection-checks.js"
import { START } from "./record-fixtures.js"
import type { RecordCheck } from "./record-subject.js"
import { reopened, unchanged } from "./record-subject.js"

/** What an owner gives and takes: terms, and rates to the use. */
export const termsChecks: readonly RecordCheck[] = [
  {
    title: "setTerms changes what it names and leaves the rest, and raises the revision",
    async run(subject, fixtures) {
      const { record } = subject
      const [first, second, third] = [
        fixtures.grant({ usesLeft: 4 }),
        fixtures.grant(),
        fixtures.grant({ rate: { uses: 2, seconds: 9 }, conditions: { host: "relay.example" } }),
      ]
      let expected = fixtures.active({ grants: [first, second], expiresAt: START + 9 })
      await record.createConnection(expected, fixtures.audit())
      const steps: readonly [Terms, Partial<typeof expected>][] = [
        [{ style: "hold" }, { style: "hold" }],
        [{ addGrants: [third] }, { grants: [first, second, third] }],
        [
          { removeGrants: [first.id, "nobody's"], style: "auth_url" },
          { grants: [second, third], style: "auth_url" },
        ],
        [{ expiresAt: START + 99 }, { expiresAt: START + 99 }],
        [{ removeGrants: [second.id], addGrants: [first, second] }, { grants: [third, first, second] }],
        [{ expiresAt: null }, { expiresAt: undefined }],
        [{ removeGrants: [third.id, first.id, second.id] }, { grants: [] }],
        [{ addGrants: [second] }, { grants: [second] }],
        [{}, {}],
      ]
      for (const [i, [terms, fields]] of steps.entries()) {
        const rows = await subject.auditCount?.()
        equal(await record.setTerms(expected.id, terms, fixtures.audit()), true, `setTerms ${i + 1}`)
        expected = { ...expected, ...fields, revision: expected.revision + 1 }
        equal(await present(record, expected), expected, `the connection after setTerms ${i + 1}`)
        if (rows !== undefined) equal(await subject.auditCount?.(), rows + 1, "audit rows")
      }
    },
  },
  {
    title: "setTerms is for live connections and offers, and for none that has ended",
    async run(subject, fixtures) {
      const { record } = subject
      for (const state of ["offered", "active", "paused", "revoked", "logged_out"] as const) {
        const connection = fixtures.offered({ state })
        await record.createConnection(connection, fixtures.audit())
        const terms = { style: "hold", addGrants: [fixtures.grant()], expiresAt: START + 5 } as const
        const set = () => record.setTerms(connection.id, terms, fixtures.audit())
        if (state === "revoked" || state === "logged_out") {
          equal(await unchanged(subject, set), false, state)
          continue
        }
        equal(await set(), true, state)
        const { addGrants: grants, style, expiresAt } = terms
        const expected = { ...connection, grants, style, expiresAt, revision: connection.revision + 1 }
        equal(await present(record, connection), expected, `the connection, ${state}`)
      }
      const nobodys = () => record.setTerms(fixtures.hex(), { style: "hold" }, fixtures.audit())
      equal(await unchanged(subject, nobodys), false, "one that nobody made")
    },
  },
  {
    title: "what was authorized before a change of terms is moved, and charges nothing that was taken away",
    async run(subject, fixtures) {
      const { record } = subject
      const connection = fixtures.active({ grants: [fixtures.grant({ id: "gone", usesLeft: 3 })] })
      await record.createConnection(connection, fixtures.audit())
      const [set, committed] = await Promise.all([
        record.setTerms(connection.id, { removeGrants: ["gone"] }, fixtures.audit()),
        record.commit(fixtures.entry(connection, { charges: ["gone"] })),
      ])
      equal([set, committed.kind], [true, "moved"], "setTerms, then commit")
      const changed = await present(record, connection)
      await refused(subject, changed, async () => [await record.commit(fixtures.entry(changed, { charges: ["gone"] }))])
    },
  },
  {
    title: "a hundred commits at once use a rate to the last use and no further",
    async run({ record }, fixtures) {
      const grants = [
        fixtures.grant({ id: "seven", rate: { uses: 7, seconds: 60 } }),
        fixtures.grant({ id: "both", rate: { uses: 9, seconds: 60 }, usesLeft: 8 }),
      ]
      const connection = fixtures.active({ grants })
      await record.createConnection(connection, fixtures.audit())
      const entries = Array.from({ length: 100 }, () => fixtures.entry(connection, { charges: ["seven", "both"] }))
      const results = await Promise.all(entries.map((entry) => record.commit(entry)))
      const count = (kind: string) => results.filter((result) => result.kind === kind).length
      equal([count("committed"), count("moved")], [7, 93], "committed and moved")
      const after = await present(record, connection)
      const recentUses = Array.from({ length: 7 }, () => START)
      const expected = [
        { ...grants[0], recentUses },
        { ...grants[1], recentUses, usesLeft: 1 },
      ]
      equal(after.grants, expected, "grants")
      equal(after.revision, connection.revision, "rates do not raise the revision")
      equal((await record.unanswered()).length, 7, "claims")
    },
  },
  {
    title: "a use counts for as many seconds as its rate says",
    async run(subject, fixtures) {
      const { record } = subject
      const connection = fixtures.active({ grants: [fixtures.grant({ id: "two", rate: { uses: 2, seconds: 60 } })] })
      await record.createConnection(connection, fixtures.audit())
      const at = (seconds: number) =>
        record.commit(fixtures.entry(connection, { charges: ["two"], receivedAt: START + seconds }))
      for (const seconds of [0, 10]) equal((await at(seconds)).kind, "committed", `after ${seconds} s`)
      const used = await present(record, connection)
      await refused(subject, used, async () => [await at(10), await at(60)])
      equal((await at(61)).kind, "committed", "once the first is too long ago")
      equal((await at(69)).kind, "moved", "while the second is not")
      equal((await present(record, connection)).grants[0]?.recentUses, [START + 10, START + 61], "recent uses")
      equal((await at(600)).kind, "committed", "much later")
      equal((await present(record, connection)).grants[0]?.recentUses, [START + 600], "recent uses, much later")
    },
  },
  {
    title: "where a rate or a counter beside it is used up, neither is charged",
    async run(subject, fixtures) {
      const { record } = subject
      const rate = { uses: 2, seconds: 60 }
      const grants = [
        fixtures.grant({ id: "free", rate }),
        fixtures.grant({ id: "full", rate, recentUses: [START - 9, START - 8] }),
        fixtures.grant({ id: "spent", rate, usesLeft: 0 }),
      ]
      const connection = fixtures.active({ grants })
      await record.createConnection(connection, fixtures.audit())
      await refused(subject, connection, async () => [
        await record.commit(fixtures.entry(connection, { charges: ["free", "full"] })),
        await record.commit(fixtures.entry(connection, { charges: ["free", "spent"] })),
        await record.commit(fixtures.entry(connection, { charges: ["free", "free", "free"] })),
      ])
      equal((await record.commit(fixtures.entry(connection, { charges: ["free", "free"] }))).kind, "committed", "two")
      const after = await present(record, connection)
      equal(after.grants, [{ ...grants[0], recentUses: [START, START] }, grants[1], grants[2]], "grants")
    },
  },
  {
    title: "styles, conditions, rates and terms outlive a restart",
    durable: true,
    async run(subject, fixtures) {
      const { record } = subject
      const rate = { uses: 3, seconds: 60 }
      const conditions = { host: "relay.example", action: "get", dPrefix: "", tags: [["t", "a"]] } as const
      const connection = fixtures.active({ style: "auth_url", grants: [fixtures.grant({ id: "three", rate })] })
      const offered = fixtures.offered({ style: "hold" })
      for (const each of [connection, offered]) await record.createConnection(each, fixtures.audit())
      for (const seconds of [0, 10])
        await record.commit(fixtures.entry(connection, { charges: ["three"], receivedAt: START + seconds }))
      const terms = { addGrants: [fixtures.grant({ conditions })], expiresAt: START + 900 }
      await record.setTerms(offered.id, terms, fixtures.audit())
      await record.commit(
        fixtures.entry(await present(record, offered), { effect: activation(offered, fixtures.hex()) }),
      )
      const before = await record.connections()

      const after = await reopened(subject)
      equal(await after.connections(), before, "the connections")
      const at = (seconds: number) =>
        after.commit(fixtures.entry(connection, { charges: ["three"], receivedAt: START + seconds }))
      equal((await at(59)).kind, "committed", "the third use")
      equal((await at(59)).kind, "moved", "a fourth")
    },
  },
]
