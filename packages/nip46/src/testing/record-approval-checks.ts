import type {
  Approval,
  ApprovalEntry,
  ApprovalState,
  ClaimEntry,
  DecisionEntry,
  SignerRecord,
} from "../signer/ports.js"
import { equal } from "./assert.js"
import { type Fixtures, START } from "./record-fixtures.js"
import type { RecordCheck } from "./record-subject.js"
import { unchanged } from "./record-subject.js"

const RACERS = 20

export type Waiting = ClaimEntry & { readonly approval: ApprovalEntry }

/** Requests that wait for their owner: recorded with their claim, as many as may, and listed. */
export const approvalChecks: readonly RecordCheck[] = [
  {
    title: "a request that waits for its owner is recorded with its claim, and is not to be executed",
    async run(subject, fixtures) {
      const { record } = subject
      const connection = fixtures.active()
      await record.createConnection(connection, fixtures.audit())
      const entries = [
        fixtures.waiting(connection, { param: undefined, method: "nip44_decrypt" }),
        fixtures.waiting(connection),
      ]
      for (const entry of entries) equal(await record.commit(entry), { kind: "committed" }, "commit")
      equal(await record.approvals("pending"), entries.map(asPending), "what is pending")
      for (const entry of entries) equal(await record.approval(entry.approval.id), asPending(entry), "each by its id")
      equal(await record.approval(fixtures.hex().slice(-32)), undefined, "one that nobody made")
      equal(await record.unanswered(), [], "what is to be executed")
      const [{ eventId, repeatKey }] = entries as [Waiting, Waiting]
      const { claim } = asPending(entries[0] as Waiting)
      equal(await record.recall(eventId, repeatKey, START), { kind: "duplicate", claim }, "its claim")
      await unchanged(subject, async () => {
        equal((await record.commit(entries[0] as Waiting)).kind, "duplicate", "the same event")
        equal((await record.commit(fixtures.waiting(connection, {}, { repeatKey }))).kind, "repeat", "the same request")
      })
    },
  },
  {
    title: "a commit that is refused leaves neither claim nor approval",
    async run(subject, fixtures) {
      const { record } = subject
      const connection = fixtures.active({ grants: [fixtures.grant({ id: "spent", usesLeft: 0 })] })
      const ended = fixtures.active({ state: "revoked" })
      for (const each of [connection, ended]) await record.createConnection(each, fixtures.audit())
      const refusals: [Waiting, string][] = [
        [fixtures.waiting(connection, {}, { expectedRevision: connection.revision + 1 }), "moved"],
        [fixtures.waiting(connection, {}, { charges: ["spent"] }), "moved"],
        [fixtures.waiting(ended), "moved"],
        [fixtures.waiting(connection, { maxWaiting: 0 }), "crowded"],
        [fixtures.waiting(connection, { maxScopes: 0 }), "crowded"],
        [fixtures.waiting(connection, { maxOfConnection: 0 }), "crowded"],
      ]
      for (const [entry, kind] of refusals) {
        equal((await unchanged(subject, () => record.commit(entry))).kind, kind, "commit")
        equal(await record.approval(entry.approval.id), undefined, "its approval")
        equal((await record.recall(entry.eventId, entry.repeatKey, START)).kind, "new", "its claim")
      }
    },
  },
  {
    title: "no more than so many scopes wait for one connection, and however many of a scope that waits already",
    async run(subject, fixtures) {
      const { record } = subject
      const userPubkey = fixtures.hex()
      const [connection, other] = [fixtures.active({ userPubkey }), fixtures.active({ userPubkey })]
      for (const each of [connection, other]) await record.createConnection(each, fixtures.audit())
      const commit = async (of: typeof connection, scope: string) =>
        (await record.commit(fixtures.waiting(of, { scope, maxScopes: 2 }))).kind
      const a = await pending(record, fixtures.waiting(connection, { scope: "a", maxScopes: 2 }))
      equal(await commit(connection, "b"), "committed", "the second scope")
      equal(await unchanged(subject, () => commit(connection, "c")), "crowded", "the third")
      for (const scope of ["a", "b"]) equal(await commit(connection, scope), "committed", `${scope} again`)
      for (const scope of ["c", "d"]) equal(await commit(other, scope), "committed", `${scope} of another connection`)
      await record.decide(decision(fixtures, [a]))
      equal(await unchanged(subject, () => commit(connection, "c")), "crowded", "while one of a waits")
      const rest = (await record.approvals("pending", connection.id)).filter(({ scope }) => scope === "a")
      await record.decide({ ...decision(fixtures, [a]), ids: rest.map(({ id }) => id) })
      equal(await commit(connection, "c"), "committed", "once none of a waits")
    },
  },
  {
    title: "no more than so many requests wait for one connection, whatever their scopes",
    async run(subject, fixtures) {
      const { record } = subject
      const userPubkey = fixtures.hex()
      const [connection, other] = [fixtures.active({ userPubkey }), fixtures.active({ userPubkey })]
      for (const each of [connection, other]) await record.createConnection(each, fixtures.audit())
      const waiting = (of: typeof connection, scope: string) => fixtures.waiting(of, { scope, maxOfConnection: 3 })
      const first = await pending(record, waiting(connection, "a"))
      for (const scope of ["a", "b"]) await pending(record, waiting(connection, scope))
      for (const scope of ["a", "c"])
        equal((await unchanged(subject, () => record.commit(waiting(connection, scope)))).kind, "crowded", "the fourth")
      await pending(record, waiting(other, "a"))
      await record.decide(decision(fixtures, [first]))
      await pending(record, waiting(connection, "c"))
    },
  },
  {
    title: "no more than so many requests wait for one user key, over all its connections",
    async run(subject, fixtures) {
      const { record } = subject
      const userPubkey = fixtures.hex()
      const [one, two] = [fixtures.active({ userPubkey }), fixtures.active({ userPubkey, state: "paused" })]
      const theirs = fixtures.active()
      for (const each of [one, two, theirs]) await record.createConnection(each, fixtures.audit())
      const waiting = (of: typeof one) => fixtures.waiting(of, { maxWaiting: 3 })
      const first = await pending(record, waiting(one))
      for (const each of [two, one]) await pending(record, waiting(each))
      for (const each of [one, two])
        equal((await unchanged(subject, () => record.commit(waiting(each)))).kind, "crowded", "the fourth")
      await pending(record, waiting(theirs))
      const plain = fixtures.entry(one)
      equal((await record.commit(plain)).kind, "committed", "what waits for nobody")
      await record.decide(decision(fixtures, [first]))
      await pending(record, waiting(two))
      equal((await unchanged(subject, () => record.commit(waiting(one)))).kind, "crowded", "when there are three again")
    },
  },
  {
    title: "of many that come at once as many wait as may",
    async run({ record }, fixtures) {
      const connection = fixtures.active()
      await record.createConnection(connection, fixtures.audit())
      const entries = Array.from({ length: RACERS }, () => fixtures.waiting(connection, { maxWaiting: 7 }))
      const results = await Promise.all(entries.map((entry) => record.commit(entry)))
      const count = (kind: string) => results.filter((result) => result.kind === kind).length
      equal([count("committed"), count("crowded")], [7, RACERS - 7], "committed and crowded")
      equal((await record.approvals("pending")).length, 7, "what is pending")
    },
  },
  {
    title: "approvals are listed by state, of all connections or of one, oldest first",
    async run({ record }, fixtures) {
      const [one, two] = [fixtures.active(), fixtures.active()]
      for (const each of [one, two]) await record.createConnection(each, fixtures.audit())
      const received = [30, 10, 20, 20, 50, 40]
      const entries: Waiting[] = []
      for (const [i, after] of received.entries())
        entries.push(
          await pending(record, fixtures.waiting(i % 2 === 0 ? one : two, {}, { receivedAt: START + after })),
        )
      const listed = async (state: ApprovalState, connectionId?: string) =>
        (await record.approvals(state, connectionId)).map(({ id }) => entries.findIndex((e) => e.approval.id === id))
      equal(await listed("pending"), [1, 2, 3, 0, 5, 4], "pending")
      equal(await listed("pending", one.id), [2, 0, 4], "pending of one")
      equal(await listed("pending", two.id), [1, 3, 5], "pending of the other")
      equal(await listed("pending", fixtures.hex()), [], "pending of nobody")
      await record.decide(decision(fixtures, [entries[4], entries[2]] as Waiting[]))
      await record.decide(decision(fixtures, [entries[1]] as Waiting[], { to: "expired", verdict: DENIED }))
      equal(await listed("pending"), [3, 0, 5], "pending after decisions")
      equal(await listed("approved"), [2, 4], "approved")
      equal(await listed("approved", two.id), [], "approved of the other")
      equal([await listed("expired", two.id), await listed("denied")], [[1], []], "expired and denied")
    },
  },
  {
    title: "a challenge is kept, also when nobody awaited it, and outlives the decision",
    async run({ record }, fixtures) {
      const connection = fixtures.active()
      await record.createConnection(connection, fixtures.audit())
      const [first, second] = [
        await pending(record, fixtures.waiting(connection)),
        await pending(record, fixtures.waiting(connection)),
      ]
      const challenge = fixtures.event(START + 1)
      const kept = record.challenge(first.approval.id, challenge)
      await record.commit(fixtures.entry(connection))
      await kept
      await record.challenge(fixtures.hex().slice(-32), challenge)
      equal(await record.approval(first.approval.id), { ...asPending(first), challenge }, "with a challenge")
      equal(await record.approval(second.approval.id), asPending(second), "the one beside it")
      await record.decide(decision(fixtures, [first]))
      equal((await record.approval(first.approval.id))?.challenge, challenge, "after the decision")
    },
  },
]

export const DENIED = { kind: "deny", reason: "the conformance suite denies this" } as const

/** Commits it; it waits from then on. */
export async function pending(record: SignerRecord, entry: Waiting): Promise<Waiting> {
  equal(await record.commit(entry), { kind: "committed" }, "the commit of what waits")
  return entry
}

/** What is stored of it while nobody has decided. */
export function asPending({ approval, eventId, connectionId, event, verdict, receivedAt }: Waiting): Approval {
  const { id, method, param, scope, ask, deadline } = approval
  const claim = { eventId, connectionId, event, verdict, receivedAt, answer: undefined }
  return {
    id,
    claim,
    method,
    param,
    scope,
    ask,
    deadline,
    state: "pending",
    challenge: undefined,
    decidedAt: undefined,
  }
}

/** Approves what waits, on the connection of the first. */
export function decision(
  { audit }: Fixtures,
  entries: readonly Waiting[],
  fields: Partial<DecisionEntry> = {},
): DecisionEntry {
  return {
    connectionId: entries[0]?.connectionId ?? "",
    ids: entries.map(({ approval }) => approval.id),
    from: "pending",
    to: "approved",
    verdict: { kind: "allow", decidedAt: START + 1 },
    at: START + 1,
    terms: undefined,
    charged: undefined,
    audit: audit({ action: "owner.approve" }),
    ...fields,
  }
}
