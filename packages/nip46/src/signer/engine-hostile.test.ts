import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { createBench, crypto, errorOf, eventJson, signedIn } from "../../test/support/signer-bench.js"
import { MAX_EVENT_BYTES } from "../protocol/limits.js"

/** What a stranger must not be able to change. */
const stored = async ({ record }: ReturnType<typeof createBench>) =>
  JSON.stringify([
    await record.connections(),
    record.audit,
    await record.unanswered(),
    (await record.answeredSince(0)).length,
  ])

describe("gate 1: prefilter", () => {
  it("whatever is handed in, nothing is thrown", async () => {
    const bench = createBench()
    await fc.assert(
      fc.asyncProperty(fc.anything({ withNullPrototype: true }), async (raw) => {
        expect(await bench.engine.handle(raw)).toEqual({ kind: "ignored", why: "malformed" })
      }),
    )
  })

  it("another kind, a p tag that is not ours, none at all, one that is no key (QUIRKS relays 5; N46-REQUEST-7)", async () => {
    const bench = createBench()
    const client = await bench.connected()
    const event = client.request("ping")
    expect(await client.send({ ...event, kind: 1 })).toEqual({ ignored: "malformed" })
    for (const tags of [[], [["p"]], [["p", client.pubkey]], [["p", "x".repeat(5_000)]], [["e", event.id]], [[]]]) {
      expect(await client.ask("ping", [], { tags })).toEqual({ ignored: "not_for_us" })
    }
    expect(bench.engine.stats()).toEqual({ malformed: 1, not_for_us: 6 })
  })

  it("what is too large is dropped before it is hashed, brackets included", async () => {
    const bench = createBench()
    const client = await bench.connected()
    const event = client.request("ping")
    const p = event.tags[0]!
    for (const large of [
      { ...event, content: "x".repeat(MAX_EVENT_BYTES + 1) },
      { ...event, tags: [p, ["t", "x".repeat(MAX_EVENT_BYTES)]] },
      { ...event, tags: [p, ...Array.from({ length: 30_000 }, () => [])] },
      { ...event, tags: [p, Array.from({ length: 30_000 }, () => "")] },
    ]) {
      expect(await client.send(large)).toEqual({ ignored: "malformed" })
    }
    expect(await client.send(event)).toMatchObject({ result: "pong" })
  })

  it("what nobody signed does not reach the record", async () => {
    const bench = createBench()
    const client = await bench.connected()
    const event = client.request("ping")
    expect(await client.send({ ...event, junk: "canary".repeat(10_000) })).toMatchObject({ result: "pong" })
    const [claim] = await bench.record.answeredSince(0)
    expect(claim?.event).toEqual(event)
  })
})

describe("gate 2: verify", () => {
  it("each field mutated: forged, unanswered, unrecorded, and the genuine event is served afterwards", async () => {
    const bench = createBench()
    const client = await bench.connected("sign_event:1")
    const other = await bench.connected("sign_event:1")
    const { remoteSignerPubkey } = await bench.connectionOf(client)
    const event = client.request("sign_event", [eventJson()])
    const flip = (hex: string, at: number) => hex.slice(0, at) + (hex[at] === "0" ? "1" : "0") + hex.slice(at + 1)
    const before = await stored(bench)
    const forged = [
      { ...event, id: flip(event.id, 0) },
      { ...event, id: flip(event.id, 63) },
      { ...event, sig: flip(event.sig, 0) },
      { ...event, sig: flip(event.sig, 127) },
      { ...event, sig: "0".repeat(128) },
      { ...event, sig: client.request("ping").sig },
      { ...event, pubkey: other.pubkey },
      { ...event, pubkey: "ff".repeat(32) },
      { ...event, created_at: event.created_at + 1 },
      { ...event, content: `${event.content}A` },
      { ...event, tags: [["p", remoteSignerPubkey], ["x"]] },
    ]
    for (const bad of forged) expect(await client.send(bad)).toEqual({ ignored: "forged" })
    expect(await stored(bench)).toBe(before)
    expect(bench.engine.stats()).toEqual({ forged: forged.length })
    signedIn(await client.send(event))
  })

  it("an id computed anew over other bytes does not carry the old signature", async () => {
    const bench = createBench()
    const client = await bench.connected("sign_event:1")
    const event = client.request("ping")
    const changed = { ...event, created_at: event.created_at + 1 }
    expect(await client.send({ ...changed, id: crypto.eventId(changed) })).toEqual({ ignored: "forged" })
  })

  it("no verdict is cached by an id: bad twins first, then the genuine event is served", async () => {
    const bench = createBench()
    const client = await bench.connected("sign_event:1")
    const event = client.request("sign_event", [eventJson()])
    const sigs = Array.from({ length: 50 }, (_, i) => i.toString(16).padStart(128, "0"))
    for (const sig of sigs) expect(await client.send({ ...event, sig })).toEqual({ ignored: "forged" })
    for (const content of ["", "other"]) expect(await client.send({ ...event, content })).toEqual({ ignored: "forged" })
    signedIn(await client.send(event))
  })

  it("no verdict is cached by an id: a good one first, then its twin with other content is forged", async () => {
    const bench = createBench()
    const client = await bench.connected("sign_event:1")
    const event = client.request("ping")
    await client.send(event)
    bench.advance(5_000)
    const { content } = client.request("sign_event", [eventJson()])
    expect(await client.send({ ...event, content })).toEqual({ ignored: "forged" })
  })

  it("forgeries in a client's name do not spend what the client may ask", async () => {
    const bench = createBench({ signer: { clientRate: { capacity: 1, perSecond: 0 } } })
    const client = await bench.connected()
    const event = client.request("ping")
    for (let i = 0; i < 20; i++) await client.send({ ...event, sig: i.toString(16).padStart(128, "0") })
    expect(await client.send(event)).toMatchObject({ result: "pong" })
  })

  it("copies of a client's event do not spend what the client may ask", async () => {
    const bench = createBench({ signer: { clientRate: { capacity: 2, perSecond: 0 } } })
    const client = await bench.connected()
    const event = client.request("ping")
    for (let i = 0; i < 20; i++) await client.send(event)
    expect(await client.ask("ping")).toMatchObject({ result: "pong" })
  })

  it("a client beyond its rate is told so, each time, and served again later", async () => {
    const bench = createBench({ signer: { clientRate: { capacity: 2, perSecond: 1 } } })
    const client = await bench.connected()
    const another = await bench.connected()
    const readings = [await client.ask("ping"), await client.ask("ping")]
    for (const reading of readings) expect(reading).toMatchObject({ result: "pong" })
    expect(errorOf(await client.ask("ping"))).toMatch(/too many requests at once; slow down/)
    expect(await another.ask("ping")).toMatchObject({ result: "pong" })
    bench.advance(1_000)
    expect(await client.ask("ping")).toMatchObject({ result: "pong" })
  })
})

describe("gates 3 and 4: decrypt, parse", () => {
  it("a NIP-04 transport is dropped and counted (QUIRKS signer 4)", async () => {
    const bench = createBench()
    const secretKey = crypto.generateSecretKey()
    const keypair = crypto.keypair(secretKey)
    const client = await bench.connected([], { clientPubkey: keypair.pubkey })
    const remoteSignerPubkey = client.request("ping").tags[0]![1]!
    const content = crypto.nip04Encrypt('{"id":"1","method":"ping"}', keypair, remoteSignerPubkey)
    const tags = [["p", remoteSignerPubkey]]
    const event = crypto.signEvent({ kind: 24133, content, tags, created_at: bench.now() }, keypair)
    expect(await bench.engine.handle(event)).toEqual({ kind: "ignored", why: "nip04_transport" })
    expect(bench.engine.stats()).toEqual({ nip04_transport: 1 })
  })

  it("what does not open or is no message is dropped and counted", async () => {
    const bench = createBench()
    const client = await bench.connected()
    const elsewhere = await bench.connected()
    const { content } = elsewhere.request("ping")
    const event = client.request("ping")
    const moved = await client.send({ ...event, content })
    expect(moved).toEqual({ ignored: "forged" })
    const toOther = elsewhere.request("ping", [], { tags: event.tags })
    expect(await client.send(toOther)).toMatchObject({ ignored: "undecryptable" })
    for (const plaintext of ["hello", "[]", "null", '{"method":"ping"}', "[".repeat(30_000), '{"id":[]}']) {
      expect(await client.ask("", [], { plaintext })).toEqual({ ignored: "garbage" })
    }
  })

  it("an answer of ours that comes back is nobody's request", async () => {
    const bench = createBench()
    const client = await bench.connected()
    const outcome = await bench.engine.handle(client.request("ping"))
    if (outcome.kind !== "answered") throw new Error(outcome.kind)
    expect(await bench.engine.handle(outcome.answer.event)).toEqual({ kind: "ignored", why: "not_for_us" })
  })
})

describe("strangers", () => {
  it("get one error each while the bucket lasts, then silence; they store nothing, and the client is served", async () => {
    const bench = createBench({ signer: { strangerRate: { capacity: 3, perSecond: 1 } } })
    const client = await bench.connected()
    const { remoteSignerPubkey } = await bench.connectionOf(client)
    const before = await stored(bench)
    const readings = []
    for (let i = 0; i < 10; i++) readings.push(await bench.client(remoteSignerPubkey).ask("connect", ["", "guess"]))
    expect(readings.slice(0, 3).map(errorOf)).toEqual(
      Array(3).fill(expect.stringMatching(/already used by another app/)),
    )
    expect(readings.slice(3)).toEqual(Array(7).fill({ ignored: "strangers_limit" }))
    expect(await stored(bench)).toBe(before)
    expect(await client.ask("ping")).toMatchObject({ result: "pong" })
    bench.advance(1_000)
    errorOf(await bench.client(remoteSignerPubkey).ask("ping"))
    expect(await bench.client(remoteSignerPubkey).ask("ping")).toEqual({ ignored: "strangers_limit" })
  })

  it.each(["a key in use", "an offered key"])("are charged before any signature is verified, at %s", async (where) => {
    const rate = { capacity: 2, perSecond: 0 }
    const bench = createBench({ signer: where === "a key in use" ? { strangerRate: rate } : { offeredRate: rate } })
    const { remoteSignerPubkey } =
      where === "a key in use" ? await bench.connectionOf(await bench.connected()) : (await bench.offer()).connection
    const event = bench.client(remoteSignerPubkey).request("connect")
    const forged = { ...event, sig: "0".repeat(128) }
    const whys = []
    for (let i = 0; i < 4; i++) whys.push(await bench.engine.handle(forged))
    expect(whys.map((outcome) => outcome.kind === "ignored" && outcome.why)).toEqual([
      "forged",
      "forged",
      "strangers_limit",
      "strangers_limit",
    ])
  })

  it("at one signer key do not drain the share of another, until all strangers' share is gone", async () => {
    const rate = { capacity: 2, perSecond: 0 }
    const bench = createBench({ signer: { strangerRate: rate, allStrangersRate: { capacity: 5, perSecond: 0 } } })
    const clients = [await bench.connected(), await bench.connected(), await bench.connected()]
    const told: number[] = []
    for (const client of clients) {
      const { remoteSignerPubkey } = await bench.connectionOf(client)
      const stranger = bench.client(remoteSignerPubkey)
      let errors = 0
      for (let i = 0; i < 50; i++) if ("error" in (await stranger.ask("ping"))) errors++
      told.push(errors)
    }
    expect(told).toEqual([2, 2, 1])
    expect(await clients[0]!.ask("ping")).toMatchObject({ result: "pong" })
  })

  it("at keys in use and at offered ones drain nothing of each other", async () => {
    const bench = createBench({ signer: { allStrangersRate: { capacity: 60, perSecond: 1 } } })
    const inUse = (await bench.connectionOf(await bench.connected())).remoteSignerPubkey
    const [first, second] = [await bench.offer(), await bench.offer()]
    const flood = async (remoteSignerPubkey: string): Promise<void> => {
      const forged = { ...bench.client(remoteSignerPubkey).request("ping"), sig: "0".repeat(128) }
      const why = async () => (await bench.engine.handle(forged)) as { why?: string }
      while ((await why()).why !== "strangers_limit") {}
    }
    await flood(inUse)
    const app = bench.client(first.connection.remoteSignerPubkey)
    expect(await app.ask("connect", ["", first.secret])).toMatchObject({ result: "ack" })
    bench.advance(60_000)
    await flood(second.connection.remoteSignerPubkey)
    expect(errorOf(await bench.client(inUse).ask("ping"))).toMatch(/already used by another app/)
  })

  it("guess in vain, and the owner can still connect", async () => {
    const bench = createBench({ signer: { strangerRate: { capacity: 10, perSecond: 1 } } })
    const { connection, secret } = await bench.offer()
    const guesser = bench.client(connection.remoteSignerPubkey)
    for (let i = 0; i < 100; i++) {
      const reading = await guesser.ask("connect", ["", i.toString(16).padStart(32, "0")])
      if (i < 10) expect(errorOf(reading)).toMatch(/secret is not that/)
      else expect(reading).toEqual({ ignored: "strangers_limit" })
    }
    bench.advance(1_000)
    const client = bench.client(connection.remoteSignerPubkey)
    expect(await client.ask("connect", ["", secret])).toMatchObject({ result: "ack" })
  })

  it.each([110, 150])("at %i guesses a second for a minute, a fresh token's app connects at any time", async (rate) => {
    const bench = createBench()
    const { connection } = await bench.offer("", 3_600)
    const guesser = bench.client(connection.remoteSignerPubkey)
    // Charged before anything is looked at, so a false id drains as much as a guess and spares the test the curve.
    const drain = { ...guesser.request("connect", ["", "guess"]), id: "0".repeat(64) }
    let connected = 0
    for (let second = 0; second < 60; second++) {
      for (let i = 0; i < rate; i++) {
        expect(await bench.engine.handle(drain)).toEqual({ kind: "ignored", why: "forged" })
        if (i !== rate >> 1 || second % 10 !== 9) continue
        const { connection: fresh, secret } = await bench.offer()
        const app = bench.client(fresh.remoteSignerPubkey)
        expect(await app.ask("connect", ["", secret])).toMatchObject({ result: "ack" })
        connected++
      }
      bench.advance(1_000)
    }
    expect(connected).toBe(6)
  })

  it("are heard at offered keys more often than they are answered: a flood of guesses is none of answers", async () => {
    const rate = { capacity: 3, perSecond: 0 }
    const bench = createBench({ signer: { strangerRate: rate, offeredRate: { capacity: 12, perSecond: 0 } } })
    const { connection, secret } = await bench.offer()
    const app = bench.client(connection.remoteSignerPubkey)
    const readings = [
      await app.ask("connect", ["", "guess"]),
      await app.ask("", [], { plaintext: '{"id":"1","method":7}' }),
      await app.ask("connect", ["", secret], { createdAt: bench.now() - 1_000 }),
    ]
    for (const reading of readings) errorOf(reading)
    expect(await app.ask("connect", ["", "guess"])).toEqual({ ignored: "strangers_limit" })
    expect(await app.ask("", [], { plaintext: '{"id":"1","method":7}' })).toEqual({ ignored: "strangers_limit" })
    expect(await app.ask("connect", ["", secret], { createdAt: bench.now() - 1_000 })).toEqual({
      ignored: "clock_skew",
    })
    expect(await app.ask("connect", ["", secret])).toMatchObject({ result: "ack" })
  })

  it("a copy of a stranger's event is a duplicate for ever", async () => {
    const bench = createBench()
    const { connection } = await bench.offer()
    const stranger = bench.client(connection.remoteSignerPubkey)
    const event = stranger.request("ping")
    errorOf(await stranger.send(event))
    bench.advance(60_000)
    expect(await stranger.send(event)).toEqual({ ignored: "duplicate" })
  })
})

describe("clocks", () => {
  it.each([
    [-301, /your clock is 301 s behind the signer's; set it and ask again/],
    [301, /your clock is 301 s ahead of the signer's/],
    [-1_700_000_000, /behind/],
  ])("a client whose clock is %i s off is told so once a minute, and is not served", async (off, message) => {
    const bench = createBench()
    const client = await bench.connected("sign_event:1")
    const before = await stored(bench)
    const ask = () => client.ask("sign_event", [eventJson()], { createdAt: bench.now() + off })
    expect(errorOf(await ask())).toMatch(message)
    expect(await ask()).toEqual({ ignored: "clock_skew" })
    bench.advance(61_000)
    expect(errorOf(await ask())).toMatch(message)
    expect(await stored(bench)).toBe(before)
    signedIn(await client.ask("sign_event", [eventJson()]))
  })

  it("a client that is ahead hears of it although it listens for what comes after its own now", async () => {
    const bench = createBench()
    const client = await bench.connected()
    for (const [off, at] of [
      [3_600, bench.now() + 3_600],
      [-3_600, bench.now() + 61],
    ] as const) {
      const outcome = await bench.engine.handle(client.request("ping", [], { createdAt: bench.now() + off }))
      expect(outcome).toMatchObject({ kind: "answered", answer: { event: { created_at: at } } })
      bench.advance(61_000)
    }
  })

  it.each([-300, 300])("%i s off is served", async (off) => {
    const bench = createBench()
    const client = await bench.connected()
    expect(await client.ask("ping", [], { createdAt: bench.now() + off })).toMatchObject({ result: "pong" })
  })

  it("a stranger's clock does not use up what the client would be told", async () => {
    const bench = createBench()
    const { connection, secret } = await bench.offer()
    const createdAt = bench.now() - 1_000
    const [stranger, client] = [
      bench.client(connection.remoteSignerPubkey),
      bench.client(connection.remoteSignerPubkey),
    ]
    expect(errorOf(await stranger.ask("connect", ["", "guess"], { createdAt }))).toMatch(/your clock/)
    expect(errorOf(await client.ask("connect", ["", secret], { createdAt }))).toMatch(/your clock/)
    expect(await client.ask("connect", ["", secret])).toMatchObject({ result: "ack" })
    expect(errorOf(await client.ask("ping", [], { createdAt }))).toMatch(/your clock/)
  })
})
