import type { Connection } from "@casemate/nip46/signer"
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { UserError } from "../../config/user-error.js"
import { ConnectionWaits } from "./connection-waits.js"

const now = (): number => Math.floor(Date.now() / 1000)

function setUp(ttl: number) {
  const connection = { id: "c1", state: "offered", secretExpiresAt: now() + ttl } as Connection
  const stored = { connection: connection as Connection | undefined, reads: 0 }
  const waits = new ConnectionWaits(async () => {
    stored.reads++
    return stored.connection
  }, now)
  const outcome = vi.fn<(outcome: string) => void>()
  const wait = (): Promise<void> =>
    waits.untilActive(connection).then(
      ({ state }) => outcome(state),
      (error: unknown) => {
        expect(error).toBeInstanceOf(UserError)
        outcome((error as Error).message)
      },
    )
  const become = (state: Connection["state"]): void => {
    stored.connection = { ...connection, state }
    waits.served(connection.id)
  }
  return { connection, stored, waits, outcome, wait, become }
}

/** An app that was let in, and may ask. */
function letIn() {
  const { stored, waits, outcome } = setUp(0)
  const connection = { id: "c1", state: "active", lastUsedAt: undefined } as Connection
  stored.connection = connection
  const wait = (): Promise<void> =>
    waits.untilAsked(connection).then(
      ({ lastUsedAt }) => outcome(`asked at ${lastUsedAt}`),
      (error: unknown) => {
        expect(error).toBeInstanceOf(UserError)
        outcome((error as Error).message)
      },
    )
  const become = (fields: Partial<Connection>): void => {
    stored.connection = { ...connection, ...fields }
    waits.served(connection.id)
  }
  return { wait, become, outcome }
}

describe("ConnectionWaits", () => {
  beforeEach(() => void vi.useFakeTimers({ now: 1_800_000_000_000 }))
  afterEach(() => {
    expect(vi.getTimerCount()).toBe(0)
    vi.useRealTimers()
  })

  it("resolves when an app has connected, for everyone who waits", async () => {
    const { wait, become, outcome } = setUp(60)
    void wait()
    void wait()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(outcome).not.toHaveBeenCalled()
    become("active")
    await vi.advanceTimersByTimeAsync(0)
    expect(outcome.mock.calls).toEqual([["active"], ["active"]])
  })

  it("resolves at once when the app was first", async () => {
    const { wait, become, outcome } = setUp(60)
    become("active")
    await wait()
    expect(outcome).toHaveBeenCalledWith("active")
  })

  it("misses nothing that happens while it reads", async () => {
    const { connection, stored, waits } = setUp(60)
    const slow = new ConnectionWaits(async () => {
      const seen = stored.connection
      if (++stored.reads === 1) {
        stored.connection = { ...connection, state: "active" }
        slow.served(connection.id)
      }
      return seen
    }, now)
    await expect(slow.untilActive(connection)).resolves.toMatchObject({ state: "active" })
    waits.served("nobody waits for this one")
  })

  it("goes on waiting when a request of the connection changed nothing", async () => {
    const { wait, become, outcome } = setUp(60)
    void wait()
    for (let i = 0; i < 5; i++) {
      become("offered")
      await vi.advanceTimersByTimeAsync(1_000)
    }
    expect(outcome).not.toHaveBeenCalled()
    become("active")
    await vi.advanceTimersByTimeAsync(0)
    expect(outcome).toHaveBeenCalledWith("active")
  })

  it.each(["revoked", "logged_out"] as const)("ends with a sentence when the token is %s", async (state) => {
    const { wait, become, outcome } = setUp(60)
    void wait()
    await vi.advanceTimersByTimeAsync(0)
    become(state)
    await vi.advanceTimersByTimeAsync(0)
    expect(outcome).toHaveBeenCalledWith("this token was revoked before an app connected")
  })

  it("ends with a sentence when the token was purged", async () => {
    const { wait, stored, outcome } = setUp(60)
    stored.connection = undefined
    await wait()
    expect(outcome).toHaveBeenCalledWith("this token was revoked before an app connected")
  })

  it("ends when the token expires, not before", async () => {
    const { wait, outcome } = setUp(60)
    void wait()
    await vi.advanceTimersByTimeAsync(59_900)
    expect(outcome).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(1_100)
    expect(outcome).toHaveBeenCalledWith("no app connected before the token expired; make a new one")
  })

  it("ends at once for one that had expired", async () => {
    const { wait, outcome } = setUp(-1)
    await wait()
    expect(outcome).toHaveBeenCalledWith("no app connected before the token expired; make a new one")
  })

  it("resolves when an app that was let in asks something, and at once when it had", async () => {
    const { wait, become, outcome } = letIn()
    void wait()
    become({})
    await vi.advanceTimersByTimeAsync(1_000)
    expect(outcome).not.toHaveBeenCalled()
    become({ lastUsedAt: 7 })
    await vi.advanceTimersByTimeAsync(0)
    await wait()
    expect(outcome.mock.calls).toEqual([["asked at 7"], ["asked at 7"]])
  })

  it("ends with a sentence when the app asks nothing, or is shut out", async () => {
    const silent = letIn()
    void silent.wait()
    await vi.advanceTimersByTimeAsync(70_000)
    expect(silent.outcome).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(6_000)
    expect(silent.outcome.mock.calls[0]?.[0]).toMatch(/^the app has asked nothing yet: open it, .*revoke c1/)

    const doomed = letIn()
    void doomed.wait()
    doomed.become({ state: "revoked" })
    await vi.advanceTimersByTimeAsync(0)
    expect(doomed.outcome).toHaveBeenCalledWith("this app was shut out before it asked anything")
  })

  it("ends in time for a token of 30 days, which is longer than a timer can be", async () => {
    const { wait, stored, outcome } = setUp(30 * 86_400)
    void wait()
    await vi.advanceTimersByTimeAsync(29 * 86_400_000)
    expect(outcome).not.toHaveBeenCalled()
    expect(stored.reads).toBeLessThan(5)
    await vi.advanceTimersByTimeAsync(86_400_000 + 1_000)
    expect(outcome).toHaveBeenCalledWith("no app connected before the token expired; make a new one")
  })
})
