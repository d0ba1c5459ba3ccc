import { describe, expect, it } from "vitest"
import {
  ALWAYS,
  asking,
  at,
  DENY,
  decide,
  ONCE,
  type Say,
  shown,
  waitingIn,
} from "../../test/support/approval-bench.js"
import { errorOf, eventJson, grant, ownerDid, START, signedIn } from "../../test/support/signer-bench.js"
import type { OwnerDecision } from "./approvals.js"

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
