import { ANSWER_TTL, CLAIM_TTL, CONNECT_RESPONSE_TTL, OFFER_TTL } from "../signer/ports.js"
import { equal } from "./assert.js"
import { decision, pending } from "./record-approval-checks.js"
import { present } from "./record-connection-checks.js"
import { START } from "./record-fixtures.js"
import type { RecordCheck } from "./record-subject.js"
import { reopened, unchanged } from "./record-subject.js"

const DAY_JUMP = 30 * CLAIM_TTL

/** Purging: what is forgotten, and the floor under it. */
export const purgeChecks: readonly RecordCheck[] = [
  {
    title: "an answer older than 15 minutes is dropped: the request is new again, the event stays a duplicate",
    async run({ record }, fixtures) {
      const connection = fixtures.active()
      await record.createConnection(connection, fixtures.audit())
      const entry = fixtures.entry(connection)
      await record.commit(entry)
      await record.answer(entry.eventId, fixtures.event(START + 2))

      await record.purge(START + 2 + ANSWER_TTL)
      equal((await record.recall(fixtures.hex(), entry.repeatKey, START)).kind, "repeat", "at 15 minutes")
      await record.purge(START + 2 + ANSWER_TTL + 1)
      const again = fixtures.entry(connection, { repeatKey: entry.repeatKey })
      equal(await record.recall(again.eventId, again.repeatKey, START), { kind: "new" }, "the request after 15 minutes")
      const same = await record.recall(entry.eventId, entry.repeatKey, START)
      equal([same.kind, "claim" in same && same.claim.answer], ["duplicate", undefined], "the event after 15 minutes")
      equal(await record.unanswered(), [], "a purged answer does not make the claim unanswered")
      equal(await record.answeredSince(0), [], "nor is it answered")

      equal((await record.commit(again)).kind, "committed", "the request in a new event")
      await record.answer(entry.eventId, fixtures.event(START + 3))
      equal(await record.answeredSince(0), [], "an answer that comes after its purge is dropped")
      await record.purge(START + CLAIM_TTL + 1)
      equal((await record.recall(entry.eventId, fixtures.hex(), START)).kind, "stale", "the event after a day")
    },
  },
  {
    title: "a connect response is kept for a minute",
    async run({ record }, fixtures) {
      const connection = fixtures.active({ connectResponse: fixtures.event() })
      await record.createConnection(connection, fixtures.audit())
      await record.purge(START + CONNECT_RESPONSE_TTL)
      equal((await present(record, connection)).connectResponse, connection.connectResponse, "at one minute")
      await record.purge(START + CONNECT_RESPONSE_TTL + 1)
      equal(await present(record, connection), { ...connection, connectResponse: undefined }, "after it")
    },
  },
  {
    title: "a request that was never answered stays a repeat",
    async run({ record }, fixtures) {
      const connection = fixtures.active()
      await record.createConnection(connection, fixtures.audit())
      const entry = fixtures.entry(connection)
      await record.commit(entry)
      await record.purge(START + ANSWER_TTL * 4)
      equal((await record.recall(fixtures.hex(), entry.repeatKey, START)).kind, "repeat", "after an hour")
      equal((await record.unanswered()).length, 1, "unanswered")
    },
  },
  {
    title: "a claim is kept 24 hours; what is purged raises the floor, and at or below it is stale",
    async run(subject, fixtures) {
      const { record } = subject
      const connection = fixtures.active()
      await record.createConnection(connection, fixtures.audit())
      const old = fixtures.entry(connection, { event: fixtures.event(START - 20) })
      const older = fixtures.entry(connection, { event: fixtures.event(START - 90) })
      const kept = fixtures.entry(connection, { event: fixtures.event(START - 50), receivedAt: START + 60 })
      for (const entry of [old, older, kept]) await record.commit(entry)

      await record.purge(START + CLAIM_TTL)
      equal((await record.commit(old)).kind, "duplicate", "at 24 hours")
      await record.purge(START + CLAIM_TTL + 1)
      equal((await record.commit(kept)).kind, "duplicate", "a younger claim below the floor is still known")
      equal((await record.recall(fixtures.hex(), kept.repeatKey, START - 50)).kind, "repeat", "and its request")
      const rows = await subject.auditCount?.()
      for (const createdAt of [START - 20, START - 21, START - 90, 0]) {
        const event = fixtures.event(createdAt)
        equal((await record.recall(event.id, fixtures.hex(), createdAt)).kind, "stale", "recall at or below the floor")
        equal(
          (await record.commit(fixtures.entry(connection, { event }))).kind,
          "stale",
          "commit at or below the floor",
        )
      }
      equal((await record.commit(old)).kind, "stale", "the purged event itself")
      equal((await record.commit(older)).kind, "stale", "the older purged event")
      equal(await subject.auditCount?.(), rows, "audit rows")
      const above = fixtures.event(START - 19)
      equal((await record.recall(above.id, fixtures.hex(), START - 19)).kind, "new", "recall above the floor")
      equal((await record.commit(fixtures.entry(connection, { event: above }))).kind, "committed", "above the floor")
    },
  },
  {
    title: "the floor is what was purged, not the clock: a jump neither raises it further nor lowers it",
    async run({ record }, fixtures) {
      const connection = fixtures.active()
      await record.createConnection(connection, fixtures.audit())
      const entry = fixtures.entry(connection)
      await record.commit(entry)
      await record.purge(START - DAY_JUMP)
      equal((await record.commit(entry)).kind, "duplicate", "a clock that jumped back purges nothing")
      await record.purge(START + DAY_JUMP)
      equal((await record.commit(entry)).kind, "stale", "a clock that jumped ahead purges")
      const next = fixtures.event(START + 1)
      equal((await record.recall(next.id, fixtures.hex(), START + 1)).kind, "new", "what is newer is served")
      await record.purge(START - DAY_JUMP)
      equal((await record.commit(entry)).kind, "stale", "back again, the floor holds")

      // An event from the past that came late must not pull the floor down when it is purged.
      const late = fixtures.entry(connection, { event: fixtures.event(START + 1), receivedAt: START - DAY_JUMP })
      equal((await record.commit(late)).kind, "committed", "received by a clock in the past")
      await record.purge(START)
      equal((await record.commit(entry)).kind, "stale", "the floor after another purge")
      equal((await record.commit(late)).kind, "stale", "and it rose")
      await record.purge(START + DAY_JUMP)
      equal((await record.commit(late)).kind, "stale", "a purge of nothing")
    },
  },
  {
    title: "purging leaves connections, grants and later claims alone",
    async run({ record }, fixtures) {
      const connection = fixtures.active({ grants: [fixtures.grant({ id: "three", usesLeft: 3 })] })
      await record.createConnection(connection, fixtures.audit())
      await record.commit(fixtures.entry(connection, { charges: ["three"] }))
      const before = await present(record, connection)
      const [purged, committed] = await Promise.all([
        record.purge(START + CLAIM_TTL + 1),
        record.commit(
          fixtures.entry(connection, {
            charges: ["three"],
            event: fixtures.event(START + 5),
            receivedAt: START + CLAIM_TTL,
          }),
        ),
      ])
      equal([purged, committed.kind], [undefined, "committed"], "purge and commit at once")
      const after = await present(record, connection)
      equal([before.grants[0]?.usesLeft, after.grants[0]?.usesLeft], [2, 1], "uses left")
      equal((await record.unanswered()).length, 1, "claims")
    },
  },
  {
    title: "an offer that died unredeemed is forgotten a day later, no other connection ever",
    async run({ record }, fixtures) {
      const dead = fixtures.offered({ secretExpiresAt: START })
      const open = fixtures.offered({ secretExpiresAt: START + 10 * OFFER_TTL })
      const active = fixtures.active()
      for (const connection of [dead, open, active]) await record.createConnection(connection, fixtures.audit())

      await record.purge(START + OFFER_TTL)
      equal((await record.connections()).length, 3, "connections a day after its end")
      await record.purge(START + OFFER_TTL + 1)
      equal(await record.connection(dead.remoteSignerPubkey), undefined, "the dead offer")
      equal(
        (await record.connections()).map(({ id }) => id),
        [open.id, active.id],
        "those that are kept",
      )
    },
  },
  {
    title: "approvals go with their claims, decided or not, and those of younger claims stay",
    async run(subject, fixtures) {
      const { record } = subject
      const connection = fixtures.active()
      await record.createConnection(connection, fixtures.audit())
      const [decided, waiting, younger] = [
        fixtures.waiting(connection),
        fixtures.waiting(connection),
        fixtures.waiting(connection, {}, { receivedAt: START + 60 }),
      ]
      for (const entry of [decided, waiting, younger]) await pending(record, entry)
      await record.decide(decision(fixtures, [decided]))
      const states = async () => {
        const found = await Promise.all([decided, waiting, younger].map(({ approval }) => record.approval(approval.id)))
        return found.map((approval) => approval?.state)
      }
      await record.purge(START + CLAIM_TTL)
      equal(await states(), ["approved", "pending", "pending"], "at 24 hours")
      await record.purge(START + CLAIM_TTL + 1)
      equal(await states(), [undefined, undefined, "pending"], "after 24 hours")
      equal(await record.approvals("approved"), [], "what was approved")
      equal((await record.approvals("pending", connection.id)).length, 1, "what is pending")
      equal((await record.recall(waiting.eventId, waiting.repeatKey, START)).kind, "stale", "the claim")
      equal((await record.decide(decision(fixtures, [waiting]))).kind, "gone", "a decision on what is gone")
      await record.challenge(waiting.approval.id, fixtures.event())
      equal((await unchanged(subject, () => record.commit(waiting))).kind, "stale", "the same event")
      const next = fixtures.waiting(connection, { maxWaiting: 2 }, { event: fixtures.event(START + 61) })
      await pending(record, next)
      equal((await record.decide(decision(fixtures, [younger]))).kind, "decided", "the younger one")
    },
  },
  {
    title: "the floor outlives a restart",
    durable: true,
    async run(subject, fixtures) {
      const { record } = subject
      const connection = fixtures.active()
      await record.createConnection(connection, fixtures.audit())
      const entry = fixtures.entry(connection)
      await record.commit(entry)
      await record.purge(START + CLAIM_TTL + 1)

      const after = await reopened(subject)
      equal((await after.recall(entry.eventId, entry.repeatKey, START)).kind, "stale", "recall")
      equal((await after.commit(entry)).kind, "stale", "commit")
      const above = fixtures.event(START + 1)
      equal((await after.commit(fixtures.entry(connection, { event: above }))).kind, "committed", "above the floor")
    },
  },
]
