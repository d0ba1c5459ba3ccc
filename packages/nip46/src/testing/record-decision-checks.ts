import type { DecisionEntry, SignerRecord } from "../signer/ports.js"
import { check, equal } from "./assert.js"
import { asPending, DENIED, decision, pending, type Waiting } from "./record-approval-checks.js"
import { present } from "./record-connection-checks.js"
import { START } from "./record-fixtures.js"
import type { RecordCheck } from "./record-subject.js"
import { reopened, unchanged } from "./record-subject.js"

const RACERS = 20

/** Decisions: each approval gets one, whole, with its grant and what it charges. */
export const decisionChecks: readonly RecordCheck[] = [
  {
    title: "a decision sets approvals and the verdict of their claims, of those that it names and no others",
    async run(subject, fixtures) {
      const { record } = subject
      const [connection, other] = [fixtures.active(), fixtures.active({ state: "paused" })]
      for (const each of [connection, other]) await record.createConnection(each, fixtures.audit())
      const decisions = [
        { to: "approved", verdict: { kind: "allow", decidedAt: START + 5 } },
        { to: "denied", verdict: { kind: "deny", reason: "the owner denied this" } },
        { to: "expired", verdict: { kind: "deny", reason: "nobody decided in time" } },
      ] as const
      for (const { to, verdict } of decisions) {
        const [first, second, left, theirs] = [
          await pending(record, fixtures.waiting(connection)),
          await pending(record, fixtures.waiting(connection)),
          await pending(record, fixtures.waiting(connection)),
          await pending(record, fixtures.waiting(other)),
        ]
        const before = await record.connections()
        const rows = await subject.auditCount?.()
        const named = [second, first, theirs, first]
        const entry = decision(fixtures, named, { connectionId: connection.id, to, verdict, at: START + 5 })
        const claims = [first, second].map((each) => ({ ...asPending(each).claim, verdict }))
        equal(await record.decide(entry), { kind: "decided", claims }, to)
        for (const [i, claim] of claims.entries()) {
          const expected = { ...asPending([first, second][i] as Waiting), claim, state: to, decidedAt: START + 5 }
          equal(await record.approval(expected.id), expected, `one that is ${to}`)
          equal(await record.recall(claim.eventId, "", START), { kind: "duplicate", claim }, "its claim")
        }
        for (const each of [left, theirs]) equal(await record.approval(each.approval.id), asPending(each), "others")
        equal(await record.unanswered(), claims, "what is to be executed")
        equal(await record.connections(), before, "the connections")
        if (rows !== undefined) equal(await subject.auditCount?.(), rows + 2, "a row for each")
        await record.answer(first.eventId, fixtures.event(START + 6))
        await record.answer(second.eventId, fixtures.event(START + 6))
        equal(await record.unanswered(), [], "once they are answered")
      }
    },
  },
  {
    title: "a decision changes the grants in the same transaction and raises the revision",
    async run({ record }, fixtures) {
      const connection = fixtures.active({ grants: [fixtures.grant(), fixtures.grant({ id: "dead", usesLeft: 0 })] })
      await record.createConnection(connection, fixtures.audit())
      const entry = await pending(record, fixtures.waiting(connection))
      const grant = fixtures.grant({ conditions: { ask: fixtures.hex() }, usesLeft: 1, expiresAt: START + 600 })
      const before = await present(record, connection)
      const [decided, committed] = await Promise.all([
        record.decide(decision(fixtures, [entry], { terms: { addGrants: [grant], removeGrants: ["dead"] } })),
        record.commit(fixtures.entry(before)),
      ])
      equal([decided.kind, committed.kind], ["decided", "moved"], "the decision, then what was authorized before it")
      const after = { ...before, grants: [...before.grants.slice(0, 1), grant], revision: before.revision + 1 }
      equal(await present(record, connection), after, "the connection")
      equal((await record.commit(fixtures.entry(after, { charges: [grant.id] }))).kind, "committed", "its use")
    },
  },
  {
    title: "what was decided is decided: a second decision is gone and writes nothing",
    async run(subject, fixtures) {
      const { record } = subject
      const connection = fixtures.active()
      await record.createConnection(connection, fixtures.audit())
      for (const first of ["approved", "denied", "expired"] as const) {
        const entry = await pending(record, fixtures.waiting(connection))
        equal((await record.decide(decision(fixtures, [entry], { to: first }))).kind, "decided", first)
        for (const to of ["approved", "denied", "expired"] as const) {
          const again = decision(fixtures, [entry], {
            to,
            verdict: DENIED,
            at: START + 9,
            terms: { addGrants: [fixtures.grant()] },
          })
          equal((await unchanged(subject, () => record.decide(again))).kind, "gone", `${to} after ${first}`)
        }
      }
      const nobodys = { ...decision(fixtures, []), connectionId: connection.id, ids: [fixtures.hex().slice(-32)] }
      equal((await unchanged(subject, () => record.decide(nobodys))).kind, "gone", "one that nobody made")
      equal((await unchanged(subject, () => record.decide({ ...nobodys, ids: [] }))).kind, "gone", "none at all")
      const entry = await pending(record, fixtures.waiting(connection))
      const nowhere = decision(fixtures, [entry], { connectionId: fixtures.hex() })
      equal((await unchanged(subject, () => record.decide(nowhere))).kind, "gone", "of another connection")
    },
  },
  {
    title: "of many decisions at once each approval gets exactly one",
    async run(subject, fixtures) {
      const { record } = subject
      const connection = fixtures.active()
      await record.createConnection(connection, fixtures.audit())
      const entry = await pending(record, fixtures.waiting(connection))
      const rows = await subject.auditCount?.()
      const decisions = Array.from({ length: RACERS }, (_, i) =>
        decision(fixtures, [entry], {
          to: i % 2 === 0 ? "denied" : "approved",
          verdict: i % 2 === 0 ? DENIED : { kind: "allow", decidedAt: START + i },
          terms: { addGrants: [fixtures.grant({ id: `of-${i}` })] },
        }),
      )
      const results = await Promise.all(decisions.map((each) => record.decide(each)))
      const winners = decisions.filter((_, i) => results[i]?.kind === "decided")
      equal(winners.length, 1, "decided")
      equal(results.filter(({ kind }) => kind === "gone").length, RACERS - 1, "gone")
      const after = await record.approval(entry.approval.id)
      equal([after?.state, after?.claim.verdict], [winners[0]?.to, winners[0]?.verdict], "what was decided")
      equal((await present(record, connection)).grants, winners[0]?.terms?.addGrants, "grants")
      if (rows !== undefined) equal(await subject.auditCount?.(), rows + 1, "audit rows")

      const three = [0, 1, 2].map(() => fixtures.waiting(connection, {}, { expectedRevision: connection.revision + 1 }))
      for (const each of three) await pending(record, each)
      const [a, b, c] = three as [Waiting, Waiting, Waiting]
      const overlapping = await Promise.all([
        record.decide(decision(fixtures, [a, b])),
        record.decide(decision(fixtures, [b, c])),
      ])
      const decided = overlapping.flatMap((result) => (result.kind === "decided" ? result.claims : []))
      equal(
        decided.map(({ eventId }) => eventId),
        three.map(({ eventId }) => eventId),
        "each once",
      )
    },
  },
  {
    title: "one that expired is decided late once, and the verdict of its claim stays",
    async run(subject, fixtures) {
      const { record } = subject
      const connection = fixtures.active()
      await record.createConnection(connection, fixtures.audit())
      const entry = await pending(record, fixtures.waiting(connection))
      const allow = { kind: "allow", decidedAt: START + 700 } as const
      const grant = fixtures.grant()
      const late = decision(fixtures, [entry], {
        from: "expired",
        at: START + 700,
        verdict: allow,
        terms: { addGrants: [grant] },
      })
      equal((await unchanged(subject, () => record.decide(late))).kind, "gone", "before it expired")
      const time = decision(fixtures, [entry], { to: "expired", verdict: DENIED, at: START + 600 })
      equal((await record.decide(time)).kind, "decided", "its end")
      await record.answer(entry.eventId, fixtures.event(START + 601))
      const expired = await record.approval(entry.approval.id)
      check(expired?.claim.answer !== undefined, "its client was told")

      equal(await record.decide(late), { kind: "decided", claims: [expired.claim] }, "late")
      const decided = { ...expired, state: "approved", decidedAt: START + 700 }
      equal(await record.approval(entry.approval.id), decided, "what is stored")
      equal(await record.unanswered(), [], "what is to be executed")
      const after = await present(record, connection)
      equal([after.grants, after.revision], [[grant], connection.revision + 1], "the grant")
      equal((await unchanged(subject, () => record.decide(late))).kind, "gone", "late again")
    },
  },
  {
    title: "a grant decides what it can cover whole, at the revision at which that was found",
    async run(subject, fixtures) {
      const { record } = subject
      const rate = { uses: 2, seconds: 60 }
      const grants = [
        fixtures.grant({ id: "three", usesLeft: 3 }),
        fixtures.grant({ id: "rated", rate, recentUses: [START - 50] }),
        fixtures.grant({ id: "unlimited" }),
      ]
      const connection = fixtures.active({ grants })
      await record.createConnection(connection, fixtures.audit())
      const [a, b, c] = [
        await pending(record, fixtures.waiting(connection)),
        await pending(record, fixtures.waiting(connection)),
        await pending(record, fixtures.waiting(connection)),
      ]
      const before = await present(record, connection)
      const charged = (...ids: string[]) => ({ grants: ids, expectedRevision: before.revision })
      const all = [a, b, c]
      const refused: DecisionEntry[] = [
        decision(fixtures, [a], { charged: { ...charged("three"), expectedRevision: before.revision + 1 } }),
        decision(fixtures, [a], { charged: charged("nobody's") }),
        decision(fixtures, [a, b], { charged: charged("three", "rated") }),
        decision(fixtures, all, { charged: charged("three", "three") }),
      ]
      for (const [i, entry] of refused.entries())
        equal((await unchanged(subject, () => record.decide(entry))).kind, "gone", `decision ${i + 1}`)

      const once = decision(fixtures, [a], { charged: charged("three", "rated", "unlimited"), at: START + 5 })
      equal((await record.decide(once)).kind, "decided", "one")
      const both = decision(fixtures, [b, c], { charged: charged("rated", "three"), at: START + 66 })
      equal((await record.decide(both)).kind, "decided", "two, once the rate has room for them")
      const expected = [
        { ...grants[0], usesLeft: 0 },
        { ...grants[1], recentUses: [START + 66, START + 66] },
        grants[2],
      ]
      equal(await present(record, connection), { ...before, grants: expected }, "the connection")
    },
  },
  {
    title: "on a connection that has ended nothing is decided any more, but it expires",
    async run(subject, fixtures) {
      const { record } = subject
      for (const end of ["revoked", "logged_out"] as const) {
        const connection = fixtures.active()
        await record.createConnection(connection, fixtures.audit())
        const entry = await pending(record, fixtures.waiting(connection))
        if (end === "revoked") await record.setState(connection.id, end, fixtures.audit())
        else await record.commit(fixtures.entry(connection, { effect: { kind: "logout" } }))
        for (const to of ["approved", "denied"] as const) {
          const late = decision(fixtures, [entry], { to })
          equal((await unchanged(subject, () => record.decide(late))).kind, "gone", `${to} after it was ${end}`)
        }
        const expiry = decision(fixtures, [entry], { to: "expired", verdict: DENIED })
        equal((await record.decide(expiry)).kind, "decided", `expired after it was ${end}`)
        equal((await record.approval(entry.approval.id))?.state, "expired", "its state")
      }
    },
  },
  {
    title: "on a paused connection nothing is approved, but it is denied and expires",
    async run(subject, fixtures) {
      const { record } = subject
      const connection = fixtures.active({ state: "paused" })
      await record.createConnection(connection, fixtures.audit())
      for (const to of ["denied", "expired"] as const) {
        const entry = await pending(record, fixtures.waiting(connection))
        const approval = decision(fixtures, [entry])
        equal((await unchanged(subject, () => record.decide(approval))).kind, "gone", "approved while paused")
        equal((await record.decide(decision(fixtures, [entry], { to, verdict: DENIED }))).kind, "decided", to)
      }
    },
  },
  {
    title: "pending approvals are due at their deadline, and no more once they were decided",
    async run({ record }, fixtures) {
      const connection = fixtures.active()
      await record.createConnection(connection, fixtures.audit())
      const late = await pending(record, fixtures.waiting(connection, { deadline: START + 60 }))
      const soon = await pending(record, fixtures.waiting(connection, { deadline: START + 59 }))
      const due = async (at: number) => (await record.dueApprovals(at)).map(({ id }) => id)
      equal(await due(START + 58), [], "before")
      equal(await due(START + 59), [soon.approval.id], "the first")
      equal(await due(START + 60), [soon.approval.id, late.approval.id], "both, by their deadlines")
      await record.decide(decision(fixtures, [soon]))
      equal(await due(START + 60), [late.approval.id], "what is left")
    },
  },
  {
    title: "those that came too late are listed while their time lasts, the latest first, so many at most",
    async run({ record }, fixtures) {
      const connection = fixtures.active()
      await record.createConnection(connection, fixtures.audit())
      const entries: Waiting[] = []
      for (const after of [60, 80, 70])
        entries.push(await pending(record, fixtures.waiting(connection, { deadline: START + after })))
      const [one, two, three] = entries as [Waiting, Waiting, Waiting]
      const late = async (after: number, limit: number) =>
        (await record.lateApprovals(after, limit)).map(({ id }) => id)
      equal(await late(START, 9), [], "while they wait")
      await record.decide(decision(fixtures, entries, { to: "expired", verdict: DENIED }))
      equal(
        await late(START, 9),
        [two, three, one].map(({ approval }) => approval.id),
        "all",
      )
      equal(await late(START, 2), [two.approval.id, three.approval.id], "two of them")
      equal(await late(START + 70, 9), [two.approval.id], "those that are left")
      await record.decide(decision(fixtures, [two], { from: "expired" }))
      equal(await late(START, 9), [three.approval.id, one.approval.id], "once one was decided")
    },
  },
  {
    title: "approvals and decisions outlive a restart",
    durable: true,
    async run(subject, fixtures) {
      const { record } = subject
      const connection = fixtures.active({ style: "auth_url" })
      await record.createConnection(connection, fixtures.audit())
      const entries: Waiting[] = []
      for (const scope of ["a", "b", "c"]) entries.push(await pending(record, fixtures.waiting(connection, { scope })))
      const [waiting, approved, expired] = entries as [Waiting, Waiting, Waiting]
      await record.challenge(waiting.approval.id, fixtures.event())
      await record.decide(decision(fixtures, [approved]))
      await record.decide(decision(fixtures, [expired], { to: "expired", verdict: DENIED }))
      const read = (from: SignerRecord) => Promise.all(entries.map(({ approval }) => from.approval(approval.id)))
      const before = await read(record)

      const after = await reopened(subject)
      equal(await read(after), before, "approvals")
      equal(
        (await after.unanswered()).map(({ eventId }) => eventId),
        [approved.eventId, expired.eventId],
        "what is to be executed",
      )
      equal((await after.decide(decision(fixtures, [approved]))).kind, "gone", "what was decided")
      equal((await after.commit(fixtures.waiting(connection, { maxWaiting: 1 }))).kind, "crowded", "what waits counts")
      equal((await after.decide(decision(fixtures, [waiting]))).kind, "decided", "what waits can be decided")
    },
  },
]
