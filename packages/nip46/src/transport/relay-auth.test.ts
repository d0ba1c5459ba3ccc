import { describe, expect, test, vi } from "vitest"
import { ALICE, BOB, CAROL, crypto, KEYS, proof, signed as signedBy } from "../../test/support/raw-peer.js"
import { connect, FILTERS, last, RELAY_URL, signed, useBench } from "../../test/support/relay-bench.js"
import type { NostrEvent } from "../protocol/event.js"
import { FaultRelay } from "../testing/fault-relay.js"
import type { RelayConnection } from "./relay-connection.js"

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

  test.each([
    ["that was served for a while may be asked for another proof", 5_000, ["first", "second"]],
    ["that was cut off at once has had its proof", 4_999, ["first"]],
  ])("a subscription %s", async (_, servedForMs, expected) => {
    const asked: string[] = []
    const refusals: string[] = []
    const relay = connect({
      authenticate: async (challenge) => {
        asked.push(challenge)
        return proof
      },
    })
    const { id } = relay.subscribe(FILTERS, { onEvent: () => {}, onRefused: (m) => refusals.push(m) })
    last().accept()
    for (const challenge of ["first", "second"]) {
      last().say("AUTH", challenge)
      last().say("CLOSED", id, "auth-required: log in")
      await vi.advanceTimersByTimeAsync(0)
      last().say("OK", proof.id, true, "")
      await vi.advanceTimersByTimeAsync(0)
      last().say("EOSE", id)
      await vi.advanceTimersByTimeAsync(servedForMs)
    }
    expect(asked).toEqual(expected)
    expect(
      last()
        .of("REQ")
        .filter(([, name]) => name === id),
    ).toHaveLength(expected.length + 1)
    expect(refusals).toHaveLength(2 - expected.length)
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

  describe("a proof for each of several keys", () => {
    const [a, b, c] = [signed("a"), signed("b"), signed("c")] as const

    /** A relay that has refused a subscription and an event and sent its challenge. */
    async function refused(sign: (known: ReadonlySet<string>) => NostrEvent[]) {
      const refusals: string[] = []
      const relay: RelayConnection = connect({ authenticate: async () => sign(relay.authenticated) })
      const { id } = relay.subscribe(FILTERS, { onEvent: () => {}, onRefused: (m) => refusals.push(m) })
      const event = signed()
      const result = relay.publish(event)
      last().accept()
      last().say("AUTH", "abc")
      last().say("CLOSED", id, "auth-required: log in")
      last().say("OK", event.id, false, "auth-required: log in")
      await vi.advanceTimersByTimeAsync(0)
      return { relay, id, refusals, event, result }
    }

    async function judge(proof: NostrEvent, accepted: boolean): Promise<void> {
      last().say("OK", proof.id, accepted, accepted ? "" : "restricted: not you")
      await vi.advanceTimersByTimeAsync(0)
    }

    const proofs = () =>
      last()
        .of("AUTH")
        .map(([, event]) => event)
    const requests = () => last().of("REQ").length

    test("all are sent, and what was refused goes again once each was judged", async () => {
      const { relay } = await refused(() => [a, b])
      expect(proofs()).toEqual([a, b])
      await judge(b, true)
      expect(requests()).toBe(1)
      await judge(a, true)
      expect([requests(), last().of("EVENT").length]).toEqual([2, 2])
      expect([...relay.authenticated]).toEqual([b.pubkey, a.pubkey])
    })

    test("one that the relay does not let in costs the others nothing", async () => {
      const { relay, event, result } = await refused(() => [a, b])
      await judge(a, false)
      await judge(b, true)
      expect([requests(), last().of("EVENT").length]).toEqual([2, 2])
      last().say("OK", event.id, true, "")
      expect(await result).toEqual({ kind: "accepted", message: "" })
      expect([...relay.authenticated]).toEqual([b.pubkey])
    })

    test("one that the relay is silent about holds the others up until the deadline", async () => {
      const { relay } = await refused(() => [a, b])
      await judge(a, true)
      await vi.advanceTimersByTimeAsync(9_999)
      expect(requests()).toBe(1)
      await vi.advanceTimersByTimeAsync(1)
      expect(requests()).toBe(2)
      expect([...relay.authenticated]).toEqual([a.pubkey])
    })

    test.each([
      ["none is given", () => []],
      ["none is let in", () => [a, b]],
    ])("%s: the refusal stands", async (_, sign) => {
      const { relay, refusals, result } = await refused(sign)
      await judge(a, false)
      await judge(b, false)
      expect(await result).toEqual({ kind: "refused", message: "auth-required: log in" })
      expect(refusals).toEqual(["auth-required: log in"])
      expect(relay.authenticated.size).toBe(0)
    })

    test("keys that come later: none is proven to a relay that asked for nothing", async () => {
      let asked = 0
      const relay = connect({
        authenticate: async () => {
          asked += 1
          return a
        },
      })
      await relay.renewAuthentication()
      relay.subscribe(FILTERS, { onEvent: () => {} })
      last().accept()
      last().say("AUTH", "abc")
      await relay.renewAuthentication()
      expect(asked).toBe(0)
    })

    test("keys that come later: the hook is asked again for the same challenge, and nothing else is sent", async () => {
      const keys = [a]
      const { relay } = await refused((known) => keys.filter(({ pubkey }) => !known.has(pubkey)))
      await judge(a, true)
      keys.push(b)
      const renewed = relay.renewAuthentication()
      await vi.advanceTimersByTimeAsync(0)
      expect(proofs()).toEqual([a, b])
      await judge(b, true)
      await renewed
      expect([...relay.authenticated]).toEqual([a.pubkey, b.pubkey])
      expect(requests()).toBe(2)
    })

    test("keys that come while proofs are under way get theirs afterwards, together", async () => {
      const keys = [a]
      const { relay } = await refused((known) => keys.filter(({ pubkey }) => !known.has(pubkey)))
      keys.push(b)
      const first = relay.renewAuthentication()
      keys.push(c)
      const second = relay.renewAuthentication()
      await vi.advanceTimersByTimeAsync(0)
      expect(proofs()).toEqual([a])
      await judge(a, true)
      expect(proofs()).toEqual([a, b, c])
      await judge(b, true)
      await judge(c, true)
      await Promise.all([first, second])
      expect(relay.authenticated.size).toBe(3)
    })

    test("a new challenge asks for all of them anew, and so does a new connection", async () => {
      const { relay, id } = await refused((known) => [a, b].filter(({ pubkey }) => !known.has(pubkey)))
      await judge(a, true)
      await judge(b, true)
      last().say("AUTH", "another")
      expect(relay.authenticated.size).toBe(2)
      const later = relay.publish(signed("later"))
      last().say("OK", (last().sent.at(-1) as [string, NostrEvent])[1].id, false, "auth-required: log in")
      await vi.advanceTimersByTimeAsync(0)
      expect(proofs()).toEqual([a, b, a, b])
      last().drop()
      expect(relay.authenticated.size).toBe(0)
      await vi.advanceTimersByTimeAsync(1_000)
      last().accept()
      last().say("AUTH", "third")
      last().say("CLOSED", id, "auth-required: log in")
      await vi.advanceTimersByTimeAsync(0)
      expect(proofs()).toEqual([a, b])
      relay.close()
      await later
    })
  })
})

describe.each(["early", "late", "prefixed"] as const)("a relay that asks for proofs: %s", (authRequired) => {
  test("three keys are proven, then served and published for", async () => {
    const fault = new FaultRelay({ verifyEvent: (event) => crypto.verifyEvent(event), faults: { authRequired } })
    const got: string[] = []
    const relay = connect({
      url: fault.url,
      webSocket: fault.webSocket,
      authenticate: async (challenge, url) => KEYS.map((key) => proof(challenge, url, key)),
    })
    relay.subscribe([{ kinds: [24133], "#p": [ALICE, BOB, CAROL] }], { onEvent: ({ id }) => got.push(id) })
    await vi.advanceTimersByTimeAsync(0)
    expect(fault.authenticated).toEqual([[ALICE, BOB, CAROL]])
    const events = [ALICE, BOB, CAROL].map((to, n) => signedBy({ tags: [["p", to]] }, KEYS[n]))
    const results = await Promise.all(events.map((event) => relay.publish(event)))
    expect(results).toEqual(Array(3).fill({ kind: "accepted", message: "" }))
    expect(got).toEqual(events.map(({ id }) => id))
    expect(fault.of("AUTH")).toHaveLength(3)
    relay.close()
    fault.close()
  })
})
