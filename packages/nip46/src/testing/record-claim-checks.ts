import type { Claim, SignerRecord } from "../signer/ports.js"
import { check, equal } from "./assert.js"
import { present, refused } from "./record-connection-checks.js"
import { START } from "./record-fixtures.js"
import type { RecordCheck } from "./record-subject.js"
import { reopened } from "./record-subject.js"

/** Claims: one effect for one request, exact counters, whole or not at all. */
export const claimChecks: readonly RecordCheck[] = [
  {
    title: "an event is claimed once: again it is a duplicate, with what was stored",
    async run(subject, fixtures) {
      const { record } = subject
      const connection = fixtures.active()
      await record.createConnection(connection, fixtures.audit())
      const verdict = { kind: "deny", reason: "no grant allows sign_event:4" } as const
      const entry = fixtures.entry(connection, { verdict, receivedAt: START + 3 })
      const { eventId, repeatKey, event } = entry
      equal(await record.recall(eventId, repeatKey, START), { kind: "new" }, "before")
      equal(await record.commit(entry), { kind: "committed" }, "the first time")
      const rows = await subject.auditCount?.()
      const claim: Claim = {
        eventId,
        connectionId: connection.id,
        event,
        verdict,
        receivedAt: START + 3,
        answer: undefined,
      }
      equal(await record.commit(entry), { kind: "duplicate", claim }, "the second time")
      equal(await record.recall(eventId, fixtures.hex(), START), { kind: "duplicate", claim }, "recall")
      equal(await subject.auditCount?.(), rows, "audit rows")
    },
  },
  {
    title: "of many deliveries of one event at once exactly one is committed",
    async run({ record }, fixtures) {
      const connection = fixtures.active()
      await record.createConnection(connection, fixtures.audit())
      const entry = fixtures.entry(connection)
      const results = await Promise.all(Array.from({ length: 40 }, () => record.commit(entry)))
      equal(count(results, "committed"), 1, "committed")
      equal(count(results, "duplicate"), 39, "duplicates")
    },
  },
  {
    title: "the same request in another event is a repeat; the same request id with other content is new",
    async run({ record }, fixtures) {
      const connection = fixtures.active()
      await record.createConnection(connection, fixtures.audit())
      const first = fixtures.entry(connection)
      await record.commit(first)
      const second = fixtures.entry(connection, { repeatKey: first.repeatKey })
      const claim = (await record.unanswered())[0]
      equal(await record.recall(second.eventId, second.repeatKey, START), { kind: "repeat", claim }, "recall")
      equal(await record.commit(second), { kind: "repeat", claim }, "commit")
      equal((await record.recall(second.eventId, fixtures.hex(), START)).kind, "new", "the repeat leaves no claim")
      equal((await record.commit(fixtures.entry(connection))).kind, "committed", "another digest")
    },
  },
  {
    title: "a revision that rose moves the commit, and nothing is written",
    async run(subject, fixtures) {
      const { record } = subject
      const connection = fixtures.active({ grants: [fixtures.grant({ id: "counted", usesLeft: 5 })] })
      await record.createConnection(connection, fixtures.audit())
      await record.setState(connection.id, "paused", fixtures.audit())
      const entry = fixtures.entry(connection, { charges: ["counted"] })
      await refused(subject, connection, async () => [await record.commit(entry)])
      equal((await record.recall(entry.eventId, entry.repeatKey, START)).kind, "new", "its claim")
      const current = await present(record, connection)
      const again = { ...entry, expectedRevision: current.revision }
      equal((await record.commit(again)).kind, "committed", "at the current revision")
    },
  },
  {
    title: "a hundred commits at once spend seven uses exactly",
    async run({ record }, fixtures) {
      const grants = [fixtures.grant({ id: "seven", usesLeft: 7 }), fixtures.grant({ id: "other", usesLeft: 7 })]
      const connection = fixtures.active({ grants })
      await record.createConnection(connection, fixtures.audit())
      const entries = Array.from({ length: 100 }, () => fixtures.entry(connection, { charges: ["seven"] }))
      const results = await Promise.all(entries.map((entry) => record.commit(entry)))
      equal([count(results, "committed"), count(results, "moved")], [7, 93], "committed and moved")
      const after = await present(record, connection)
      equal(
        after.grants.map((grant) => grant.usesLeft),
        [0, 7],
        "uses left",
      )
      equal(after.revision, connection.revision, "counters do not raise the revision")
      equal((await record.unanswered()).length, 7, "claims")
    },
  },
  {
    title: "when one of several grants is spent, unknown or another connection's, none is charged",
    async run(subject, fixtures) {
      const { record } = subject
      const theirs = fixtures.active({ grants: [fixtures.grant({ id: "theirs", usesLeft: 9 })] })
      const grants = [
        fixtures.grant({ id: "many", usesLeft: 9 }),
        fixtures.grant({ id: "one", usesLeft: 1 }),
        fixtures.grant({ id: "spent", usesLeft: 0 }),
        fixtures.grant({ id: "unlimited", expiresAt: START - 1_000 }),
      ]
      const connection = fixtures.active({ grants })
      for (const each of [theirs, connection]) await record.createConnection(each, fixtures.audit())
      await refused(subject, connection, async () => [
        await record.commit(fixtures.entry(connection, { charges: ["many", "spent"] })),
        await record.commit(fixtures.entry(connection, { charges: ["many", "nobody's"] })),
        await record.commit(fixtures.entry(connection, { charges: ["many", "theirs"] })),
        await record.commit(fixtures.entry(connection, { charges: ["many", "one", "one"] })),
      ])
      // Whether a grant has expired is for authorize() to say; the record counts.
      const entry = fixtures.entry(connection, { charges: ["many", "one", "unlimited"] })
      equal((await record.commit(entry)).kind, "committed", "all have one left")
      equal(
        (await present(record, connection)).grants.map((grant) => grant.usesLeft),
        [8, 0, 0, undefined],
        "uses left",
      )
      equal((await present(record, theirs)).grants[0]?.usesLeft, 9, "the other connection's grant")
    },
  },
  {
    title: "a commit that moves takes nothing from those beside it",
    async run({ record }, fixtures) {
      const connection = fixtures.active({ grants: [fixtures.grant({ id: "one", usesLeft: 1 })] })
      await record.createConnection(connection, fixtures.audit())
      const results = await Promise.all([
        record.commit(fixtures.entry(connection, { charges: ["one"] })),
        record.commit(fixtures.entry(connection, { charges: ["one"] })),
        record.commit(fixtures.entry(connection)),
        record.commit(fixtures.entry(connection, { expectedRevision: 99 })),
        record.commit(fixtures.entry(connection)),
      ])
      equal(
        results.map((result) => result.kind),
        ["committed", "moved", "committed", "moved", "committed"],
        "each for itself",
      )
    },
  },
  {
    title: "an answer is recalled, for the event and for the request, and a later one takes its place",
    async run({ record }, fixtures) {
      const connection = fixtures.active()
      await record.createConnection(connection, fixtures.audit())
      const entry = fixtures.entry(connection)
      await record.commit(entry)
      const [first, second] = [fixtures.event(START + 1), fixtures.event(START + 60)]
      for (const answer of [first, second]) {
        await record.answer(entry.eventId, answer)
        equal(await answerOf(record, entry.eventId, fixtures.hex()), ["duplicate", answer], "the event")
        equal(await answerOf(record, fixtures.hex(), entry.repeatKey), ["repeat", answer], "the request")
      }
      const repeated = await record.commit(fixtures.entry(connection, { repeatKey: entry.repeatKey }))
      check(repeated.kind === "repeat", "a repeat is not committed")
      equal(repeated.claim.answer, second, "the answer that a repeat gets")
      await record.answer(fixtures.hex(), first)
      equal((await record.answeredSince(0)).length, 1, "an answer without a claim is dropped")
    },
  },
  {
    title: "an answer that nobody awaited is recalled at once, and is there after the next commit",
    async run({ record }, fixtures) {
      const connection = fixtures.active()
      await record.createConnection(connection, fixtures.audit())
      const entry = fixtures.entry(connection)
      await record.commit(entry)
      const answer = fixtures.event(START + 1)
      const recorded = record.answer(entry.eventId, answer)
      equal(await answerOf(record, fixtures.hex(), entry.repeatKey), ["repeat", answer], "a repeat meanwhile")
      await record.commit(fixtures.entry(connection))
      await recorded
      equal(
        (await record.answeredSince(START + 1)).map((claim) => claim.answer),
        [answer],
        "what is stored",
      )
    },
  },
  {
    title: "unanswered and answeredSince are complete and oldest first",
    async run({ record }, fixtures) {
      const connection = fixtures.active()
      await record.createConnection(connection, fixtures.audit())
      const received = [30, 10, 20, 40, 50]
      const entries = received.map((after) => fixtures.entry(connection, { receivedAt: START + after }))
      for (const entry of entries) await record.commit(entry)
      const ids = (claims: readonly Claim[]) => claims.map((claim) => claim.receivedAt - START)
      equal(ids(await record.unanswered()), [10, 20, 30, 40, 50], "unanswered")
      const answered = [200, 100, 300]
      for (const [i, after] of answered.entries()) {
        await record.answer(entries[i]?.eventId ?? "", fixtures.event(START + after))
      }
      equal(ids(await record.unanswered()), [40, 50], "unanswered after three answers")
      equal(ids(await record.answeredSince(0)), [10, 30, 20], "answered, by the time of the answer")
      equal(ids(await record.answeredSince(START + 200)), [30, 20], "answered since")
      equal(ids(await record.answeredSince(START + 301)), [], "answered since the last")
    },
  },
  {
    title: "claims, answers and counters outlive a restart",
    durable: true,
    async run(subject, fixtures) {
      const { record } = subject
      const connection = fixtures.active({ grants: [fixtures.grant({ id: "two", usesLeft: 2 })] })
      await record.createConnection(connection, fixtures.audit())
      const [first, second] = [
        fixtures.entry(connection, { charges: ["two"] }),
        fixtures.entry(connection, { charges: ["two"] }),
      ]
      await record.commit(first)
      await record.commit(second)
      const answer = fixtures.event(START + 1)
      await record.answer(first.eventId, answer)
      const [unanswered, answered] = [await record.unanswered(), await record.answeredSince(0)]

      const after = await reopened(subject)
      equal(await after.unanswered(), unanswered, "unanswered")
      equal(await after.answeredSince(0), answered, "answered")
      equal(await answerOf(after, fixtures.hex(), first.repeatKey), ["repeat", answer], "the repeat")
      equal((await after.commit(second)).kind, "duplicate", "the event that was not answered")
      const third = fixtures.entry(connection, { charges: ["two"] })
      equal((await after.commit(third)).kind, "moved", "both uses are spent")
    },
  },
]

function count(results: readonly { kind: string }[], kind: string): number {
  return results.filter((result) => result.kind === kind).length
}

async function answerOf(record: SignerRecord, eventId: string, repeatKey: string): Promise<[string, unknown]> {
  const recall = await record.recall(eventId, repeatKey, START)
  return [recall.kind, "claim" in recall ? recall.claim.answer : undefined]
}
