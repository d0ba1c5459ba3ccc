import { describe, expect, test, vi } from "vitest"
import {
  connect,
  dialledAt,
  FILTERS,
  last,
  PingSocket,
  START,
  signed,
  sockets,
  states,
  useBench,
} from "../../test/support/relay-bench.js"
import type { RelayConnection } from "./relay-connection.js"

useBench()

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
