import { useEffect, useState } from "preact/hooks"

const SETTLE_MS = 500

/**
 * False for half a second after `shown` changes, after the page grew or shrank, and after it comes to the front: nobody
 * decides by a tap that was meant for what stood in the same place before.
 */
export function useSettled(shown: string): boolean {
  const [settled, setSettled] = useState<string | undefined>(undefined)
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const settle = (): void => {
      clearTimeout(timer)
      setSettled(undefined)
      timer = setTimeout(() => setSettled(shown), SETTLE_MS)
    }
    // Watching begins with a first call, so that it settles once anyhow.
    const size = new ResizeObserver(settle)
    size.observe(document.body)
    window.addEventListener("focus", settle)
    document.addEventListener("visibilitychange", settle)
    return () => {
      clearTimeout(timer)
      size.disconnect()
      window.removeEventListener("focus", settle)
      document.removeEventListener("visibilitychange", settle)
    }
  }, [shown])
  return settled === shown
}
