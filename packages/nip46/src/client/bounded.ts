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
 * Waits for a promise no longer than its caller wants to. What it stands for goes on.
 *
 * @throws `TIMEOUT`, `CLOSED` when the signal is aborted, and what the promise is rejected with
 */
export async function bounded<T>(promise: Promise<T>, { signal, timeoutMs, what }: Bounds): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  let abort: (() => void) | undefined
  try {
    return await Promise.race([
      promise,
      new Promise<never>((_, reject) => {
        abort = () => reject(new Nip46Error("CLOSED", `${what} was aborted by the app`, { cause: signal?.reason }))
        if (signal?.aborted === true) abort()
        signal?.addEventListener("abort", abort)
        if (timeoutMs === undefined) return
        const late = new Nip46Error("TIMEOUT", `${what} took longer than ${Math.round(timeoutMs / 1000)} s`)
        timer = setTimeout(() => reject(late), Math.min(timeoutMs, MAX_TIMEOUT_MS))
      }),
    ])
  } finally {
    clearTimeout(timer)
    if (abort !== undefined) signal?.removeEventListener("abort", abort)
  }
}
