import fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  createBench,
  crypto,
  errorOf,
  eventJson,
  grant,
  ownerDid,
  type Reading,
  type TestClient,
} from "../../test/support/signer-bench.js"
import { METHODS } from "../protocol/method.js"
import type { MemoryKeys } from "./memory-keys.js"
import type { MemoryRecord } from "./memory-record.js"
import type { ClaimEntry } from "./ports.js"

describe("invariant 1: no key is used before the claim, the counters and the audit row are committed", () => {
  it("of 40 concurrent requests, each use of the user key follows a commit that allowed it", async () => {
    const log: string[] = []
    const committed: ClaimEntry[] = []
    const bench = createBench({
      record: (record: MemoryRecord) => ({
        ...record,
        async commit(entry) {
          log.push("commit begins")
          // A record that takes its time: whoever does not await it is found out.
          for (let turn = 0; turn < 20; turn++) await Promise.resolve()
          const result = await record.commit(entry)
          if (result.kind === "committed" && entry.verdict.kind === "allow") {
            committed.push(entry)
            log.push("allowed")
          }
          return result
        },
      }),
      keys: (inner: MemoryKeys) => ({
        ...inner,
        userKey: (pubkey) => {
          log.push("key")
          return inner.userKey(pubkey)
        },
      }),
    })
    const client = await bench.connected([
      grant("sign_event", "1", { usesLeft: 10 }),
      grant("nip44_encrypt"),
      grant("nip04_encrypt"),
    ])
    await Promise.all(
      Array.from({ length: 40 }, (_, i) => {
        if (i % 4 === 0) return client.ask("nip44_encrypt", [bench.userPubkey, "x"])
        if (i % 4 === 1) return client.ask("nip04_encrypt", [bench.userPubkey, "x"])
        return client.ask("sign_event", [eventJson(1 + (i % 8 === 2 ? 1 : 0), `note ${i}`)])
      }),
    )
    let allowed = 0
    let used = 0
    for (const step of log) {
      if (step === "allowed") allowed++
      if (step === "key") expect(++used).toBeLessThanOrEqual(allowed)
    }
    expect(used).toBe(30)
    expect(allowed).toBe(30)
    for (const { eventId, audit, verdict, charges } of committed) {
      expect(audit).toMatchObject({ eventId, verdict: verdict.kind, actor: client.pubkey })
      expect(charges).toHaveLength(audit.action === "sign_event" ? 1 : 0)
      expect(bench.record.audit).toContain(audit)
    }
  })
})

describe("invariant 6: every request that reaches a live connection gets exactly one final answer", () => {
  it("whatever the method and the params (N46-TERMS-3, N46-RESPONSE-6, N46-RESPONSE-7)", async () => {
    const bench = createBench()
    const client = await bench.connected("sign_event,nip44_encrypt,nip44_decrypt,nip04_encrypt,nip04_decrypt")
    const methods = fc.oneof(fc.constantFrom(...METHODS.filter((method) => method !== "logout")), fc.string())
    const param = fc.oneof(
      fc.constantFrom(bench.userPubkey, client.pubkey, eventJson(1), "{}", '{"kind":1,"content":"x"}'),
      fc.jsonValue(),
    )
    const ids = fc.oneof(fc.string({ maxLength: 1_024 }), fc.constantFrom("", "\u0000".repeat(1_024)), fc.integer())
    await fc.assert(
      fc.asyncProperty(methods, fc.array(param, { maxLength: 5 }), ids, async (method, params, id) => {
        bench.advance(1_000)
        const reading = await client.ask(method, params, { id })
        expect(reading).toMatchObject({ id, result: expect.any(String) })
        if ("error" in reading) expect(errorOf(reading)).toMatch(/^[a-z].{5,}/)
      }),
      { numRuns: 120 },
    )
    expect(bench.faults).toEqual([])
    expect(bench.engine.stats()).toEqual({})
  })

  it("no error that a client gets is longer than a sentence or two", async () => {
    const bench = createBench()
    const client = await bench.connected()
    const asks: [string, unknown[]][] = [
      ["x".repeat(64), []],
      ["sign_event", ["x".repeat(20_000)]],
      ["sign_event", [eventJson(1, "x".repeat(20_000))]],
      ["nip44_decrypt", ["x".repeat(20_000), ""]],
    ]
    for (const [method, params] of asks) expect(errorOf(await client.ask(method, params)).length).toBeLessThan(200)
  })
})

describe("invariant 9: keys, plaintexts and secrets never reach an error or the audit", () => {
  it("canaries in every place where a client can put one", async () => {
    const bench = createBench()
    const { connection, secret, token } = await bench.offer("sign_event:1,nip44_encrypt,nip44_decrypt,nip04_decrypt")
    const client = bench.client(connection.remoteSignerPubkey)
    const canary = "canary7f3a"
    const readings: Reading[] = []
    const ask = async (method: string, ...params: unknown[]) => readings.push(await client.ask(method, params))
    await ask("connect", canary, `${secret}x`)
    await ask("connect", canary, secret, canary, JSON.stringify({ name: "Notes" }))
    await ask("sign_event", eventJson(2, canary))
    await ask("sign_event", canary)
    await ask("sign_event", JSON.stringify({ kind: canary, content: canary }))
    await ask("sign_event", eventJson(1, "x", { pubkey: canary }))
    await ask("nip44_encrypt", canary, canary)
    await ask("nip44_decrypt", bench.userPubkey, canary)
    await ask("nip04_decrypt", bench.userPubkey, canary)
    await ask("nip04_encrypt", bench.userPubkey, canary)
    await ask(canary, canary)
    await ask(secret, secret)
    const allowed = [
      await client.ask("sign_event", [eventJson(1, canary)]),
      await client.ask("nip44_encrypt", [bench.userPubkey, canary]),
    ]
    for (const reading of allowed) expect(reading).not.toHaveProperty("error")
    const told = JSON.stringify([readings, bench.record.audit, bench.engine.stats(), bench.faults])
    for (const forbidden of [canary, secret, token]) expect(told).not.toContain(forbidden)
    expect(bench.record.audit.filter(({ actor }) => actor === client.pubkey)).toHaveLength(13)
  })

  it("the audit says who, what, the verdict and why", async () => {
    const bench = createBench()
    const client = await bench.connected("sign_event:1,nip44_encrypt")
    await client.ask("sign_event", [eventJson(1)])
    await client.ask("sign_event", [eventJson(3)])
    await client.ask("nip44_encrypt", [bench.userPubkey, "x"])
    await client.ask("get_relays")
    const rows = bench.record.audit.slice(1).map(({ action, param, verdict, why }) => [action, param, verdict, why])
    expect(rows).toEqual([
      ["sign_event", "1", "allow", "grant sign_event:1"],
      ["sign_event", "3", "deny", "signing kind 3 is not permitted for this app; its owner can allow it"],
      ["nip44_encrypt", bench.userPubkey, "allow", "grant nip44_encrypt"],
      ["refused:unknown", undefined, "deny", expect.stringMatching(/^unknown method/)],
    ])
  })
})

type Step =
  | {
      readonly do: "connect"
      readonly who: number
      readonly secret: "right" | "wrong" | "none"
      readonly perms: string
    }
  | { readonly do: "sign"; readonly who: number; readonly kind: number; readonly again: boolean }
  | { readonly do: "get_public_key" | "logout"; readonly who: number }
  | { readonly do: "pause" | "resume" | "revoke" | "restart" }

const who = fc.constantFrom(0, 0, 0, 1, 2)
const steps = fc.array(
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant("connect" as const),
        who,
        secret: fc.constantFrom("right" as const, "right" as const, "wrong" as const, "none" as const),
        perms: fc.constantFrom("", "sign_event", "sign_event:2,sign_event:0"),
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant("sign" as const),
        who,
        kind: fc.constantFrom(1, 1, 1, 0, 2, 24133),
        again: fc.boolean(),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("get_public_key" as const, "logout" as const), who }) },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constantFrom(
          "pause" as const,
          "resume" as const,
          "resume" as const,
          "revoke" as const,
          "restart" as const,
        ),
      }),
    },
  ),
  { minLength: 4, maxLength: 16 },
) as fc.Arbitrary<Step[]>

it("invariant 5: whatever the order of connect, pause, resume, revoke and logout, what is signed was granted", async () => {
  let signatures = 0
  await fc.assert(
    fc.asyncProperty(fc.boolean(), steps, async (startsConnected, rest) => {
      const bench = createBench()
      const { connection, secret } = await bench.offer("sign_event:1")
      const clients = [0, 1, 2].map(() => bench.client(connection.remoteSignerPubkey))
      const model: { bound: number | undefined; state: string } = { bound: undefined, state: "offered" }
      const connect: Step = { do: "connect", who: 0, secret: "right", perms: "sign_event" }
      const sequence = startsConnected ? [connect, ...rest] : rest
      const final = () => model.state === "revoked" || model.state === "logged_out"
      for (const [n, step] of sequence.entries()) {
        const client = "who" in step ? (clients[step.who] as TestClient) : undefined
        bench.advance(100)
        switch (step.do) {
          case "connect": {
            const given = { right: [secret], wrong: ["wrong"], none: [] }[step.secret]
            const reading = await client!.ask("connect", ["", ...given, step.perms])
            const binds = model.state === "offered" && step.secret === "right"
            if (binds) Object.assign(model, { bound: step.who, state: "active" })
            const expected = model.bound === step.who && model.state === "active"
            expect("error" in reading ? errorOf(reading) && "error" : "ack").toBe(expected ? "ack" : "error")
            break
          }
          case "sign": {
            // A repeat of an allowed request may be answered from the record while the connection is paused.
            const id = step.again ? `again ${step.kind}` : `sign ${n}`
            const reading = await client!.ask("sign_event", [eventJson(step.kind)], { id })
            const served = model.bound === step.who && model.state === "active" && step.kind === 1
            const isSigned = "result" in reading && !("error" in reading)
            if (isSigned) {
              signatures++
              expect([step.who, step.kind]).toEqual([model.bound, 1])
              expect(final()).toBe(false)
            }
            if (!step.again) expect(isSigned).toBe(served)
            break
          }
          case "get_public_key": {
            const reading = await client!.ask("get_public_key")
            if (model.bound !== step.who || final()) expect(JSON.stringify(reading)).not.toContain(bench.userPubkey)
            break
          }
          case "logout": {
            const reading = await client!.ask("logout")
            const mayLeave = model.state === "active" || model.state === "paused"
            if (model.bound === step.who && mayLeave) model.state = "logged_out"
            else errorOf(reading)
            break
          }
          case "restart":
            bench.restart()
            break
          default: {
            const state = { pause: "paused", resume: "active", revoke: "revoked" }[step.do] as "paused"
            const done = await bench.record.setState(connection.id, state, ownerDid)
            expect(done).toBe(!final() && (model.state !== "offered" || step.do === "revoke"))
            if (done) model.state = state
          }
        }
        const [stored] = await bench.record.connections()
        expect(stored).toMatchObject({ state: model.state, grants: connection.grants })
      }
    }),
    { numRuns: 40 },
  )
  // A property of which nothing was ever signed would prove nothing.
  expect(signatures).toBeGreaterThan(10)
})

it("a connection's transport key is its own: 30 connections share none, and none is the user key", async () => {
  const bench = createBench()
  const clients = await Promise.all(Array.from({ length: 30 }, () => bench.connected()))
  const authors = await Promise.all(
    clients.map(async (client) => {
      const outcome = await bench.engine.handle(client.request("ping"))
      if (outcome.kind !== "answered") throw new Error(outcome.kind)
      expect(crypto.verifyEvent(outcome.answer.event)).toBe(true)
      return outcome.answer.event.pubkey
    }),
  )
  expect(new Set(authors).size).toBe(30)
  expect(authors).not.toContain(bench.userPubkey)
})

it("after close the engine still serves: it only forgets the keys that it cached", async () => {
  const bench = createBench()
  const client = await bench.connected()
  await client.ask("ping")
  bench.engine.close()
  expect(await client.ask("ping")).toMatchObject({ result: "pong" })
})
