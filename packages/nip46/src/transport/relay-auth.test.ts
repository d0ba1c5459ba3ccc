import { describe, expect, test, vi } from "vitest"
import { connect, FILTERS, last, RELAY_URL, signed, useBench } from "../../test/support/relay-bench.js"

useBench()

describe("NIP-42", () => {
  const proof = signed("proof")

  test("one proof for all that was refused, which is then sent again", async () => {
    const asked: string[][] = []
    const relay = connect({
      authenticate: async (challenge, url) => {
        asked.push([challenge, url])
        return proof
      },
    })
    const { id } = relay.subscribe(FILTERS, { onEvent: () => {} })
    const event = signed()
    const result = relay.publish(event)
    last().accept()
    last().say("CLOSED", id, "error: auth-required: log in")
    last().say("OK", event.id, false, "auth-required: log in")
    await vi.advanceTimersByTimeAsync(100)
    expect(asked).toEqual([])
    // The challenge comes only now.
    last().say("AUTH", "abc")
    await vi.advanceTimersByTimeAsync(0)
    expect(asked).toEqual([["abc", RELAY_URL]])
    expect(last().of("AUTH")).toEqual([["AUTH", proof]])
    last().say("OK", proof.id, true, "")
    await vi.advanceTimersByTimeAsync(0)
    expect(last().sent.slice(-2)).toEqual([
      ["REQ", id, ...FILTERS],
      ["EVENT", event],
    ])
    last().say("OK", event.id, true, "")
    expect(await result).toEqual({ kind: "accepted", message: "" })
    expect(asked).toHaveLength(1)
  })

  test.each([
    ["the hook declines", async () => undefined],
    ["the hook fails", () => Promise.reject(new Error("no key"))],
    ["the relay does not accept", async () => proof],
  ])("%s: the refusal stands", async (_, authenticate) => {
    const refusals: string[] = []
    const relay = connect({ authenticate })
    const { id } = relay.subscribe(FILTERS, { onEvent: () => {}, onRefused: (m) => refusals.push(m) })
    const event = signed()
    const result = relay.publish(event)
    last().accept()
    last().say("AUTH", "abc")
    last().say("CLOSED", id, "auth-required: log in")
    last().say("OK", event.id, false, "auth-required: log in")
    await vi.advanceTimersByTimeAsync(0)
    last().say("OK", proof.id, false, "restricted: not you")
    expect(await result).toEqual({ kind: "refused", message: "auth-required: log in" })
    expect(refusals).toEqual(["auth-required: log in"])
  })

  test("a relay that wants a proof again and again gets one", async () => {
    let asked = 0
    const relay = connect({
      authenticate: async () => {
        asked += 1
        return proof
      },
    })
    const event = signed()
    const result = relay.publish(event)
    last().accept()
    last().say("AUTH", "abc")
    last().say("OK", event.id, false, "auth-required: log in")
    await vi.advanceTimersByTimeAsync(0)
    last().say("OK", proof.id, true, "")
    await vi.advanceTimersByTimeAsync(0)
    last().say("OK", event.id, false, "auth-required: log in")
    expect(await result).toEqual({ kind: "refused", message: "auth-required: log in" })
    expect(asked).toBe(1)
  })

  test("a new connection may want a proof of its own, for what was under way on the old one", async () => {
    const asked: string[] = []
    const relay = connect({
      authenticate: async (challenge) => {
        asked.push(challenge)
        return proof
      },
    })
    const event = signed()
    const result = relay.publish(event)
    for (const challenge of ["first", "second"]) {
      last().accept()
      last().say("AUTH", challenge)
      last().say("OK", event.id, false, "auth-required: log in")
      await vi.advanceTimersByTimeAsync(0)
      if (challenge === "first") last().drop()
      await vi.advanceTimersByTimeAsync(1_000)
    }
    last().say("OK", proof.id, true, "")
    await vi.advanceTimersByTimeAsync(0)
    last().say("OK", event.id, true, "")
    expect(await result).toEqual({ kind: "accepted", message: "" })
    expect(asked).toEqual(["first", "second"])
  })

  test("what is refused while a proof is under way waits for it, though the challenge has changed", async () => {
    const asked: string[] = []
    const relay = connect({
      authenticate: async (challenge) => {
        asked.push(challenge)
        return proof
      },
    })
    const events = [signed("1"), signed("2")] as const
    const results = events.map((event) => relay.publish(event))
    last().accept()
    last().say("AUTH", "first")
    last().say("OK", events[0].id, false, "auth-required: log in")
    await vi.advanceTimersByTimeAsync(0)
    last().say("AUTH", "second")
    last().say("OK", events[1].id, false, "auth-required: log in")
    await vi.advanceTimersByTimeAsync(0)
    expect(asked).toEqual(["first"])
    last().say("OK", proof.id, true, "")
    await vi.advanceTimersByTimeAsync(0)
    for (const event of events) last().say("OK", event.id, true, "")
    expect(await Promise.all(results)).toEqual(Array(2).fill({ kind: "accepted", message: "" }))
  })

  test("a hook that never answers delays nothing beyond the deadline, and close ends it", async () => {
    const relay = connect({ authenticate: () => new Promise(() => {}) })
    const event = signed()
    const result = relay.publish(event, { timeoutMs: 3_000 })
    last().accept()
    last().say("AUTH", "abc")
    last().say("OK", event.id, false, "auth-required: log in")
    await vi.advanceTimersByTimeAsync(3_000)
    expect(await result).toEqual({ kind: "refused", message: "auth-required: log in" })
  })
})
