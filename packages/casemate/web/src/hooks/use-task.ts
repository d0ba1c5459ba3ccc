import { useRef, useState } from "preact/hooks"
import { errorWords } from "../words/errors.js"

export interface Task {
  readonly isBusy: boolean
  /** Of the last run. */
  readonly error: string | undefined
  /** Does nothing while another run is under way: a second tap is no second decision. */
  readonly run: (work: () => Promise<void>) => void
}

/** Something that a person starts, one run at a time. */
export function useTask(): Task {
  const [isBusy, setBusy] = useState(false)
  const [error, setError] = useState<string | undefined>(undefined)
  // The state is seen only when the page is drawn again, which may be after a second tap.
  const isUnderWay = useRef(false)

  async function attempt(work: () => Promise<void>): Promise<void> {
    if (isUnderWay.current) return
    isUnderWay.current = true
    setBusy(true)
    setError(undefined)
    try {
      await work()
    } catch (failure) {
      setError(errorWords(failure))
    } finally {
      isUnderWay.current = false
      setBusy(false)
    }
  }

  return { isBusy, error, run: (work) => void attempt(work) }
}
