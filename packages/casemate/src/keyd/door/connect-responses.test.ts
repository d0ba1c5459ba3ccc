import type { NostrEvent } from "@casemate/nip46/protocol"
import type { Answer, Connection } from "@casemate/nip46/signer"
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { createLogger } from "../../config/log.js"
import { ConnectResponses } from "./connect-responses.js"

const START = 1_800_000_000
const now = (): number => Date.now() / 1000
let published: { id: string; after: number }[]
let renew: () => Promise<Answer | undefined>
let renewals: number
let responses: ConnectResponses

const event = (id: string): NostrEvent => ({ id, created_at: START }) as NostrEvent
const answer = (id: string): Answer => ({ event: event(id), relays: [], connectionId: "c1" })
const ids = (): string[] => published.map(({ id }) => id)

beforeEach(() => {
  vi.useFakeTimers({ now: START * 1000 })
  published = []
  renewals = 0
  renew = async () => answer(`again ${++renewals}`)
  responses = new ConnectResponses({
    engine: { renewConnectResponse: () => renew() },
    publish: ({ event: { id } }) => void published.push({ id, after: now() - START }),
    log: createLogger("test", "silent"),
  })
})
afterEach(() => {
  responses.close()
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

describe("ConnectResponses", () => {
  it("QUIRKS signer 15: sends at once, and fresh at 2, 5, 15, 30 and 60 s, then no more, whatever the relays said", async () => {
    responses.send(answer("first"))
    await vi.advanceTimersByTimeAsync(600_000)
    expect(published.map(({ after }) => after)).toEqual([0, 2, 5, 15, 30, 60])
    expect(ids()).toEqual(["first", "again 1", "again 2", "again 3", "again 4", "again 5"])
    expect(vi.getTimerCount()).toBe(0)
  })

  it("QUIRKS signer 15: ends with the client's first request", async () => {
    responses.send(answer("first"))
    await vi.advanceTimersByTimeAsync(6_000)
    renew = async () => undefined
    await vi.advanceTimersByTimeAsync(10_000)
    expect(vi.getTimerCount()).toBe(0)
    expect(ids()).toEqual(["first", "again 1", "again 2"])
  })

  it("begins anew when the same token is accepted again", async () => {
    responses.send(answer("first"))
    await vi.advanceTimersByTimeAsync(10_000)
    responses.send(answer("second"))
    await vi.advanceTimersByTimeAsync(600_000)
    expect(published.map(({ after }) => after)).toEqual([0, 2, 5, 10, 12, 15, 25, 40, 70])
  })

  it("goes on after a fault", async () => {
    const mended = renew
    renew = async () => {
      throw new Error("database is locked")
    }
    responses.send(answer("first"))
    await vi.advanceTimersByTimeAsync(3_000)
    renew = mended
    await vi.advanceTimersByTimeAsync(3_000)
    expect(ids()).toEqual(["first", "again 1"])
  })

  it("goes on after a restart where it was", async () => {
    const stored = (fields: Partial<Connection>): Connection =>
      ({ id: "c1", state: "active", connectResponse: event("stored"), ...fields }) as Connection
    await vi.advanceTimersByTimeAsync(10_000)
    responses.resume(
      [stored({}), stored({ id: "c2", state: "revoked" }), stored({ id: "c3", connectResponse: undefined })],
      now(),
    )
    await vi.advanceTimersByTimeAsync(600_000)
    expect(published.map(({ after }) => after)).toEqual([10, 15, 30, 60])

    responses.resume([stored({ connectResponse: { ...event("old"), created_at: START } })], now())
    expect(published).toHaveLength(4)
  })
})
