import fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  type Bench,
  type BenchOptions,
  createBench,
  crypto,
  errorOf,
  eventJson,
  grant,
  ownerDid,
  type Reading,
  START,
  signedIn,
  type TestClient,
} from "../../test/support/signer-bench.js"
import type { NostrEvent } from "../protocol/event.js"
import type { OwnerDecision } from "./approvals.js"
import type { Connection } from "./ports.js"
import { PRESETS } from "./presets.js"

const URL_OF = (id: string): string => `https://bunker.example/approve/${id}`
const ONCE = { kind: "approve", extent: { kind: "once" } } as const
const ALWAYS = { kind: "approve", extent: { kind: "always" } } as const
const HOUR = { kind: "approve", extent: { kind: "for", seconds: 3_600 } } as const
const DENY = { kind: "deny", block: false } as const
const BLOCK = { kind: "deny", block: true } as const

type Say = typeof ONCE | typeof ALWAYS | typeof HOUR | typeof DENY | typeof BLOCK

const at = (options: BenchOptions = {}): Bench => createBench({ ...options, signer: { approvalUrl: URL_OF } })
const asking = (bench: Bench, fields: Partial<Connection> = {}): Promise<TestClient> =>
  bench.connected([], { style: "hold", ...fields })

function waitingIn(reading: Reading): string {
  if (!("waiting" in reading)) throw new Error(`does not wait: ${JSON.stringify(reading)}`)
  return reading.waiting
}

async function shown(bench: Bench, id: string) {
  const opened = await bench.engine.approvals.open(id)
  if (opened === undefined) throw new Error("there is no such approval")
  return opened
}

/** Decides what is shown, and gives what its clients read, in order. */
async function decide(bench: Bench, client: TestClient, id: string, say: Say): Promise<Reading[]> {
  const { digest } = await shown(bench, id)
  const outcome = await bench.engine.approvals.decide(id, { ...say, digest, by: "owner" } as OwnerDecision)
  if (outcome.kind !== "decided") throw new Error(outcome.kind)
  return outcome.answers.map((answer) => client.open(answer))
}

describe("a request that no grant covers", () => {
  it("waits, and its answer comes by the same id once the owner approved what was shown (N46-AUTH-3)", async () => {
    const bench = at()
    const client = await asking(bench)
    const id = waitingIn(await client.ask("sign_event", [eventJson(1, "hello")], { id: "same" }))
    const { ask, digest, approval } = await shown(bench, id)
    expect(ask).toEqual({ method: "sign_event", template: { kind: 1, content: "hello", tags: [], created_at: START } })
    expect(approval).toMatchObject({ method: "sign_event", param: "1", state: "pending", deadline: START + 60 })
    const [answer] = await decide(bench, client, id, ONCE)
    expect(answer).toMatchObject({ id: "same" })
    expect(signedIn(answer as Reading)).toMatchObject({ id: digest, content: "hello" })
    expect((await bench.engine.approvals.waiting()).length).toBe(0)
    // Once was once.
    waitingIn(await client.ask("sign_event", [eventJson(1, "hello")]))
  })

  it.each([
    ["nip44_encrypt", "x"],
    ["nip44_decrypt", undefined],
    ["nip04_encrypt", "x"],
  ])("%s waits as well", async (method, text) => {
    const bench = at()
    const client = await asking(bench)
    const self = await bench.connected("nip44_encrypt")
    const sealed = text ?? resultOf(await self.ask("nip44_encrypt", [bench.userPubkey, "x"]))
    const id = waitingIn(await client.ask(method, [bench.userPubkey, sealed]))
    expect((await shown(bench, id)).ask).toEqual({ method, counterparty: bench.userPubkey, text: sealed })
    resultOf((await decide(bench, client, id, ONCE))[0] as Reading)
  })

  it("is refused at once with the style deny, and never waits for what is refused always", async () => {
    const bench = at()
    const client = await asking(bench, { style: "deny" })
    expect(errorOf(await client.ask("sign_event", [eventJson(1)]))).toContain("not permitted")
    const other = await asking(bench)
    expect(errorOf(await other.ask("sign_event", [eventJson(24133)]))).toContain("never signed")
    expect(errorOf(await other.ask("sign_event", ["{"]))).toContain("needs an event")
    expect(errorOf(await other.ask("get_relays"))).toContain("unknown method")
  })

  it("leaves the user key alone until it is approved (invariant 1)", async () => {
    let uses = 0
    const bench = at({
      keys: (keys) => ({
        ...keys,
        userKey(pubkey) {
          uses++
          return keys.userKey(pubkey)
        },
      }),
    })
    const client = await asking(bench)
    const id = waitingIn(await client.ask("sign_event", [eventJson(1)]))
    await shown(bench, id)
    await bench.engine.recover()
    expect(uses).toBe(0)
    await decide(bench, client, id, ONCE)
    expect(uses).toBe(1)
  })
})

describe("QUIRKS signer 10: the auth challenge (N46-AUTH-1, N46-AUTH-2)", () => {
  it("is sent once, by the request's id, with a URL of its own; a copy and a repeat get no second one", async () => {
    const bench = at()
    const client = await asking(bench, { style: "auth_url" })
    const request = client.request("sign_event", [eventJson(1)], { id: "c1" })
    const outcome = await bench.engine.handle(request)
    if (outcome.kind !== "waiting" || outcome.challenge === undefined) throw new Error("no challenge")
    expect(client.open(outcome.challenge)).toEqual({ id: "c1", result: "auth_url", error: URL_OF(outcome.approvalId) })
    expect(outcome.approvalId).toMatch(/^[0-9a-f]{32}$/)
    bench.advance(5_000)
    expect(await client.send(request)).toEqual({ ignored: "in_progress" })
    expect(await client.ask("sign_event", [eventJson(1)], { id: "c1" })).toEqual({ ignored: "in_progress" })
    expect((await shown(bench, outcome.approvalId)).approval.deadline).toBe(START + 600)
    expect((await decide(bench, client, outcome.approvalId, ONCE))[0]).toMatchObject({ id: "c1" })
  })

  it("is not sent to a connection that holds, nor where no page is", async () => {
    for (const bench of [at(), createBench()]) {
      const client = await asking(bench, { style: bench.engine === undefined ? "deny" : "hold" })
      const outcome = await bench.engine.handle(client.request("sign_event", [eventJson(1)]))
      expect(outcome).toMatchObject({ kind: "waiting", challenge: undefined })
    }
    const bench = createBench()
    const client = await asking(bench, { style: "auth_url" })
    const outcome = await bench.engine.handle(client.request("sign_event", [eventJson(1)]))
    expect(outcome).toMatchObject({ kind: "waiting", challenge: undefined })
    expect((await bench.engine.approvals.waiting())[0]?.deadline).toBe(START + 60)
  })

  it("is the very same event after a restart, and none once it is old", async () => {
    const bench = at()
    const client = await asking(bench, { style: "auth_url" })
    const outcome = await bench.engine.handle(client.request("sign_event", [eventJson(1)]))
    if (outcome.kind !== "waiting") throw new Error(outcome.kind)
    const again = async (): Promise<(NostrEvent | undefined)[]> =>
      (await bench.restart({ signer: { approvalUrl: URL_OF } }).recover()).map(({ event }) => event)
    expect(await again()).toEqual([outcome.challenge?.event])
    bench.advance(60_000)
    expect(await again()).toEqual([])
    expect((await decide(bench, client, outcome.approvalId, ONCE)).map(signedIn)).toHaveLength(1)
  })
})

describe("what an owner decides", () => {
  it("denies this once: the client is told, and may ask again", async () => {
    const bench = at()
    const client = await asking(bench)
    const id = waitingIn(await client.ask("sign_event", [eventJson(1)]))
    expect(errorOf((await decide(bench, client, id, DENY))[0] as Reading)).toBe("the owner denied this")
    waitingIn(await client.ask("sign_event", [eventJson(1)]))
  })

  it("denies and blocks: the client is refused at once from then on", async () => {
    const bench = at()
    const client = await asking(bench)
    const id = waitingIn(await client.ask("sign_event", [eventJson(1)]))
    await decide(bench, client, id, BLOCK)
    expect(errorOf(await client.ask("sign_event", [eventJson(1, "other")]))).toContain("denies")
    waitingIn(await client.ask("sign_event", [eventJson(7)]))
  })

  it("approves for an hour, and is asked again after it", async () => {
    const bench = at()
    const client = await asking(bench)
    const id = waitingIn(await client.ask("sign_event", [eventJson(1)]))
    await decide(bench, client, id, HOUR)
    bench.advance(3_599_000)
    signedIn(await client.ask("sign_event", [eventJson(1, "later")]))
    bench.advance(1_000)
    waitingIn(await client.ask("sign_event", [eventJson(1, "too late")]))
  })

  it("approves a kind for good, and nothing else with it", async () => {
    const bench = at()
    const client = await asking(bench)
    const id = waitingIn(await client.ask("sign_event", [eventJson(1)]))
    await decide(bench, client, id, ALWAYS)
    bench.advance(90 * 24 * 3_600_000)
    signedIn(await client.ask("sign_event", [eventJson(1, "later")]))
    waitingIn(await client.ask("sign_event", [eventJson(2)]))
    expect((await bench.connectionOf(client)).grants).toMatchObject([
      { method: "sign_event", param: "1", effect: "allow", expiresAt: undefined, usesLeft: undefined, conditions: {} },
    ])
  })

  it("QUIRKS signer 13: approves a login's host for good, and what waits for that host goes with it; other hosts wait on", async () => {
    const bench = at()
    const client = await asking(bench)
    const upload = (host: string, n: number): string =>
      eventJson(27235, "", {
        tags: [
          ["u", `https://${host}/upload/${n}`],
          ["method", "POST"],
        ],
      })
    const here = []
    for (let n = 0; n < 20; n++) here.push(waitingIn(await client.ask("sign_event", [upload("media.example", n)])))
    const there = waitingIn(await client.ask("sign_event", [upload("other.example", 1)]))
    const scopes = new Set((await bench.engine.approvals.waiting()).map(({ scope }) => scope))
    expect(scopes.size).toBe(2)
    const answers = await decide(bench, client, here[3] as string, ALWAYS)
    expect(answers.map(signedIn)).toHaveLength(20)
    expect((await bench.engine.approvals.waiting()).map(({ id }) => id)).toEqual([there])
    signedIn(await client.ask("sign_event", [upload("media.example", 99)]))
  })

  it("is about what was shown: another digest decides nothing", async () => {
    const bench = at()
    const client = await asking(bench)
    const one = waitingIn(await client.ask("sign_event", [eventJson(1, "one")]))
    const two = waitingIn(await client.ask("sign_event", [eventJson(1, "two")]))
    const { digest } = await shown(bench, two)
    expect(await bench.engine.approvals.decide(one, { ...ONCE, digest, by: "owner" })).toEqual({ kind: "mismatch" })
    expect((await bench.engine.approvals.waiting()).length).toBe(2)
  })

  it("is decided once, by however many", async () => {
    const bench = at()
    const client = await asking(bench)
    const id = waitingIn(await client.ask("sign_event", [eventJson(1)]))
    const { digest } = await shown(bench, id)
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        bench.engine.approvals.decide(id, { ...(n % 2 === 0 ? ONCE : DENY), digest, by: `owner ${n}` }),
      ),
    )
    expect(outcomes.filter(({ kind }) => kind === "decided")).toHaveLength(1)
    expect(outcomes.filter(({ kind }) => kind === "gone")).toHaveLength(19)
    expect(bench.record.audit.filter(({ action }) => /^owner\.(approve|deny)$/.test(action))).toHaveLength(1)
  })

  it("is in the audit, with who decided and no word of the content", async () => {
    const bench = at()
    const client = await asking(bench)
    const id = waitingIn(await client.ask("sign_event", [eventJson(1, "canary")]))
    await decide(bench, client, id, ALWAYS)
    const rows = bench.record.audit.slice(-2)
    expect(rows).toMatchObject([
      { actor: client.pubkey, action: "sign_event", param: "1", verdict: "ask" },
      {
        actor: "owner",
        action: "owner.approve",
        param: "1",
        verdict: "allow",
        why: "the owner approved sign_event, for good",
      },
    ])
    expect(JSON.stringify(bench.record.audit)).not.toContain("canary")
  })
})

describe("equal asks", () => {
  it("are one decision, each answered by its own id", async () => {
    const bench = at()
    const client = await asking(bench)
    const first = waitingIn(await client.ask("sign_event", [eventJson(1, "x")], { id: "a" }))
    bench.advance(30_000)
    waitingIn(await client.ask("sign_event", [eventJson(1, "x", { created_at: START + 30 })], { id: "b" }))
    const answers = await decide(bench, client, first, ONCE)
    expect(answers.map((answer) => "id" in answer && answer.id)).toEqual(["a", "b"])
    expect(answers.map((answer) => signedIn(answer).created_at)).toEqual([START, START + 30])
  })

  it("are not when another time is hidden in one of them", async () => {
    const bench = at()
    const client = await asking(bench)
    const now = waitingIn(await client.ask("sign_event", [eventJson(1, "x")]))
    const far = waitingIn(await client.ask("sign_event", [eventJson(1, "x", { created_at: START + 601 })]))
    expect((await decide(bench, client, now, ONCE)).map(signedIn)).toHaveLength(1)
    expect((await bench.engine.approvals.waiting()).map(({ id }) => id)).toEqual([far])
  })

  it("of another client wait on", async () => {
    const bench = at()
    const [one, other] = [await asking(bench), await asking(bench)]
    const id = waitingIn(await one.ask("sign_event", [eventJson(1, "x")]))
    waitingIn(await other.ask("sign_event", [eventJson(1, "x")]))
    await decide(bench, one, id, ALWAYS)
    expect((await bench.engine.approvals.waiting()).length).toBe(1)
    waitingIn(await other.ask("sign_event", [eventJson(1, "y")]))
  })
})

describe("deadlines", () => {
  const late = async (say: Say) => {
    const bench = at()
    const client = await asking(bench)
    const id = waitingIn(await client.ask("sign_event", [eventJson(1, "x")], { id: "first" }))
    expect(await bench.engine.approvals.expire()).toEqual([])
    bench.advance(60_000)
    const answers = (await bench.engine.approvals.expire()).map((answer) => client.open(answer))
    expect(answers).toMatchObject([{ id: "first", error: "nobody decided in time; ask again" }])
    expect(await bench.engine.approvals.expire()).toEqual([])
    const decideLate = async () => {
      const { digest } = await shown(bench, id)
      return bench.engine.approvals.decide(id, { ...say, digest, by: "owner" } as OwnerDecision)
    }
    return { bench, client, decideLate }
  }

  it("QUIRKS signer 9: a decision that comes too late serves the retry, once, whatever its created_at", async () => {
    const { bench, client, decideLate } = await late(ONCE)
    bench.advance(100_000)
    expect(await decideLate()).toMatchObject({ kind: "late" })
    expect(await decideLate()).toEqual({ kind: "gone" })
    waitingIn(await client.ask("sign_event", [eventJson(1, "other")]))
    signedIn(await client.ask("sign_event", [eventJson(1, "x", { created_at: START + 160 })]))
    waitingIn(await client.ask("sign_event", [eventJson(1, "x", { created_at: START + 160 })]))
  })

  it("a late decision does not serve the same words under a date that was not shown", async () => {
    const { client, decideLate } = await late(ONCE)
    await decideLate()
    waitingIn(await client.ask("sign_event", [eventJson(1, "x", { created_at: 4_102_444_800 })]))
    signedIn(await client.ask("sign_event", [eventJson(1, "x", { created_at: START + 61 })]))
  })

  it("QUIRKS signer 9: for ten minutes", async () => {
    const { bench, client, decideLate } = await late(ONCE)
    await decideLate()
    bench.advance(600_000)
    waitingIn(await client.ask("sign_event", [eventJson(1, "x")]))
    const other = await late(ONCE)
    other.bench.advance(600_000)
    expect(await other.decideLate()).toEqual({ kind: "gone" })
  })

  it("a late always is one, for what waits already too; a late denial serves nothing", async () => {
    const { client, decideLate } = await late(ALWAYS)
    waitingIn(await client.ask("sign_event", [eventJson(1, "again")], { id: "again" }))
    const outcome = await decideLate()
    if (outcome.kind !== "late") throw new Error(outcome.kind)
    expect(outcome.answers.map((answer) => client.open(answer))).toMatchObject([{ id: "again" }])
    signedIn(await client.ask("sign_event", [eventJson(1, "other")]))
    const denied = await late(DENY)
    expect(await denied.decideLate()).toMatchObject({ kind: "late" })
    waitingIn(await denied.client.ask("sign_event", [eventJson(1, "x")]))
  })

  it("a challenged client has ten minutes", async () => {
    const bench = at()
    const client = await asking(bench, { style: "auth_url" })
    const outcome = await bench.engine.handle(client.request("sign_event", [eventJson(1)]))
    bench.advance(599_000)
    expect(await bench.engine.approvals.expire()).toEqual([])
    if (outcome.kind !== "waiting") throw new Error(outcome.kind)
    expect((await decide(bench, client, outcome.approvalId, ONCE)).map(signedIn)).toHaveLength(1)
  })
})

describe("floods", () => {
  it("five different things wait for one client; a sixth is refused, more of the same is not", async () => {
    const bench = at()
    const client = await asking(bench)
    for (const kind of [1, 2, 3, 4, 5]) waitingIn(await client.ask("sign_event", [eventJson(kind)]))
    expect(errorOf(await client.ask("sign_event", [eventJson(6)]))).toContain("waits for its owner")
    waitingIn(await client.ask("sign_event", [eventJson(1, "more")]))
    waitingIn(await (await asking(bench)).ask("sign_event", [eventJson(6)]))
  })

  it("10,000 requests of thirty kinds make five prompts and fifty that wait", async () => {
    const bench = at()
    const client = await asking(bench)
    let waiting = 0
    for (let n = 0; n < 10_000; n++) {
      bench.advance(1_000)
      const reading = await client.ask("sign_event", [eventJson(n % 30, `flood ${n}`, { created_at: bench.now() })])
      if ("waiting" in reading) waiting++
      else errorOf(reading)
    }
    expect(waiting).toBe(50)
    expect(new Set((await bench.engine.approvals.waiting()).map(({ scope }) => scope)).size).toBe(5)
  })

  it("one app leaves places for another, and a hundred requests wait for one key", async () => {
    const bench = at()
    for (const client of [await asking(bench), await asking(bench)]) {
      for (let n = 0; n < 50; n++) waitingIn(await client.ask("sign_event", [eventJson(1, `n ${n}`)]))
      expect(errorOf(await client.ask("sign_event", [eventJson(1, "one more")]))).toContain("waits for its owner")
    }
    // Five places are always its own.
    const third = await asking(bench)
    for (let n = 0; n < 5; n++) waitingIn(await third.ask("sign_event", [eventJson(1, `n ${n}`)]))
    expect(errorOf(await third.ask("sign_event", [eventJson(1)]))).toContain("waits for its owner")
  })
})

describe("what happens meanwhile", () => {
  it("a revocation: nothing is decided any more, and nothing is said", async () => {
    const bench = at()
    const client = await asking(bench)
    const id = waitingIn(await client.ask("sign_event", [eventJson(1)]))
    const { digest, connection } = await shown(bench, id)
    await bench.record.setState(connection.id, "revoked", ownerDid)
    expect(await bench.engine.approvals.decide(id, { ...ONCE, digest, by: "owner" })).toEqual({ kind: "gone" })
    expect(await bench.engine.approvals.stop(connection.id)).toEqual([])
    expect(await bench.engine.approvals.waiting()).toEqual([])
  })

  it("a grant that the owner gave elsewhere serves the next, and a crash after a decision loses nothing", async () => {
    let fails = true
    const bench = at({
      keys: (keys) => ({
        ...keys,
        async userKey(pubkey) {
          if (fails) throw new Error("the process ends here")
          return keys.userKey(pubkey)
        },
      }),
      record: (record) => ({ ...record, answer: async () => new Promise(() => undefined) }),
    })
    const client = await asking(bench)
    const id = waitingIn(await client.ask("sign_event", [eventJson(1)], { id: "r" }))
    await decide(bench, client, id, ONCE)
    fails = false
    const answers = (await bench.restart().recover()).map((answer) => client.open(answer))
    expect(answers).toMatchObject([{ id: "r" }])
    expect(answers.map(signedIn)).toHaveLength(1)
  })

  it("a decision that came long after the request is carried out after a crash all the same", async () => {
    const bench = at({ record: (record) => ({ ...record, answer: async () => new Promise(() => undefined) }) })
    const client = await asking(bench, { style: "auth_url" })
    const outcome = await bench.engine.handle(client.request("sign_event", [eventJson(1)]))
    if (outcome.kind !== "waiting") throw new Error(outcome.kind)
    bench.advance(500_000)
    await decide(bench, client, outcome.approvalId, ONCE)
    expect((await bench.restart().recover()).map((answer) => signedIn(client.open(answer)))).toHaveLength(1)
  })

  it("the end of the session: what waits on it is approved no more, by no grant either", async () => {
    const bench = at()
    const client = await asking(bench, { expiresAt: START + 30 })
    const id = waitingIn(await client.ask("sign_event", [eventJson(1)]))
    waitingIn(await client.ask("sign_event", [eventJson(1, "other")]))
    const { digest } = await shown(bench, id)
    bench.advance(30_000)
    expect(await bench.engine.approvals.decide(id, { ...ALWAYS, digest, by: "owner" })).toEqual({ kind: "gone" })
    expect(await bench.engine.approvals.waiting()).toHaveLength(2)
  })

  it("a pause between the look and the decision: nothing is approved", async () => {
    let pause = async (): Promise<unknown> => undefined
    const bench = at({
      record: (record) => ({
        ...record,
        async decide(entry) {
          await pause()
          return record.decide(entry)
        },
      }),
    })
    const client = await asking(bench)
    const id = waitingIn(await client.ask("sign_event", [eventJson(1)]))
    const { digest, connection } = await shown(bench, id)
    pause = () => bench.record.setState(connection.id, "paused", ownerDid)
    expect(await bench.engine.approvals.decide(id, { ...ONCE, digest, by: "owner" })).toEqual({ kind: "gone" })
  })

  it("a pause: nothing is approved any more, and the client is told", async () => {
    const bench = at()
    const client = await asking(bench)
    const id = waitingIn(await client.ask("sign_event", [eventJson(1)]))
    const { connection, digest } = await shown(bench, id)
    await bench.record.setState(connection.id, "paused", ownerDid)
    expect(await bench.engine.approvals.decide(id, { ...ALWAYS, digest, by: "owner" })).toEqual({ kind: "gone" })
    const answers = (await bench.engine.approvals.stop(connection.id)).map((answer) => client.open(answer))
    expect(answers.map(errorOf)).toEqual(["the owner has paused this app"])
    expect(await bench.engine.approvals.waiting()).toEqual([])
  })

  it("a denial that the owner set meanwhile: it cannot be approved until that is taken back", async () => {
    const bench = at()
    const client = await asking(bench)
    const id = waitingIn(await client.ask("sign_event", [eventJson(1)]))
    const { digest, connection } = await shown(bench, id)
    await bench.record.setTerms(connection.id, { addGrants: [grant("sign_event", "1", { effect: "deny" })] }, ownerDid)
    const outcome = await bench.engine.approvals.decide(id, { ...ALWAYS, digest, by: "owner" })
    expect(outcome).toEqual({ kind: "denied", reason: "the owner denies signing kind 1 to this app" })
    expect(
      (await bench.engine.approvals.settle(connection)).map((answer) => errorOf(client.open(answer))),
    ).toHaveLength(1)
  })

  it("a write that fails for one keeps no answer of the others back, and is tried again", async () => {
    const broken = new Set<string>()
    const bench = at({
      record: (record) => ({
        ...record,
        async decide(entry) {
          if (entry.ids.some((id) => broken.has(id))) throw new Error("disk full")
          return record.decide(entry)
        },
      }),
    })
    const client = await asking(bench)
    const ids: string[] = []
    for (const kind of [1, 2, 3]) ids.push(waitingIn(await client.ask("sign_event", [eventJson(kind)])))
    broken.add(ids[1] as string)
    bench.advance(60_000)
    expect(await bench.engine.approvals.expire()).toHaveLength(2)
    expect(bench.faults).toHaveLength(1)
    broken.clear()
    expect(await bench.engine.approvals.expire()).toHaveLength(1)
  })

  it("a restart carries out what a grant decides that was given before it", async () => {
    const bench = at()
    const client = await asking(bench)
    waitingIn(await client.ask("sign_event", [eventJson(1)], { id: "r" }))
    const { id } = await bench.connectionOf(client)
    await bench.record.setTerms(id, { addGrants: [grant("sign_event", "1")] }, ownerDid)
    const answers = (await bench.restart().recover()).map((answer) => client.open(answer))
    expect(answers.map(signedIn)).toHaveLength(1)
  })

  it("the record holds no word of what is asked for", async () => {
    const bench = at()
    const client = await asking(bench)
    const tags = [
      ["t", "canary-verb"],
      ["server", "canary.example"],
    ]
    waitingIn(await client.ask("sign_event", [eventJson(24242, "canary", { tags })]))
    const [approval] = await bench.engine.approvals.waiting()
    expect(approval?.scope).toMatch(/^[0-9a-f]{64}$/)
    expect(JSON.stringify([approval, bench.record.audit])).not.toContain("canary")
  })

  it("terms change: grants that are added let what waits be settled at the next decision", async () => {
    const bench = at()
    const client = await asking(bench)
    const one = waitingIn(await client.ask("sign_event", [eventJson(1)], { id: "one" }))
    waitingIn(await client.ask("sign_event", [eventJson(7)], { id: "seven" }))
    const { connection } = await shown(bench, one)
    const counted = grant("sign_event", "7", { usesLeft: 1 })
    expect(await bench.record.setTerms(connection.id, { addGrants: [counted] }, ownerDid)).toBe(true)
    const answers = await decide(bench, client, one, ONCE)
    expect(answers.map((answer) => "id" in answer && answer.id)).toEqual(["one", "seven"])
    expect((await bench.connectionOf(client)).grants).toMatchObject([{ id: counted.id, usesLeft: 0 }])
  })
})

it("a day of an everyday client makes three prompts with the preset social", async () => {
  const bench = at()
  const grants = PRESETS.social.permissions.map(({ method, param }) => grant(method, param))
  const client = await bench.connected(grants, { style: "hold" })
  let prompts = 0
  const ask = async (method: string, params: readonly string[]): Promise<void> => {
    bench.advance(90_000)
    const reading = await client.ask(method, params)
    if (!("waiting" in reading)) {
      resultOf(reading)
      return
    }
    prompts++
    resultOf((await decide(bench, client, reading.waiting, ALWAYS))[0] as Reading)
  }
  const sign = (kind: number, tags: string[][], content = ""): Promise<void> =>
    ask("sign_event", [eventJson(kind, content, { tags, created_at: bench.now() + 90 })])
  const list = resultOf(await client.ask("nip44_encrypt", [bench.userPubkey, "a private list"]))

  for (let relay = 0; relay < 12; relay++) {
    await sign(22242, [
      ["relay", `wss://relay${relay}.example`],
      ["challenge", `c${relay}`],
    ])
  }
  for (let upload = 0; upload < 40; upload++) {
    await sign(27235, [
      ["u", `https://media${upload % 2}.example/upload/${upload}`],
      ["method", "POST"],
    ])
  }
  for (let change = 0; change < 10; change++) await sign(30078, [["d", `settings/${change % 3}`]])
  for (let note = 0; note < 200; note++) await ask("nip44_decrypt", [bench.userPubkey, list])
  for (let reaction = 0; reaction < 300; reaction++) await sign(7, [["e", "ab".repeat(32)]], "+")
  expect(prompts).toBe(3)
})

type Deed =
  | { do: "ask"; kind: number }
  | { do: "decide"; which: number; say: Say }
  | { do: "pause" | "resume" | "revoke" | "logout" | "expire" | "restart" }
  | { do: "wait"; seconds: number }

const deed: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant("ask" as const), kind: fc.constantFrom(1, 7) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("decide" as const),
      which: fc.nat(2),
      say: fc.constantFrom<Say>(ONCE, ALWAYS, HOUR, DENY, BLOCK),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("wait" as const), seconds: fc.constantFrom(1, 60, 3_600) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom("pause" as const, "resume" as const, "revoke" as const, "logout" as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("expire" as const, "restart" as const) }) },
)

/** libsecp256k1 does in seconds what takes JavaScript's curve minutes. */
const SEQUENCES = crypto.name.includes("libsecp256k1") ? 10_000 : 1_000

it(`invariant 5: of ${SEQUENCES} sequences of asking, deciding, pausing, revoking and leaving, nothing is signed that was not approved`, {
  timeout: 180_000,
}, async () => {
  let signatures = 0
  let sequences = 0
  let bench = at()
  await fc.assert(
    fc.asyncProperty(fc.array(deed, { minLength: 2, maxLength: 8 }), async (deeds) => {
      // A memory record looks through all that it holds.
      if (sequences++ % 50 === 0) bench = at()
      const client = await asking(bench)
      const { id, remoteSignerPubkey } = await bench.connectionOf(client)
      /** Until when each kind is approved, by what the owner said; and what was approved this once. */
      const until = new Map<number, number>()
      const blocked = new Set<number>()
      const once = new Set<string>()
      const given = new Set<string>()
      const asked = new Map<string, { kind: number; content: string }>()
      let state = "active"
      let n = 0
      const check = (reading: Reading): void => {
        if (!("result" in reading) || reading.error !== undefined || reading.result === "ack") return
        const { kind, content } = JSON.parse(reading.result) as NostrEvent
        // An answer that was given before may be given again, until the owner shuts its app out.
        if (given.has(content)) {
          expect(state).not.toBe("revoked")
          return
        }
        given.add(content)
        const isApproved = (until.get(kind) ?? 0) > bench.now() && !blocked.has(kind)
        expect([kind, content, isApproved || once.has(content)]).toEqual([kind, content, true])
        expect(state).toBe("active")
        signatures++
      }
      for (const step of deeds) {
        bench.advance(1_000)
        switch (step.do) {
          case "ask": {
            const content = `note ${++n}`
            const reading = await client.ask("sign_event", [eventJson(step.kind, content, { created_at: bench.now() })])
            if ("waiting" in reading) asked.set(reading.waiting, { kind: step.kind, content })
            check(reading)
            break
          }
          case "decide": {
            const approval = [...asked.keys()][step.which]
            const opened = approval === undefined ? undefined : await bench.engine.approvals.open(approval)
            if (approval === undefined || opened === undefined) break
            const { kind, content } = asked.get(approval) as { kind: number; content: string }
            const before = [until.get(kind), blocked.has(kind), once.has(content)] as const
            // What is decided is true from the moment at which it is said.
            if (step.say.kind === "deny" && step.say.block) blocked.add(kind)
            if (step.say.kind === "approve") {
              const { extent } = step.say
              if (extent.kind === "once") once.add(content)
              else until.set(kind, extent.kind === "always" ? Number.POSITIVE_INFINITY : bench.now() + extent.seconds)
            }
            const decision = { ...step.say, digest: opened.digest, by: "owner" } as OwnerDecision
            const outcome = await bench.engine.approvals.decide(approval, decision)
            if (outcome.kind === "decided") {
              asked.delete(approval)
              for (const answer of outcome.answers) check(client.open(answer))
            }
            if (outcome.kind !== "gone") break
            if (before[0] === undefined) until.delete(kind)
            else until.set(kind, before[0])
            if (!before[1]) blocked.delete(kind)
            if (!before[2]) once.delete(content)
            break
          }
          case "wait":
            bench.advance(step.seconds * 1_000)
            break
          case "expire":
            for (const answer of await bench.engine.approvals.expire()) {
              if (answer.connectionId === id) check(client.open(answer))
            }
            break
          case "restart":
            for (const answer of await bench.restart({ signer: { approvalUrl: URL_OF } }).recover()) {
              if (answer.connectionId === id) check(client.open(answer))
            }
            break
          case "logout":
            await client.ask("logout")
            if (state === "active" || state === "paused") state = "logged_out"
            break
          default: {
            const to = { pause: "paused", resume: "active", revoke: "revoked" } as const
            if (await bench.record.setState(id, to[step.do], ownerDid)) state = to[step.do]
          }
        }
      }
      expect((await bench.record.connection(remoteSignerPubkey))?.state).toBe(state)
      // The next sequence is another app's: what this one left must not fill the places of the key.
      await bench.record.setState(id, "revoked", ownerDid)
      await bench.engine.approvals.expire()
    }),
    { numRuns: SEQUENCES },
  )
  expect(signatures).toBeGreaterThan(SEQUENCES / 10)
})

function resultOf(reading: Reading): string {
  if (!("result" in reading) || reading.error !== undefined) throw new Error(`no result: ${JSON.stringify(reading)}`)
  return reading.result
}
