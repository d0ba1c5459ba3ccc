import { finalizeEvent, generateSecretKey } from "nostr-tools/pure"
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import type { NostrEvent } from "../protocol/event.js"
import { RelayConnection, type RelayConnectionOptions, type RelayState } from "./relay-connection.js"
import type { RelayFilter } from "./relay-message.js"
import type { WebSocketLike } from "./web-socket.js"

const URL = "wss://relay.test"
const FILTERS: RelayFilter[] = [{ kinds: [24133], "#p": ["a".repeat(64)] }]
const START = 1_700_000_000_000

/** A socket whose relay is the test. */
class FakeSocket implements WebSocketLike {
  readyState = 0
  bufferedAmount = 0
  readonly sent: unknown[][] = []
  terminated = false
  onopen: ((event: never) => void) | null = null
  onmessage: ((event: never) => void) | null = null
  onerror: ((event: never) => void) | null = null
  onclose: ((event: never) => void) | null = null

  send(data: string): void {
    this.sent.push(JSON.parse(data) as unknown[])
  }
  close(): void {
    this.readyState = 2
  }
  terminate(): void {
    this.terminated = true
    this.readyState = 3
  }

  accept(): void {
    this.readyState = 1
    this.onopen?.({} as never)
  }
  say(...message: unknown[]): void {
    this.raw(JSON.stringify(message))
  }
  raw(data: unknown): void {
    this.onmessage?.({ data } as never)
  }
  drop(): void {
    this.readyState = 3
    this.onclose?.({ code: 1006 } as never)
  }
  /** What was sent with this label. */
  of(label: string): unknown[][] {
    return this.sent.filter((message) => message[0] === label)
  }
}

/** One with ping frames, as `ws` has. */
class PingSocket extends FakeSocket {
  pings = 0
  onpong: (() => void) | null = null
  ping(): void {
    this.pings += 1
  }
}

let sockets: FakeSocket[]
let dialledAt: number[]
let states: RelayState[]
let relays: RelayConnection[]

beforeEach(() => {
  vi.useFakeTimers({ now: START })
  sockets = []
  dialledAt = []
  states = []
  relays = []
})

afterEach(() => {
  for (const relay of relays) relay.close()
  // close() leaves nothing behind, whatever the test did before.
  expect(vi.getTimerCount()).toBe(0)
  expect(sockets.filter((socket) => socket.readyState < 2)).toEqual([])
  vi.useRealTimers()
})

function connect(options: Partial<RelayConnectionOptions> = {}, Socket: new () => FakeSocket = FakeSocket) {
  const relay = new RelayConnection({
    url: URL,
    webSocket: () => {
      const socket = new Socket()
      sockets.push(socket)
      dialledAt.push(Date.now() - START)
      return socket
    },
    random: () => 0.5,
    onState: (state) => states.push(state),
    ...options,
  })
  relays.push(relay)
  return relay
}

function last(): FakeSocket {
  return sockets.at(-1)!
}

function signed(content = "x"): NostrEvent {
  const template = { kind: 24133, content, tags: [["p", "a".repeat(64)]], created_at: START / 1000 }
  return JSON.parse(JSON.stringify(finalizeEvent(template, generateSecretKey()))) as NostrEvent
}

describe("dialling", () => {
  test("happens on first use, once", () => {
    const relay = connect()
    expect(relay.state).toEqual({ kind: "idle" })
    expect(sockets).toHaveLength(0)
    relay.subscribe(FILTERS, { onEvent: () => {} })
    relay.open()
    expect(sockets).toHaveLength(1)
    last().accept()
    expect(states).toEqual([
      { kind: "connecting", attempt: 1 },
      { kind: "connected", since: START },
    ])
  })

  test("a dial that does not open in time is given up and repeated", async () => {
    connect().open()
    await vi.advanceTimersByTimeAsync(9_999)
    expect(last().terminated).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    expect(sockets[0]!.terminated).toBe(true)
    expect(states.at(-1)).toMatchObject({ kind: "waiting", reason: "no connection in time" })
    await vi.advanceTimersByTimeAsync(250)
    expect(sockets).toHaveLength(2)
  })

  test("failures back off with jitter, at most one dial a second, 30 s at most", async () => {
    const relay = connect({ random: () => 0.999 })
    relay.open()
    const delays: number[] = []
    for (let i = 0; i < 60; i++) {
      last().drop()
      const state = states.at(-1)!
      delays.push(state.kind === "waiting" ? state.until - Date.now() : Number.NaN)
      await vi.advanceTimersByTimeAsync(delays[i]! - 1)
      expect(sockets).toHaveLength(i + 1)
      await vi.advanceTimersByTimeAsync(1)
      expect(sockets).toHaveLength(i + 2)
    }
    expect(delays.slice(0, 6)).toEqual([1_000, 999, 1_998, 3_996, 4_995, 4_995].map((ms) => Math.max(1_000, ms)))
    // For two minutes no wait is longer than 5 s; after that 30 s is the limit.
    expect(delays.filter((ms) => ms > 5_000)[0]).toBe(29_970)
    expect(delays.findIndex((ms) => ms > 5_000)).toBeGreaterThan(20)
    expect(Math.max(...delays)).toBe(29_970)
  })

  test("relays that refuse at once see one dial a second at most", async () => {
    connect({ random: () => 0 }).open()
    for (let i = 0; i < 5; i++) {
      last().drop()
      await vi.advanceTimersByTimeAsync(1_000)
    }
    expect(dialledAt).toEqual([0, 1_000, 2_000, 3_000, 4_000, 5_000])
  })

  test("only a stable connection resets the backoff", async () => {
    connect({ random: () => 0.999 }).open()
    async function liveFor(ms: number): Promise<number> {
      last().accept()
      await vi.advanceTimersByTimeAsync(ms)
      last().drop()
      const state = states.at(-1)!
      const delay = state.kind === "waiting" ? state.until - Date.now() : Number.NaN
      await vi.advanceTimersByTimeAsync(delay)
      return delay
    }
    expect(await liveFor(4_999)).toBe(500)
    expect(await liveFor(4_999)).toBe(999)
    expect(await liveFor(4_999)).toBe(1_998)
    expect(await liveFor(5_000)).toBe(500)
  })

  test("a factory that throws is a failed dial", async () => {
    let calls = 0
    const relay = connect({
      webSocket: () => {
        calls += 1
        throw new SyntaxError("no such scheme")
      },
    })
    relay.open()
    expect(relay.state).toMatchObject({ kind: "waiting", reason: "cannot dial: no such scheme" })
    await vi.advanceTimersByTimeAsync(1_000)
    expect(calls).toBe(2)
  })

  test("a clock that jumps back an hour delays the next dial by a second, not by an hour", async () => {
    let offset = 0
    connect({ now: () => Date.now() + offset, random: () => 0 }).open()
    offset = -3_600_000
    last().drop()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(sockets).toHaveLength(2)
  })

  test("checkNow cuts a wait short, but not below a second between dials", async () => {
    const relay = connect({ random: () => 0.999 })
    relay.open()
    for (let i = 0; i < 4; i++) {
      last().drop()
      await vi.advanceTimersByTimeAsync(5_000)
    }
    last().drop()
    relay.checkNow()
    await vi.advanceTimersByTimeAsync(0)
    expect(sockets).toHaveLength(6)
    last().drop()
    relay.checkNow()
    await vi.advanceTimersByTimeAsync(999)
    expect(sockets).toHaveLength(6)
    await vi.advanceTimersByTimeAsync(1)
    expect(sockets).toHaveLength(7)
  })
})

describe("liveness", () => {
  test("a silent relay is probed and given up within 30 s", async () => {
    connect().open()
    last().accept()
    await vi.advanceTimersByTimeAsync(14_999)
    expect(last().sent).toEqual([])
    await vi.advanceTimersByTimeAsync(1)
    expect(last().of("REQ")).toEqual([["REQ", "alive?", { ids: ["0".repeat(64)], limit: 1 }]])
    await vi.advanceTimersByTimeAsync(15_000)
    expect(sockets[0]!.terminated).toBe(true)
    expect(states).toContainEqual(expect.objectContaining({ kind: "waiting", reason: "silent" }))
  })

  test("any message is a sign of life, garbage included", async () => {
    connect().open()
    last().accept()
    for (const data of ["garbage", JSON.stringify(["NOTICE", "hi"]), JSON.stringify(["EOSE", "alive?"]), null]) {
      await vi.advanceTimersByTimeAsync(24_000)
      last().raw(data)
      expect(sockets).toHaveLength(1)
      expect(last().terminated).toBe(false)
    }
    expect(last().of("CLOSE")).toEqual([["CLOSE", "alive?"]])
  })

  test("ping frames are used where the socket has them", async () => {
    connect({}, PingSocket).open()
    last().accept()
    for (let i = 0; i < 10; i++) {
      await vi.advanceTimersByTimeAsync(20_000)
      const socket = last() as PingSocket
      expect(socket.pings).toBeGreaterThan(0)
      socket.onpong?.()
    }
    expect(sockets).toHaveLength(1)
    expect(last().sent).toEqual([])
    await vi.advanceTimersByTimeAsync(30_000)
    expect(sockets[0]!.terminated).toBe(true)
  })

  test("checkNow gives an open socket five seconds", async () => {
    const relay = connect()
    relay.open()
    last().accept()
    relay.checkNow()
    relay.checkNow()
    expect(last().of("REQ")).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(4_999)
    last().say("EOSE", "alive?")
    await vi.advanceTimersByTimeAsync(10_000)
    expect(sockets).toHaveLength(1)
    relay.checkNow()
    await vi.advanceTimersByTimeAsync(5_000)
    expect(sockets[0]!.terminated).toBe(true)
  })
})

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
    expect(asked).toEqual([["abc", URL]])
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

describe("robustness", () => {
  test("handlers that throw are reported and do no harm", () => {
    const errors: unknown[] = []
    const relay = connect({
      onHandlerError: (error) => errors.push(error),
      onNotice: () => {
        throw new Error("notice")
      },
    })
    const { id } = relay.subscribe(FILTERS, {
      onEvent: () => {
        throw new Error("event")
      },
    })
    last().accept()
    last().say("NOTICE", "x")
    last().say("EVENT", id, signed())
    last().say("EVENT", id, signed())
    expect(errors.map((error) => (error as Error).message)).toEqual(["notice", "event", "event"])
    expect(relay.state.kind).toBe("connected")
  })

  test("a connection can be closed from within every handler", () => {
    for (const kind of ["connecting", "connected", "waiting"] as const) {
      const relay: RelayConnection = connect({ onState: (state) => state.kind === kind && relay.close() })
      relay.open()
      if (sockets.length > 0 && last().readyState === 0) last().accept()
      if (sockets.length > 0) last().drop()
      expect(relay.state.kind).toBe("closed")
    }
    const relay = connect()
    const { id } = relay.subscribe(FILTERS, { onEvent: () => relay.close() })
    last().accept()
    last().say("EVENT", id, signed())
    expect(relay.state.kind).toBe("closed")
  })
})
