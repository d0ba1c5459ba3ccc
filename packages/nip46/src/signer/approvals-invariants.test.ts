import fc from "fast-check"
import { expect, it } from "vitest"
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
  type Say,
  URL_OF,
} from "../../test/support/approval-bench.js"
import { crypto, eventJson, grant, ownerDid, type Reading } from "../../test/support/signer-bench.js"
import type { NostrEvent } from "../protocol/event.js"
import type { OwnerDecision } from "./approvals.js"
import { PRESETS } from "./presets.js"

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
