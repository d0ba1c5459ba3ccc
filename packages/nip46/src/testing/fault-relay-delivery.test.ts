import { describe, expect, test, vi } from "vitest"
import { create, dial, listener, publish, relay, settled, useFaultBench } from "../../test/support/fault-bench.js"
import { BOB, CAROL, KEYS, START, signed } from "../../test/support/raw-peer.js"

useFaultBench()

const numbers = Array.from({ length: 40 }, (_, i) => `${i}`)

describe("delivery", () => {
  test("dropEvents: a fraction is lost, the same one for the same seed, and the OK comes", async () => {
    const runs: string[][] = []
    for (const dropEvents of [0.5, 0.5, 1]) {
      create({ dropEvents })
      const [bob, publisher] = [await listener(), await dial()]
      await publish(publisher, ...numbers)
      expect(publisher.of("OK").map((ok) => ok[1])).toEqual(numbers.map(() => true))
      runs.push(bob.contents)
      relay.close()
    }
    expect(runs[0]!.length).toBeGreaterThan(8)
    expect(runs[0]!.length).toBeLessThan(32)
    expect(runs[1]).toEqual(runs[0])
    expect(runs[2]).toEqual([])
  })

  test("duplicates: so many copies more, or a chance of one", async () => {
    create({ duplicates: 2 })
    const bob = await listener()
    await publish(bob, "a", "b")
    expect(bob.contents).toEqual(["a", "a", "a", "b", "b", "b"])
    expect(bob.of("OK")).toHaveLength(2)
    bob.clear()
    relay.faults.duplicates = 0.5
    await publish(bob, ...numbers)
    expect(bob.contents.length).toBeGreaterThan(48)
    expect(bob.contents.length).toBeLessThan(72)
    expect([...new Set(bob.contents)]).toEqual(numbers)
  })

  test("reorder: events change places, none is lost, the last comes when nothing follows it", async () => {
    create({ reorder: 1, reorderMs: 250 })
    const bob = await listener()
    await publish(bob, "a", "b", "c")
    expect(bob.contents).toEqual(["b", "a"])
    await vi.advanceTimersByTimeAsync(249)
    expect(bob.contents).toHaveLength(2)
    await vi.advanceTimersByTimeAsync(1)
    expect(bob.contents).toEqual(["b", "a", "c"])
    bob.clear()
    relay.faults.reorder = 0.3
    await publish(bob, ...numbers)
    await vi.advanceTimersByTimeAsync(250)
    expect(bob.contents).not.toEqual(numbers)
    expect(bob.contents.toSorted()).toEqual(numbers.toSorted())
  })

  test.each([
    ["delayMs", ["EVENT", "OK"]],
    ["delayEventsMs", ["EVENT"]],
    ["delayOksMs", ["OK"]],
  ] as const)("%s: late by so many milliseconds", async (name, late) => {
    create()
    const bob = await listener()
    relay.faults[name] = 300
    await publish(bob, "a")
    await vi.advanceTimersByTimeAsync(299)
    const labels = () => bob.heard.map((message) => message[0] as string).toSorted()
    expect(labels()).toEqual(["EVENT", "OK"].filter((label) => !(late as readonly string[]).includes(label)))
    await vi.advanceTimersByTimeAsync(1)
    expect(labels()).toEqual(["EVENT", "OK"])
  })

  test("what is late dies with its socket and leaves no timer", async () => {
    create({ delayMs: 5_000, reorder: 1 })
    const peer = await dial()
    peer.say("REQ", "sub", {})
    await publish(peer, "a")
    expect(vi.getTimerCount()).toBeGreaterThan(0)
    peer.socket.terminate!()
    await settled()
    expect(vi.getTimerCount()).toBe(0)
  })

  test("ignoreTagFilters: live events whatever their tags, kinds still count", async () => {
    create()
    const [carol, other] = [await listener({ kinds: [24133], "#p": [CAROL] }), await listener({ kinds: [1] })]
    await publish(carol, "honest")
    relay.faults.ignoreTagFilters = true
    await publish(carol, "lax")
    expect(carol.contents).toEqual(["lax"])
    expect(other.contents).toEqual([])
  })

  test("publish and inject: events of anyone, to those who match and to everyone", async () => {
    create()
    const [bob, carol] = [await listener(), await listener({ "#p": [CAROL] })]
    const forged = { ...signed(), sig: "0".repeat(128) }
    relay.publish(forged)
    await settled()
    expect([bob.of("EVENT"), carol.of("EVENT")]).toEqual([[["sub", forged]], []])
    relay.inject(forged)
    await settled()
    expect([bob.of("EVENT").length, carol.of("EVENT").length]).toEqual([2, 1])
    expect(relay.events).toEqual([])
  })

  test("injectGarbage, sendText and notice reach subscribers", async () => {
    create()
    const bob = await listener()
    relay.injectGarbage()
    await settled()
    expect(bob.texts.length).toBeGreaterThan(10)
    const readable = bob.texts.filter((text) => {
      try {
        const [label, id, event] = JSON.parse(text) as unknown[]
        return label === "EVENT" && id === "sub" && (event as { id?: unknown }).id !== undefined
      } catch {
        return false
      }
    })
    expect(readable).toEqual([])
    bob.clear()
    relay.notice("hello")
    relay.sendText("}")
    await settled()
    expect(bob.texts).toEqual(['["NOTICE","hello"]', "}"])
  })
})

describe("storeEphemerals", () => {
  test("keeps them for so many seconds and replays them to new REQs", async () => {
    create({ storeEphemerals: 300 })
    const peer = await dial()
    await publish(peer, "a")
    await vi.advanceTimersByTimeAsync(299_999)
    peer.say("REQ", "soon", { "#p": [BOB] })
    peer.say("REQ", "other", { "#p": [CAROL] })
    await settled()
    expect(peer.of("EVENT")).toEqual([["soon", relay.events[0]]])
    await vi.advanceTimersByTimeAsync(1)
    peer.say("REQ", "late", { "#p": [BOB] })
    await settled()
    expect(peer.contents).toEqual(["a"])
  })

  test("replayIgnoresTime: also what is older than `since`", async () => {
    create({ storeEphemerals: 300 })
    const peer = await dial()
    await publish(peer, "a")
    peer.say("REQ", "honest", { since: START + 1 })
    await settled()
    expect(peer.contents).toEqual([])
    relay.faults.replayIgnoresTime = true
    peer.say("REQ", "lax", { since: START + 1 })
    await settled()
    expect(peer.contents).toEqual(["a"])
  })
})

describe("randomness and clock", () => {
  test("are those that were handed in", async () => {
    const draws: number[] = []
    create(
      { dropEvents: 0.5, maxAgeSeconds: 60 },
      {
        now: () => (START + 1_000) * 1000,
        random: () => {
          draws.push(0.4)
          return 0.4
        },
      },
    )
    const bob = await listener()
    await publish(bob, "old")
    bob.say("EVENT", signed({ created_at: START + 1_000 }, KEYS[2]))
    await settled()
    expect(bob.of("OK").map((ok) => ok[1])).toEqual([false, true])
    expect(bob.contents).toEqual([])
    expect(draws.length).toBeGreaterThan(0)
  })
})
