import { useEffect, useState } from "preact/hooks"

const SETTLE_MS = 500

/**
 * False for half a second after `shown` changes, and after the page comes to the front: nobody decides by a tap that
 * was meant for what stood in the same place before.
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
    settle()
    window.addEventListener("focus", settle)
    document.addEventListener("visibilitychange", settle)
    return () => {
      clearTimeout(timer)
      window.removeEventListener("focus", settle)
      document.removeEventListener("visibilitychange", settle)
    }
  }, [shown])
  return settled === shown
}
