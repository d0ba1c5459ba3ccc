import { describe, expect, it } from "vitest"
import {
  createBench,
  errorOf,
  eventJson,
  grant,
  ownerDid,
  type Reading,
  signedIn,
} from "../../test/support/signer-bench.js"
import type { Answer } from "./answerer.js"
import type { SignerEngine } from "./engine.js"
import type { MemoryKeys } from "./memory-keys.js"
import type { SignerKeys } from "./ports.js"

/** Counts what matters most: how often a user key was taken out. */
function countingBench() {
  const uses = { count: 0 }
  const keys = (inner: MemoryKeys): SignerKeys => ({
    ...inner,
    async userKey(pubkey) {
      uses.count++
      return inner.userKey(pubkey)
    },
  })
  return { bench: createBench({ keys }), keys, uses }
}

async function answerTo(engine: SignerEngine, event: unknown): Promise<Answer> {
  const outcome = await engine.handle(event)
  if (outcome.kind !== "answered") throw new Error(outcome.kind)
  return outcome.answer
}

describe("invariant 2: one request has at most one effect", () => {
  it("copies within 2 s are another relay's: silent; a later one gets the very answer again", async () => {
    const { bench, uses } = countingBench()
    const client = await bench.connected("sign_event:1")
    const event = client.request("sign_event", [eventJson()])
    const first = await answerTo(bench.engine, event)
    for (const ms of [0, 1_999]) {
      bench.advance(ms)
      expect(await client.send(event)).toEqual({ ignored: "duplicate" })
    }
    bench.advance(1)
    expect(await answerTo(bench.engine, event)).toEqual(first)
    expect(await client.send(event)).toEqual({ ignored: "duplicate" })
    expect(uses.count).toBe(1)
  })

  it("QUIRKS relays 9: copies from three relays at once: one answer", async () => {
    const { bench, uses } = countingBench()
    const client = await bench.connected("sign_event:1")
    const event = client.request("sign_event", [eventJson()])
    const readings = await Promise.all(Array.from({ length: 30 }, () => client.send(event)))
    expect(readings.filter((reading) => "result" in reading)).toHaveLength(1)
    expect(readings.filter((reading) => "ignored" in reading && reading.ignored === "duplicate")).toHaveLength(29)
    expect(uses.count).toBe(1)
  })

  it("QUIRKS signer 8: a retry in a new event gets the recorded answer: the same event up to 50 s, then the same words anew", async () => {
    const { bench, uses } = countingBench()
    const client = await bench.connected("sign_event:1")
    const retry = () => client.request("sign_event", [eventJson()], { id: "retry" })
    const first = await answerTo(bench.engine, retry())
    bench.advance(50_000)
    expect(await answerTo(bench.engine, retry())).toEqual(first)
    bench.advance(1_000)
    const fresh = await answerTo(bench.engine, retry())
    expect(fresh.event.id).not.toBe(first.event.id)
    expect(fresh.event.created_at).toBe(bench.now())
    expect(client.open(fresh)).toEqual(client.open(first))
    expect(uses.count).toBe(1)
    expect(bench.record.audit.filter(({ action }) => action === "sign_event")).toHaveLength(1)
  })

  it("two events of one request at once: one is executed, the other waits for its answer", async () => {
    const { bench, uses } = countingBench()
    const client = await bench.connected("sign_event:1")
    const ask = () => client.ask("sign_event", [eventJson()], { id: "twice" })
    const event = client.request("sign_event", [eventJson()], { id: "twice", createdAt: bench.now() - 1 })
    const readings = await Promise.all([ask(), client.send(event)])
    expect(readings.filter((reading) => "result" in reading).length).toBeGreaterThanOrEqual(1)
    expect(uses.count).toBe(1)
    signedIn(await ask())
    expect(uses.count).toBe(1)
  })

  it("the same id with other content is a new request: real clients' ids collide (QUIRKS signer 8)", async () => {
    const { bench, uses } = countingBench()
    const client = await bench.connected("sign_event,nip44_encrypt")
    const contents = ["one", "two", "three"]
    for (const content of contents) {
      expect(signedIn(await client.ask("sign_event", [eventJson(1, content)], { id: "1" })).content).toBe(content)
    }
    await client.ask("nip44_encrypt", [bench.userPubkey, "one"], { id: "1" })
    expect(uses.count).toBe(4)
    expect(await client.ask("ping", [], { id: "1" })).toEqual({ id: "1", result: "pong" })
    // A number is another id than its digits.
    signedIn(await client.ask("sign_event", [eventJson(1, "one")], { id: 1 }))
    expect(uses.count).toBe(5)
  })

  it("QUIRKS signer 9: asked again with a new id, after an answer that came too late, it is signed again", async () => {
    const { bench, uses } = countingBench()
    const client = await bench.connected("sign_event:1")
    for (const [i, seconds] of [5, 10, 30, 65].entries()) {
      // A client that asks again takes the time of day anew.
      const event = eventJson(1, "the same", { created_at: bench.now() })
      expect(signedIn(await client.ask("sign_event", [event])).created_at).toBe(bench.now())
      bench.advance(seconds * 1_000)
      expect(uses.count).toBe(i + 1)
    }
  })

  it("two clients with the same id and words are two requests", async () => {
    const { bench, uses } = countingBench()
    const clients = [await bench.connected("sign_event:1"), await bench.connected("sign_event:1")]
    for (const client of clients) signedIn(await client.ask("sign_event", [eventJson()], { id: "1" }))
    expect(uses.count).toBe(2)
  })

  it("QUIRKS signer 8: replays after a restart: answers again, no second effect", async () => {
    const { bench, keys, uses } = countingBench()
    const client = await bench.connected([grant("sign_event", "1", { usesLeft: 10 })])
    const events = Array.from({ length: 8 }, (_, i) => client.request("sign_event", [eventJson(1, `note ${i}`)]))
    const answers = []
    for (const event of events) answers.push(await answerTo(bench.engine, event))
    const audit = bench.record.audit.length
    const engine = bench.restart({ keys })
    for (const [i, event] of events.entries()) expect(await answerTo(engine, event)).toEqual(answers[i])
    expect(uses.count).toBe(8)
    expect((await bench.connectionOf(client)).grants[0]?.usesLeft).toBe(2)
    expect(bench.record.audit).toHaveLength(audit)
  })

  it("replays after the answers and after the claims were purged: silence, no effect", async () => {
    const { bench, uses } = countingBench()
    const client = await bench.connected("sign_event:1")
    const event = client.request("sign_event", [eventJson()])
    await client.send(event)
    bench.advance(16 * 60_000)
    await bench.record.purge(bench.now())
    expect(await client.send(event)).toEqual({ ignored: "duplicate" })
    bench.advance(25 * 3_600_000)
    await bench.record.purge(bench.now())
    expect(await client.send(event)).toEqual({ ignored: "stale" })
    bench.advance(-25 * 3_600_000)
    expect(await client.send(event)).not.toMatchObject({ result: expect.anything() })
    expect(uses.count).toBe(1)
  })

  it("QUIRKS signer 8: a connect whose answer was lost is acked again, by its event and by its words", async () => {
    const bench = createBench()
    const { connection, secret } = await bench.offer()
    const client = bench.client(connection.remoteSignerPubkey)
    const event = client.request("connect", ["", secret], { id: "c" })
    expect(await client.send(event)).toEqual({ id: "c", result: "ack" })
    expect(await client.ask("connect", ["", secret], { id: "c" })).toEqual({ id: "c", result: "ack" })
    bench.advance(3_000)
    expect(await client.send(event)).toEqual({ id: "c", result: "ack" })
    expect(bench.record.audit.filter(({ action }) => action === "connect")).toHaveLength(1)
  })
})

it("nothing recorded is sent again after a revocation", async () => {
  const bench = createBench()
  const client = await bench.connected("sign_event:1")
  const event = client.request("sign_event", [eventJson()], { id: "r" })
  signedIn(await client.send(event))
  await bench.record.setState((await bench.connectionOf(client)).id, "revoked", ownerDid)
  bench.advance(3_000)
  const readings: Reading[] = [await client.send(event), await client.ask("sign_event", [eventJson()], { id: "r" })]
  expect(readings[0]).toEqual({ ignored: "duplicate" })
  expect(errorOf(readings[1]!)).toMatch(/was revoked/)
})

it("a captured event cannot be turned into a flood of answers", async () => {
  const bench = createBench()
  const client = await bench.connected()
  const event = client.request("ping")
  await client.send(event)
  let answers = 0
  for (let i = 0; i < 100; i++) {
    bench.advance(100)
    if ("result" in (await client.send(event))) answers++
  }
  expect(answers).toBe(5)
})

describe("a day of requests that a storing relay plays again", () => {
  const MINUTE = 60_000

  it("QUIRKS relays 1: is silence, costs nothing of its client's share, and no curve", async () => {
    const { bench, uses } = countingBench()
    const client = await bench.connected("sign_event:1")
    const events = [
      client.request("sign_event", [eventJson()]),
      client.request("ping"),
      client.request("nonsense"),
      client.request("sign_event", ["{"]),
    ]
    for (const event of events) await client.send(event)
    // A fresh engine has verified nothing yet: no signature that is checked would hold a second time.
    bench.advance(6 * MINUTE)
    bench.restart({ signer: { clientRate: { capacity: 1, perSecond: 0 } } })
    for (let times = 0; times < 3; times++) {
      for (const event of events) {
        expect(await client.send({ ...event, sig: "0".repeat(128) })).toEqual({ ignored: "duplicate" })
        expect(await client.send(event)).toEqual({ ignored: "duplicate" })
      }
      bench.advance(MINUTE)
    }
    expect(await client.ask("ping")).toMatchObject({ result: "pong" })
    expect(uses.count).toBe(1)
  })

  it("is not told of a skew either, while the same words in a new event still get the recorded answer", async () => {
    const { bench, uses } = countingBench()
    const client = await bench.connected("sign_event:1")
    const ask = () => client.request("sign_event", [eventJson()], { id: "retried" })
    const [first, second] = [
      ask(),
      client.request("sign_event", [eventJson()], { id: "retried", createdAt: bench.now() - 1 }),
    ]
    for (const event of [first, second]) signedIn(await client.send(event))
    bench.advance(10 * MINUTE)
    for (const event of [first, second]) expect(await client.send(event)).toEqual({ ignored: "duplicate" })
    signedIn(await client.send(ask()))
    expect(uses.count).toBe(1)
  })

  it("an event is answered again while its client may wait, however far off its clock is within bounds", async () => {
    const bench = createBench()
    const client = await bench.connected()
    const event = client.request("ping", [], { createdAt: bench.now() - 290 })
    for (const ms of [0, 20_000, 280_000]) {
      bench.advance(ms)
      expect(await client.send(event)).toMatchObject({ result: "pong" })
    }
    bench.advance(1_000)
    expect(await client.send(event)).toEqual({ ignored: "duplicate" })
  })

  it("has one notice a minute for all that was never served, and no effect", async () => {
    const { bench, uses } = countingBench()
    const client = await bench.connected("sign_event:1")
    const missed = Array.from({ length: 5 }, (_, n) => client.request("sign_event", [eventJson(1, `note ${n}`)]))
    const refused = Array.from({ length: 5 }, () => client.request("", [], { plaintext: '{"id":"1","method":7}' }))
    bench.advance(23 * 60 * MINUTE)
    bench.restart({ signer: { clientRate: { capacity: 4, perSecond: 0 } } })
    for (let times = 0; times < 3; times++) {
      const readings = []
      for (const event of [...missed, ...refused]) readings.push(await client.send(event))
      expect(errorOf(readings[0]!)).toMatch(/your clock is 82\d\d\d s behind/)
      expect(readings.slice(1)).toEqual(Array(9).fill({ ignored: "clock_skew" }))
      bench.advance(61_000)
    }
    expect(uses.count).toBe(0)
  })
})
