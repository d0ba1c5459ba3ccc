import { describe, expect, it } from "vitest"
import {
  ALWAYS,
  asking,
  at,
  BLOCK,
  DENY,
  decide,
  HOUR,
  ONCE,
  resultOf,
  shown,
  URL_OF,
  waitingIn,
} from "../../test/support/approval-bench.js"
import {
  createBench,
  errorOf,
  eventJson,
  grant,
  type Reading,
  START,
  signedIn,
} from "../../test/support/signer-bench.js"
import type { NostrEvent } from "../protocol/event.js"
import { MAX_GRANTS } from "./authorize.js"
import type { Grant } from "./ports.js"

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

  it("is sent once the record has it, or has failed", async () => {
    for (const fails of [false, true]) {
      let kept: (() => void) | undefined
      const bench = at({
        record: (record) => ({
          ...record,
          async challenge(id, challenge) {
            await new Promise<void>((resolve) => {
              kept = resolve
            })
            if (fails) throw new Error("the disk is full")
            await record.challenge(id, challenge)
          },
        }),
      })
      const client = await asking(bench, { style: "auth_url" })
      let isSent = false
      const sending = bench.engine.handle(client.request("sign_event", [eventJson(1)])).then((outcome) => {
        isSent = true
        return outcome
      })
      await expect.poll(() => kept).toBeDefined()
      expect(isSent).toBe(false)
      kept?.()
      const outcome = await sending
      if (outcome.kind !== "waiting") throw new Error(outcome.kind)
      expect(outcome.challenge).toBeDefined()
      const { approval } = await shown(bench, outcome.approvalId)
      expect(approval.challenge).toEqual(fails ? undefined : outcome.challenge?.event)
      expect(bench.faults).toHaveLength(fails ? 1 : 0)
    }
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

  it("takes what is over of the client's grants away with what it adds, and stops at what an app may have", async () => {
    const bench = at()
    const grants = Array.from({ length: MAX_GRANTS }, (_, i) => grant("sign_event", String(40_000 + i)))
    const [over, usedUp, ...rest] = grants
    const dead = [
      { ...(over as Grant), expiresAt: START },
      { ...(usedUp as Grant), usesLeft: 0 },
    ]
    const client = await asking(bench, { grants: [...dead, ...rest] })
    await decide(bench, client, waitingIn(await client.ask("sign_event", [eventJson(1)])), ALWAYS)
    const params = (await bench.record.connections())[0]?.grants.map(({ param }) => param)
    expect(params).toEqual([...rest.map(({ param }) => param), "1"])
    await decide(bench, client, waitingIn(await client.ask("sign_event", [eventJson(4)])), BLOCK)
    const id = waitingIn(await client.ask("sign_event", [eventJson(6)]))
    const { digest } = await shown(bench, id)
    const outcome = await bench.engine.approvals.decide(id, { ...ALWAYS, digest, by: "owner" })
    expect(outcome).toEqual({ kind: "denied", reason: "this app has 200 grants and denials already" })
    expect((await decide(bench, client, id, ONCE)).length).toBe(1)
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
