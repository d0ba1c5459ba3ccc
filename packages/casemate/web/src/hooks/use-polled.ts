import { useEffect, useRef, useState } from "preact/hooks"

export interface Polled<T> {
  /** Undefined until it was had once. */
  readonly value: T | undefined
  /** Of the last attempt; undefined when that went well. */
  readonly error: unknown
  /** Asks at once. */
  readonly refresh: () => void
}

interface PollOptions {
  readonly everyMs: number
  /** While the page is not seen; undefined: not at all. */
  readonly hiddenMs?: number
  /** While true nothing is asked, and what is shown stays; afterwards it is asked at once. */
  readonly isPaused?: boolean
}

const LONGEST_MS = 30_000

interface State<T> {
  readonly key: string
  readonly value?: T
  readonly error?: unknown
}

/** The newest of what `load` gets, again and again: more rarely while it fails, or while nobody looks. */
export function usePolled<T>(key: string, load: () => Promise<T>, options: PollOptions): Polled<T> {
  const { everyMs, hiddenMs, isPaused = false } = options
  const [state, setState] = useState<State<T>>({ key })
  // The newest, not that of the first drawing: the loop outlives many.
  const latest = useRef(load)
  latest.current = load
  const again = useRef(() => {})

  useEffect(() => {
    if (isPaused) return undefined
    let timer: ReturnType<typeof setTimeout> | undefined
    let round = 0
    let failures = 0

    async function ask(): Promise<void> {
      clearTimeout(timer)
      round += 1
      const own = round
      const result = await attempt(latest.current)
      // Another round began meanwhile, or nobody waits for this one any more.
      if (own !== round) return
      failures = "error" in result ? failures + 1 : 0
      setState((old) => ({ ...(old.key === key ? old : {}), error: undefined, ...result, key }))
      const pace = document.hidden ? hiddenMs : everyMs
      const penalty = failures === 0 ? 0 : Math.min(LONGEST_MS, everyMs * 2 ** failures)
      if (pace !== undefined) timer = setTimeout(start, Math.max(pace, penalty))
    }

    const start = (): void => void ask()
    const look = (): void => {
      if (!document.hidden) start()
    }
    again.current = start
    start()
    document.addEventListener("visibilitychange", look)
    window.addEventListener("online", start)
    return () => {
      round = -1
      clearTimeout(timer)
      document.removeEventListener("visibilitychange", look)
      window.removeEventListener("online", start)
    }
  }, [key, everyMs, hiddenMs, isPaused])

  const { value, error } = state.key === key ? state : { value: undefined, error: undefined }
  return { value, error, refresh: () => again.current() }
}

async function attempt<T>(load: () => Promise<T>): Promise<{ readonly value: T } | { readonly error: unknown }> {
  try {
    return { value: await load() }
  } catch (error) {
    return { error }
  }
}
