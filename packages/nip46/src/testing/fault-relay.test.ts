import { describe, expect, test } from "vitest"
import { create, dial, listener, publish, relay, settled, useFaultBench } from "../../test/support/fault-bench.js"
import { ALICE, BOB, CAROL, type RawPeer, START, signed } from "../../test/support/raw-peer.js"
import { NO_FAULTS } from "./relay-faults.js"

useFaultBench()

const numbers = Array.from({ length: 40 }, (_, i) => `${i}`)

describe("without faults", () => {
  test("serves NIP-01: OK, one delivery to those who match, EOSE, CLOSE", async () => {
    create()
    const [bob, carol, publisher] = [await dial(), await dial(), await dial()]
    bob.say("REQ", "b", { kinds: [24133], "#p": [BOB] })
    carol.say("REQ", "c", { kinds: [24133], "#p": [CAROL] })
    await settled()
    const event = signed()
    publisher.say("EVENT", event)
    await settled()
    expect(publisher.heard).toEqual([["OK", event.id, true, ""]])
    expect(bob.heard).toEqual([
      ["EOSE", "b"],
      ["EVENT", "b", event],
    ])
    expect(carol.heard).toEqual([["EOSE", "c"]])
    bob.say("CLOSE", "b")
    publisher.say("EVENT", event)
    await settled()
    expect(bob.heard).toHaveLength(2)
    expect(relay.events).toEqual([event, event])
    expect(relay.of("CLOSE")).toEqual([["b"]])
    expect(relay.received[0]).toEqual({
      socket: 1,
      message: ["REQ", "b", { kinds: [24133], "#p": [BOB] }],
      at: START * 1000,
    })
  })

  test.each<[string, (kind: number) => object, (kind: number) => object]>([
    ["kinds", (kind) => ({ kinds: [kind + 1] }), (kind) => ({ kinds: [kind + 1, kind] })],
    ["authors", () => ({ authors: [BOB] }), () => ({ authors: [ALICE] })],
    ["#p", () => ({ "#p": [ALICE] }), () => ({ "#p": [BOB] })],
    ["#t", () => ({ "#t": ["y"] }), () => ({ "#t": ["z", "x"] })],
    ["since", () => ({ since: START + 1 }), () => ({ since: START })],
    ["until", () => ({ until: START - 1 }), () => ({ until: START })],
    ["an empty list", () => ({ kinds: [] }), () => ({})],
    ["any of many filters", () => ({ authors: [] }), () => ({ authors: [ALICE] })],
  ])("matches live and stored events by %s", async (_, other, matching) => {
    const tags = [
      ["p", BOB],
      ["t", "x"],
    ]
    for (const kind of [24133, 1]) {
      create()
      const [early, late] = [await dial(), await dial()]
      const event = signed({ kind, tags })
      const ask = (peer: RawPeer) => {
        peer.say("REQ", "other", other(kind), other(kind))
        peer.say("REQ", "matching", other(kind), matching(kind))
      }
      ask(early)
      early.say("EVENT", event)
      await settled()
      ask(late)
      await settled()
      expect(early.of("EVENT")).toEqual([["matching", event]])
      expect(late.of("EVENT")).toEqual(kind === 1 ? [["matching", event]] : [])
      relay.close()
    }
  })

  test("matches by ids, keeps the newest of a replaceable event, honours limit", async () => {
    create()
    const peer = await dial()
    const notes = [1, 2, 3].map((n) => signed({ kind: 1, content: `${n}`, created_at: START + n }))
    const profiles = [2, 3, 1].map((n) => signed({ kind: 0, content: `p${n}`, created_at: START + n }))
    for (const event of [...notes, ...profiles]) peer.say("EVENT", event)
    peer.say("REQ", "ids", { ids: [notes[0]!.id] })
    await settled()
    expect(peer.contents).toEqual(["1"])
    peer.clear()
    peer.say("REQ", "limit", { kinds: [1], limit: 2 })
    peer.say("REQ", "profile", { kinds: [0] })
    await settled()
    expect(peer.contents).toEqual(["3", "2", "p3"])
  })

  test("refuses what is broken", async () => {
    create()
    const peer = await dial()
    const event = { ...signed(), content: "changed" }
    peer.socket.send("{")
    peer.say("EVENT", event)
    peer.say("REQ", "none")
    peer.say("REQ", "bad", { kinds: ["1"] })
    peer.say("HELLO")
    await settled()
    expect(peer.heard).toEqual([
      ["NOTICE", "invalid: a message is a JSON array"],
      ["OK", event.id, false, "invalid: id or signature does not hold"],
      ["CLOSED", "none", "invalid: a REQ has one filter or more"],
      ["CLOSED", "bad", "invalid: a REQ has one filter or more"],
      ["NOTICE", "invalid: not a message of NIP-01 or NIP-42"],
    ])
  })

  test("says that it has an event, forgets ephemeral ones, and delivers everything in order and once", async () => {
    create()
    const bob = await listener({})
    const note = signed({ kind: 1 })
    for (let i = 0; i < 2; i++) bob.say("EVENT", note)
    await publish(bob, ...numbers)
    expect(bob.of("OK").slice(0, 2)).toEqual([
      [note.id, true, ""],
      [note.id, true, "duplicate: have this event"],
    ])
    expect(bob.contents).toEqual(["x", ...numbers])
    const late = await dial()
    late.say("REQ", "late", {})
    await settled()
    expect(late.contents).toEqual(["x"])
  })
})

describe("answers", () => {
  test("refuse and refuseSubscriptions: the reason, and nothing is delivered or open", async () => {
    create({ refuse: "blocked: not here", refuseSubscriptions: "restricted: members only" })
    const peer = await dial()
    peer.say("REQ", "sub", {})
    await publish(peer, "a")
    expect(peer.of("CLOSED")).toEqual([["sub", "restricted: members only"]])
    expect(peer.of("OK").map((ok) => ok.slice(1))).toEqual([[false, "blocked: not here"]])
    relay.beHonest()
    expect(relay.faults).toEqual(NO_FAULTS)
    await publish(peer, "b")
    expect(peer.contents).toEqual([])
    expect(peer.of("OK").at(-1)!.slice(1)).toEqual([true, ""])
    expect(relay.subscriptions).toEqual([])
  })

  test("lieOk: OK true, and the event goes nowhere, also not into the store", async () => {
    create({ lieOk: true })
    const bob = await listener({})
    bob.say("EVENT", signed({ kind: 1 }))
    await publish(bob, "a")
    expect(bob.of("OK").map((ok) => ok[1])).toEqual([true, true])
    bob.say("REQ", "again", {})
    await settled()
    expect(bob.contents).toEqual([])
  })

  test("noOk: delivered without a word; noEose: served without a word", async () => {
    create({ noOk: true, noEose: true })
    const bob = await dial()
    bob.say("REQ", "sub", {})
    await publish(bob, "a")
    expect(bob.heard.map((message) => message[0])).toEqual(["EVENT"])
  })

  test("rateLimitedEvents and rateLimitedSubscriptions: so many refusals, then fine", async () => {
    create({ rateLimitedEvents: 2, rateLimitedSubscriptions: 1 })
    const peer = await dial()
    for (let i = 0; i < 2; i++) peer.say("REQ", "sub", {})
    await publish(peer, "a", "b", "c")
    expect(peer.of("CLOSED")).toEqual([["sub", "rate-limited: slow down"]])
    expect(peer.of("EOSE")).toEqual([["sub"]])
    expect(peer.of("OK").map((ok) => ok.slice(1))).toEqual([
      [false, "rate-limited: slow down"],
      [false, "rate-limited: slow down"],
      [true, ""],
    ])
    expect(peer.contents).toEqual(["c"])
  })

  test.each([
    ["maxAgeSeconds", 60, { created_at: START - 61 }, { created_at: START - 60 }, "invalid: created_at is too old"],
    [
      "maxFutureSeconds",
      60,
      { created_at: START + 61 },
      { created_at: START + 60 },
      "invalid: created_at is in the future",
    ],
    [
      "maxEventBytes",
      65_536,
      { content: "é".repeat(32_700) },
      { content: "x".repeat(32_700) },
      "invalid: the event is too large",
    ],
  ] as const)("%s %i: beyond it is refused, within is not", async (name, limit, beyond, within, reason) => {
    create()
    const peer = await dial()
    const ask = async (fields: object) => {
      peer.clear()
      peer.say("EVENT", signed(fields))
      await settled()
      return peer.of("OK").map((ok) => ok.slice(1))
    }
    expect(await ask(beyond)).toEqual([[true, ""]])
    relay.faults[name] = limit
    expect(await ask(beyond)).toEqual([[false, reason]])
    expect(await ask(within)).toEqual([[true, ""]])
  })

  test("refuseDuplicates: the second time is OK false", async () => {
    create({ refuseDuplicates: true })
    const peer = await listener({})
    const note = signed({ kind: 1 })
    for (let i = 0; i < 2; i++) peer.say("EVENT", note)
    await settled()
    expect(peer.of("OK")).toEqual([
      [note.id, true, ""],
      [note.id, false, "duplicate: have this event"],
    ])
    expect(peer.contents).toEqual(["x"])
  })
})
