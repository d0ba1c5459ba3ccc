import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { checkLeaks } from "../../test/support/leaks.js"
import { bounded, limit, MAX_TIMEOUT_MS } from "./bounded.js"

checkLeaks()

const never = (): Promise<never> => new Promise(() => undefined)

describe("a bounded wait", () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => {
    expect(vi.getTimerCount()).toBe(0)
    vi.useRealTimers()
  })

  it("ends as what it waits for does", async () => {
    const bounds = { timeoutMs: 1_000, signal: new AbortController().signal, what: "the wait" }
    await expect(bounded(async () => 1, bounds)).resolves.toBe(1)
    await expect(bounded(() => Promise.reject(new Error("no")), bounds)).rejects.toThrow("no")
    const throws = (): Promise<void> => {
      throw new Error("at once")
    }
    await expect(bounded(throws, bounds)).rejects.toThrow("at once")
  })

  it("ends when its time is over", async () => {
    const ended = expect(bounded(never, { timeoutMs: 2_000, what: "the wait" })).rejects.toMatchObject({
      code: "TIMEOUT",
      message: "the wait took longer than 2 s; try again",
    })
    await vi.advanceTimersByTimeAsync(2_000)
    await ended
  })

  it("takes a deadline that no timer holds", async () => {
    const end = vi.fn()
    const forget = limit({ timeoutMs: Number.POSITIVE_INFINITY, what: "the wait" }, end)
    await vi.advanceTimersByTimeAsync(MAX_TIMEOUT_MS - 1)
    expect(end).not.toHaveBeenCalled()
    forget()
  })

  it("ends when it is aborted, with the app's reason, and leaves no timer from that moment on", async () => {
    const app = new AbortController()
    const bounds = { signal: app.signal, timeoutMs: 2_000, what: "the wait" }
    const ended = expect(bounded(never, bounds)).rejects.toMatchObject({
      code: "CLOSED",
      message: "the wait was aborted by the app",
      cause: "left",
    })
    app.abort("left")
    expect(vi.getTimerCount()).toBe(0)
    await ended
  })

  it("starts nothing for a signal that is aborted already", async () => {
    const start = vi.fn(never)
    await expect(bounded(start, { signal: AbortSignal.abort(), what: "the wait" })).rejects.toMatchObject({
      code: "CLOSED",
    })
    expect(start).not.toHaveBeenCalled()
  })

  it("a limit tells of such a signal only once it has returned", async () => {
    const end = vi.fn()
    limit({ signal: AbortSignal.abort(), timeoutMs: 1_000, what: "the wait" }, end)
    expect(end).not.toHaveBeenCalled()
    await Promise.resolve()
    expect(end).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: "CLOSED" }))
  })

  it("a limit that is forgotten says nothing", async () => {
    const end = vi.fn()
    const app = new AbortController()
    limit({ signal: app.signal, timeoutMs: 1_000, what: "the wait" }, end)()
    app.abort()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(end).not.toHaveBeenCalled()
  })
})
