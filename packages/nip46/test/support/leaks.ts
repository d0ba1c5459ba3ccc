import { afterEach, beforeEach, expect } from "vitest"

type TimerId = ReturnType<typeof setTimeout>

/**
 * Fails every test of a file that leaves a timer or a socket behind. Timers are those that the code under test and
 * the test itself made; vitest keeps its own aside.
 */
export function checkLeaks(openSockets: () => number = () => 0): void {
  const real = { setTimeout, clearTimeout, setInterval, clearInterval }
  const timers = new Map<TimerId, string>()

  beforeEach(() => {
    timers.clear()
    globalThis.setTimeout = ((call: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) => {
      const id = real.setTimeout(() => {
        timers.delete(id)
        call(...args)
      }, ms)
      timers.set(id, `a timeout of ${ms} ms`)
      return id
    }) as typeof setTimeout
    globalThis.clearTimeout = (id) => {
      timers.delete(id as TimerId)
      real.clearTimeout(id)
    }
    globalThis.setInterval = ((call: () => void, ms?: number) => {
      const id = real.setInterval(call, ms)
      timers.set(id, `an interval of ${ms} ms`)
      return id
    }) as typeof setInterval
    globalThis.clearInterval = (id) => {
      timers.delete(id as TimerId)
      real.clearInterval(id)
    }
  })

  // Registered first, so that it runs after the clean-up of the test file.
  afterEach(() => {
    Object.assign(globalThis, real)
    expect([...timers.values()], "timers left behind").toEqual([])
    expect(openSockets(), "sockets left open").toBe(0)
  })
}
