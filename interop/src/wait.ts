/** Rejects when a promise has not settled in time; what it comes to afterwards is nobody's concern. */
export async function within<T>(promise: Promise<T>, ms: number, what: string): Promise<T> {
  let deadline: NodeJS.Timeout | undefined
  promise.catch(() => undefined)
  try {
    return await Promise.race([
      promise,
      new Promise<never>((_, reject) => {
        deadline = setTimeout(() => reject(new Error(`${what}: no answer within ${ms} ms`)), ms)
      }),
    ])
  } finally {
    clearTimeout(deadline)
  }
}

export interface AgainOptions {
  /** After how long to ask anew, in ms. */
  readonly askMs: number
  /** After how long to give up, in ms. */
  readonly deadlineMs: number
}

/** Asks until an ask succeeds, as an app does whose relay went away; rejects with what the last one came to. */
export async function again<T>(ask: () => Promise<T>, what: string, { askMs, deadlineMs }: AgainOptions): Promise<T> {
  const end = Date.now() + deadlineMs
  for (;;) {
    const started = Date.now()
    try {
      return await within(ask(), askMs, what)
    } catch (error) {
      if (Date.now() >= end) throw error
      // A refused connection comes at once: the next ask keeps its distance.
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, started + 250 - Date.now())))
    }
  }
}

/** Waits for all of them, whatever one comes to: what still starts could not be closed otherwise. */
export async function allOrTheFirstError(promises: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(promises)) {
    if (result.status === "rejected") throw result.reason
  }
}
