import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { listener, Peer, SIGNER, seconds, sign, startRelay } from "../../../test/support/relay-bench.js"

describe("refusing", () => {
  const event = sign()
  const flipped = `${event.sig.slice(0, -1)}${event.sig.endsWith("0") ? "1" : "0"}`
  test.each([
    ["another kind", () => sign({ kind: 1 }), "blocked"],
    ["a proof of NIP-42 as an event", () => sign({ kind: 22242 }), "blocked"],
    ["a false signature", () => ({ ...event, sig: flipped }), "invalid"],
    ["a false id", () => ({ ...event, id: "0".repeat(64) }), "invalid"],
    ["a false author", () => ({ ...event, pubkey: SIGNER }), "invalid"],
    ["changed tags", () => ({ ...event, tags: [] }), "invalid"],
    ["no tags", () => ({ ...event, tags: undefined }), "invalid"],
    ["the past", () => sign({ created_at: seconds() - 90_060 }), "invalid"],
    ["the future", () => sign({ created_at: seconds() + 90_060 }), "invalid"],
    ["a large event", () => sign({ content: "x".repeat(66_000) }), "invalid"],
    ["many tags", () => sign({ tags: Array(101).fill(["p", SIGNER]) }), "invalid"],
  ])("%s", async (_, make, prefix) => {
    const { url, relay } = await startRelay()
    const peer = await listener(url)
    const bad = make()
    const sender = await Peer.dial(url)
    expect(await sender.ask("EVENT", bad)).toEqual(["OK", bad.id, false, expect.stringMatching(`^${prefix}: .`)])
    expect(await peer.drain()).toEqual([])
    expect(relay.stats()).toMatchObject({ received: 1, refused: 1, delivered: 0 })
    // The limits are not in the way of an ordinary event.
    expect(await sender.ask("EVENT", event)).toEqual(["OK", event.id, true, ""])
  })

  test.each([
    [
      ["REQ", "s"],
      ["CLOSED", "s", "invalid: "],
    ],
    [
      ["REQ", "s", null],
      ["CLOSED", "s", "invalid: "],
    ],
    [
      ["REQ", "s", { kinds: [24133] }],
      ["CLOSED", "s", "unsupported: "],
    ],
    [
      ["REQ", "s", { "#p": [SIGNER] }, {}],
      ["CLOSED", "s", "unsupported: "],
    ],
    [
      ["REQ", "s", ...Array(11).fill({ "#p": [SIGNER] })],
      ["CLOSED", "s", "invalid: "],
    ],
    [
      ["REQ", "s", { kinds: [1], limit: 5 }],
      ["EOSE", "s"],
    ],
    [
      ["REQ", "", { "#p": [SIGNER] }],
      ["NOTICE", "invalid: "],
    ],
    [
      ["REQ", "x".repeat(65), { "#p": [SIGNER] }],
      ["NOTICE", "invalid: "],
    ],
    [
      ["REQ", "🏰".repeat(64), { "#p": [SIGNER] }],
      ["EOSE", "🏰".repeat(64)],
    ],
    [
      ["REQ", 1, { "#p": [SIGNER] }],
      ["NOTICE", "invalid: "],
    ],
    [["REQ"], ["NOTICE", "invalid: "]],
    [
      ["CLOSE", 1],
      ["NOTICE", "invalid: "],
    ],
    [["EVENT"], ["NOTICE", "invalid: "]],
    [
      ["EVENT", { id: "x" }],
      ["NOTICE", "invalid: "],
    ],
    [
      ["EVENT", { id: "0".repeat(64) }],
      ["OK", "0".repeat(64), false, "invalid: "],
    ],
    [
      ["AUTH", "x"],
      ["NOTICE", "invalid: "],
    ],
    [
      ["COUNT", "s", {}],
      ["NOTICE", "unsupported: "],
    ],
    [[], ["NOTICE", "unsupported: "]],
  ])("%j", async (message, expected) => {
    const { url } = await startRelay()
    const peer = await Peer.dial(url)
    const answer = await peer.ask(...message)
    expect(answer).toHaveLength(expected.length)
    const exact = answer[0] === "EOSE" ? expected.length : -1
    expect(answer.slice(0, exact)).toEqual(expected.slice(0, exact))
    if (exact === -1) expect(answer.at(-1)).toMatch(new RegExp(`^${String(expected.at(-1))}.`))
  })

  test("a verifier that throws is an error of ours, and the relay lives on", async () => {
    const { url } = await startRelay({
      verifyEvent: () => {
        throw new Error("native code")
      },
    })
    const peer = await Peer.dial(url)
    expect(await peer.ask("EVENT", event)).toEqual(["OK", event.id, false, expect.stringMatching(/^error: /)])
    expect(await peer.ask("REQ", "s", { ids: [event.id] })).toEqual(["EOSE", "s"])
  })

  test("AUTH is answered, challenge or not (NIP-42)", async () => {
    const { url } = await startRelay()
    const proof = sign({
      kind: 22242,
      tags: [
        ["relay", url],
        ["challenge", "none"],
      ],
    })
    const peer = await Peer.dial(url)
    expect(await peer.ask("AUTH", proof)).toEqual(["OK", proof.id, false, expect.stringMatching(/^invalid: /)])
  })

  test("frames that are no message get a NOTICE and harm nothing", async () => {
    const { url } = await startRelay()
    const peer = await Peer.dial(url)
    for (const frame of ["", "{", "null", "{}", "1", "[".repeat(100_000), Buffer.from([1, 2, 3])]) {
      peer.socket.send(frame)
      expect(await peer.next()).toEqual(["NOTICE", expect.stringMatching(/^invalid: /)])
    }
    expect(await peer.ask("REQ", "s", { "#p": [SIGNER] })).toEqual(["EOSE", "s"])
  })
})

test("2,000 malformed messages: the server lives and an honest client is served throughout", async () => {
  const { url } = await startRelay({ limits: { messageBurst: 100_000 } })
  const receiver = await listener(url)
  const sender = await Peer.dial(url)
  const hostile = await Peer.dial(url)
  // For somebody else, because a mutation may leave it whole.
  const base = sign({ tags: [["p", "e".repeat(64)]] })
  const label = fc.constantFrom<unknown>("EVENT", "REQ", "CLOSE", "AUTH", "COUNT", null, 1)
  const mutated = fc
    .tuple(fc.constantFrom(...Object.keys(base), "__proto__"), fc.jsonValue())
    .map(([key, value]) => JSON.stringify(["EVENT", { ...base, [key]: value }]))
  const arrays = fc.tuple(label, fc.jsonValue(), fc.jsonValue(), fc.jsonValue()).map((m) => JSON.stringify(m))
  const filters = fc
    .dictionary(fc.constantFrom("ids", "authors", "kinds", "#p", "since", "limit", "__proto__"), fc.jsonValue())
    .map((filter) => JSON.stringify(["REQ", "s", filter]))
  const cut = fc.nat(JSON.stringify(base).length).map((n) => `["EVENT",${JSON.stringify(base).slice(0, n)}`)
  const frames = fc.sample(fc.oneof(mutated, arrays, filters, cut, fc.string()), 2_000)
  for (const [i, frame] of frames.entries()) {
    hostile.socket.send(frame)
    if (i % 100 === 0) {
      const event = sign()
      expect(await sender.ask("EVENT", event)).toEqual(["OK", event.id, true, ""])
      const [, , got] = await receiver.next()
      expect(got).toEqual(event)
    }
  }
  const answers = await hostile.drain()
  expect(answers.length).toBeGreaterThan(1_000)
  const accepted = answers.filter((message) => message[0] === "OK" && message[2] === true)
  // A mutation can restore the value that was there; nothing else may pass.
  expect(accepted.every((message) => message[1] === base.id)).toBe(true)
})
