import { Nip46Error } from "../protocol/errors.js"

/** setTimeout takes a signed 32-bit number and fires at once above it. */
export const MAX_TIMEOUT_MS = 2 ** 31 - 1

export interface Bounds {
  readonly signal?: AbortSignal | undefined
  /** In milliseconds; without it only the signal ends the wait. */
  readonly timeoutMs?: number | undefined
  /** What is waited for, as the beginning of a sentence. */
  readonly what: string
}

/**
 * Calls `end`, never before it has returned: with `CLOSED` once the signal is aborted, with `TIMEOUT` once the time is
 * over. Returns what forgets both.
 */
export function limit(bounds: Bounds, end: (error: Nip46Error) => void): () => void {
  const { signal, timeoutMs, what } = bounds
  const abort = (): void => {
    clearTimeout(timer)
    end(aborted(bounds))
  }
  const expire = (ms: number): void =>
    end(new Nip46Error("TIMEOUT", `${what} took longer than ${Math.round(ms / 1000)} s; try again`))
  const timer = timeoutMs === undefined ? undefined : setTimeout(expire, Math.min(timeoutMs, MAX_TIMEOUT_MS), timeoutMs)
  signal?.addEventListener("abort", abort)
  if (signal?.aborted === true) queueMicrotask(abort)
  return () => {
    clearTimeout(timer)
    signal?.removeEventListener("abort", abort)
  }
}

/**
 * Starts something, unless the signal is aborted already, and waits for it no longer than its caller wants to. What was
 * started goes on.
 *
 * @throws `TIMEOUT`, `CLOSED` when the signal is aborted, and what is thrown or rejected by what was started
 */
export async function bounded<T>(start: () => Promise<T>, bounds: Bounds): Promise<T> {
  if (bounds.signal?.aborted === true) throw aborted(bounds)
  let forget = (): void => undefined
  try {
    return await new Promise<T>((resolve, reject) => {
      forget = limit(bounds, reject)
      start().then(resolve, reject)
    })
  } finally {
    forget()
  }
}

function aborted({ signal, what }: Bounds): Nip46Error {
  return new Nip46Error("CLOSED", `${what} was aborted by the app`, { cause: signal?.reason })
}
