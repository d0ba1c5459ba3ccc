import { describe, expect, test, vi } from "vitest"
import { connect, FILTERS, last, START, signed, sockets, useBench } from "../../test/support/relay-bench.js"
import type { NostrEvent } from "../protocol/event.js"
import type { RelayFilter } from "./relay-message.js"

useBench()

describe("subscriptions", () => {
  test("hand over events of their id as they come", () => {
    const got: NostrEvent[] = []
    const relay = connect()
    const subscription = relay.subscribe(FILTERS, { onEvent: (event) => got.push(event) })
    last().accept()
    expect(last().sent).toEqual([["REQ", subscription.id, ...FILTERS]])
    const event = signed()
    last().say("EVENT", subscription.id, event)
    last().say("EVENT", "another", event)
    last().say("EVENT", subscription.id, { ...event, sig: "0" })
    last().say("EVENT", subscription.id)
    last().say("EVENT", { toString: "x" }, event)
    expect(got).toEqual([event])
    subscription.close()
    expect(last().sent.at(-1)).toEqual(["CLOSE", subscription.id])
    last().say("EVENT", subscription.id, event)
    expect(got).toHaveLength(1)
  })

  test("survive drops, asking for what the overlap covers", async () => {
    let eoses = 0
    const relay = connect()
    const { id } = relay.subscribe([...FILTERS, { kinds: [1], since: START / 1000 + 50 }], {
      onEvent: () => {},
      onEose: () => eoses++,
    })
    last().accept()
    last().say("EOSE", id)
    await vi.advanceTimersByTimeAsync(7_000)
    last().say("NOTICE", "still here")
    await vi.advanceTimersByTimeAsync(3_000)
    last().drop()
    await vi.advanceTimersByTimeAsync(5_000)
    last().accept()
    // 600 s before the last sign of life; a later `since` of the caller stays.
    expect(last().sent[0]).toEqual([
      "REQ",
      id,
      { ...FILTERS[0], since: START / 1000 + 7 - 600 },
      { kinds: [1], since: START / 1000 + 50 },
    ])
    last().say("EOSE", id)
    expect(eoses).toBe(2)
  })

  test("that no relay ever answered are asked for in full again", async () => {
    const relay = connect()
    const { id } = relay.subscribe(FILTERS, { onEvent: () => {} })
    last().accept()
    await vi.advanceTimersByTimeAsync(1_000)
    last().drop()
    await vi.advanceTimersByTimeAsync(5_000)
    last().accept()
    expect(last().sent[0]).toEqual(["REQ", id, ...FILTERS])
  })

  test("update replaces the filters, on the wire and for later", async () => {
    const relay = connect()
    const subscription = relay.subscribe(FILTERS, { onEvent: () => {} })
    last().accept()
    last().say("EOSE", subscription.id)
    const other: RelayFilter[] = [{ kinds: [24133], "#p": ["b".repeat(64)], since: 5 }]
    subscription.update(other)
    expect(last().sent.at(-1)).toEqual(["REQ", subscription.id, ...other])
    last().drop()
    await vi.advanceTimersByTimeAsync(5_000)
    last().accept()
    expect(last().sent).toEqual([["REQ", subscription.id, ...other]])
  })

  test("no EOSE makes the relay prove that it lives", async () => {
    connect().subscribe(FILTERS, { onEvent: () => {} })
    last().accept()
    await vi.advanceTimersByTimeAsync(5_000)
    expect(last().of("REQ").at(-1)![1]).toBe("alive?")
    await vi.advanceTimersByTimeAsync(5_000)
    expect(sockets[0]!.terminated).toBe(true)
  })

  test("closed for a passing reason are asked for again, ever more slowly", async () => {
    const relay = connect({ random: () => 0.999 })
    const { id } = relay.subscribe(FILTERS, { onEvent: () => {} })
    last().accept()
    const gaps: number[] = []
    for (let i = 1; i <= 6; i++) {
      const before = Date.now()
      last().say("CLOSED", id, i % 2 === 0 ? "rate-limited: slow down" : "error: busy")
      while (
        last()
          .of("REQ")
          .filter((m) => m[1] === id).length === i
      ) {
        await vi.advanceTimersToNextTimerAsync()
        last().say("NOTICE", "alive")
      }
      gaps.push(Date.now() - before)
    }
    expect(gaps).toEqual([1_499, 2_498, 4_496, 8_492, 16_484, 30_470])
  })

  test("that lived for a while before they were closed are asked for again soon", async () => {
    const relay = connect({ random: () => 0.999 })
    const { id } = relay.subscribe(FILTERS, { onEvent: () => {} })
    last().accept()
    const requests = () =>
      last()
        .of("REQ")
        .filter((message) => message[1] === id).length
    for (let i = 1; i <= 4; i++) {
      last().say("EOSE", id)
      await vi.advanceTimersByTimeAsync(5_000)
      last().say("CLOSED", id, "error: shutting down idle subscription")
      await vi.advanceTimersByTimeAsync(1_498)
      expect(requests()).toBe(i)
      await vi.advanceTimersByTimeAsync(1)
      expect(requests()).toBe(i + 1)
    }
  })

  test("refused for good stay quiet until the filters change or the connection does", async () => {
    const refusals: string[] = []
    const relay = connect()
    const subscription = relay.subscribe(FILTERS, { onEvent: () => {}, onRefused: (m) => refusals.push(m) })
    last().accept()
    last().say("CLOSED", subscription.id, "restricted: members only")
    await vi.advanceTimersByTimeAsync(10_000)
    expect(
      last()
        .of("REQ")
        .filter((m) => m[1] === subscription.id),
    ).toHaveLength(1)
    expect(refusals).toEqual(["restricted: members only"])
    subscription.update(FILTERS)
    last().say("CLOSED", subscription.id, "auth-required: who are you?")
    await vi.advanceTimersByTimeAsync(0)
    expect(refusals).toEqual(["restricted: members only", "auth-required: who are you?"])
    last().drop()
    await vi.advanceTimersByTimeAsync(5_000)
    last().accept()
    expect(last().of("REQ")).toHaveLength(1)
  })

  test("cannot begin on a closed connection", () => {
    const relay = connect()
    relay.close()
    expect(() => relay.subscribe(FILTERS, { onEvent: () => {} })).toThrow(expect.objectContaining({ code: "CLOSED" }))
  })
})
