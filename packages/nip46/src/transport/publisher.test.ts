import { describe, expect, test, vi } from "vitest"
import { connect, FILTERS, last, signed, sockets, useBench } from "../../test/support/relay-bench.js"

useBench()

describe("publish", () => {
  test.each([
    [true, "", { kind: "accepted", message: "" }],
    [true, "duplicate: have it", { kind: "accepted", message: "duplicate: have it" }],
    [false, "duplicate: have it", { kind: "accepted", message: "duplicate: have it" }],
    [false, "blocked: no", { kind: "refused", message: "blocked: no" }],
    [false, "auth-required: no", { kind: "refused", message: "auth-required: no" }],
  ])("OK %s %j", async (accepted, message, expected) => {
    const relay = connect()
    const event = signed()
    const result = relay.publish(event)
    last().accept()
    expect(last().sent).toEqual([["EVENT", event]])
    last().say("OK", "f".repeat(64), true, "")
    last().say("OK", event.id, accepted, message)
    expect(await result).toEqual(expected)
  })

  test("goes out after the subscriptions", () => {
    const relay = connect()
    void relay.publish(signed())
    relay.subscribe(FILTERS, { onEvent: () => {} })
    last().accept()
    expect(last().sent.map((message) => message[0])).toEqual(["REQ", "EVENT"])
  })

  test("is sent again after a drop while its deadline lasts", async () => {
    const relay = connect()
    const event = signed()
    const result = relay.publish(event, { timeoutMs: 4_000 })
    last().accept()
    last().drop()
    await vi.advanceTimersByTimeAsync(1_500)
    last().accept()
    expect(last().sent).toEqual([["EVENT", event]])
    last().say("OK", event.id, true, "")
    expect(await result).toEqual({ kind: "accepted", message: "" })
  })

  test("without an OK fails at its deadline and makes the relay prove that it lives", async () => {
    const relay = connect()
    const result = relay.publish(signed(), { timeoutMs: 3_000 })
    last().accept()
    await vi.advanceTimersByTimeAsync(3_000)
    expect(await result).toEqual({ kind: "failed", reason: "no OK" })
    expect(last().of("REQ")).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(5_000)
    expect(sockets[0]!.terminated).toBe(true)
  })

  test("without a connection fails at its deadline", async () => {
    const result = connect().publish(signed(), { timeoutMs: 3_000 })
    await vi.advanceTimersByTimeAsync(3_000)
    expect(await result).toEqual({ kind: "failed", reason: "not connected" })
  })

  test("ends on abort, before and after it began", async () => {
    const relay = connect()
    const controller = new AbortController()
    const result = relay.publish(signed(), { signal: controller.signal })
    controller.abort()
    expect(await result).toEqual({ kind: "failed", reason: "aborted" })
    expect(await relay.publish(signed(), { signal: controller.signal })).toEqual({ kind: "failed", reason: "aborted" })
  })

  test("ends on close", async () => {
    const relay = connect()
    const results = [relay.publish(signed()), relay.publish(signed())]
    relay.close()
    results.push(relay.publish(signed()))
    expect(await Promise.all(results)).toEqual(Array(3).fill({ kind: "failed", reason: "closed" }))
    expect(relay.state).toEqual({ kind: "closed" })
    expect(sockets).toHaveLength(1)
  })

  test("waits in a bounded queue", async () => {
    const relay = connect({ maxPending: 2 })
    const event = signed()
    const waiting = [relay.publish(event), relay.publish(event)]
    expect(await relay.publish(signed())).toEqual({ kind: "failed", reason: "queue full" })
    last().accept()
    last().say("OK", event.id, true, "")
    expect(await Promise.all(waiting)).toEqual(Array(2).fill({ kind: "accepted", message: "" }))
  })

  test("that is rate-limited is sent again, and refused when that does not help in time", async () => {
    const relay = connect()
    const event = signed()
    const first = relay.publish(event)
    last().accept()
    last().say("OK", event.id, false, "rate-limited: slow down")
    await vi.advanceTimersByTimeAsync(1_000)
    expect(last().of("EVENT")).toHaveLength(2)
    last().say("OK", event.id, true, "")
    expect(await first).toEqual({ kind: "accepted", message: "" })

    const second = relay.publish(event, { timeoutMs: 2_000 })
    last().say("OK", event.id, false, "rate-limited: slow down")
    await vi.advanceTimersByTimeAsync(2_000)
    expect(await second).toEqual({ kind: "refused", message: "rate-limited: slow down" })
  })

  test("does not pile up behind a relay that does not read", async () => {
    const relay = connect()
    relay.open()
    last().accept()
    last().bufferedAmount = 9 * 1024 * 1024
    const result = relay.publish(signed(), { timeoutMs: 500 })
    expect(sockets[0]!.terminated).toBe(true)
    await vi.advanceTimersByTimeAsync(500)
    expect(await result).toEqual({ kind: "failed", reason: "not connected" })
  })
})
