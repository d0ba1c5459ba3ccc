import { useEffect, useState } from "preact/hooks"
import { usePage } from "../parts/page-context.js"

/** The bunker's time in unix seconds, second by second. */
export function useNow(): number {
  const { api } = usePage()
  const [now, setNow] = useState(() => api.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(api.now()), 1_000)
    return () => clearInterval(timer)
  }, [api])
  return now
}
