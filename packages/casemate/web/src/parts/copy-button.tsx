import type { JSX } from "preact"
import { useEffect, useState } from "preact/hooks"
import { Button } from "./button.js"

const SAID_MS = 2_500

interface CopyButtonProps {
  readonly text: string
  readonly label: string
}

export function CopyButton({ text, label }: CopyButtonProps): JSX.Element {
  const [said, setSaid] = useState<string | undefined>(undefined)
  useEffect(() => {
    if (said === undefined) return undefined
    const timer = setTimeout(() => setSaid(undefined), SAID_MS)
    return () => clearTimeout(timer)
  }, [said])

  async function copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(text)
      setSaid("Copied")
    } catch {
      setSaid("Not copied: select it by hand")
    }
  }

  return (
    <Button onPress={() => void copy()}>
      <span aria-live="polite">{said ?? label}</span>
    </Button>
  )
}
