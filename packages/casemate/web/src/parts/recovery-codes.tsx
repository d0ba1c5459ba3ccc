import type { JSX } from "preact"
import { useEffect, useId, useState } from "preact/hooks"
import { Button } from "./button.js"
import { CopyButton } from "./copy-button.js"
import { usePage } from "./page-context.js"

interface RecoveryCodesProps {
  readonly codes: readonly string[]
  readonly owner: string
  readonly onKept: () => void
}

/** Shown once: nobody goes on by mistake before they are kept. */
export function RecoveryCodes({ codes, owner, onKept }: RecoveryCodesProps): JSX.Element {
  const [isKept, setKept] = useState(false)
  const id = useId()
  const text = codesText(codes, owner, location.host)

  const { held } = usePage()
  useEffect(() => {
    const stay = (event: BeforeUnloadEvent): void => event.preventDefault()
    window.addEventListener("beforeunload", stay)
    held.current = "These codes are not shown again. Leave all the same?"
    return () => {
      window.removeEventListener("beforeunload", stay)
      held.current = undefined
    }
  }, [held])

  function goOn(): void {
    held.current = undefined
    onKept()
  }

  return (
    <div class="stack">
      <p>
        If you lose your passkey or your phone, one of these codes lets you in. Each works once. They are shown only
        now, so keep them on paper or in a password manager.
      </p>
      <ol class="codes">
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ol>
      <div class="row no-print">
        <CopyButton text={text} label="Copy" />
        <Button onPress={() => save(text)}>Download</Button>
        <Button onPress={() => window.print()}>Print</Button>
      </div>
      <div class="check no-print">
        <input id={id} type="checkbox" checked={isKept} onChange={(event) => setKept(event.currentTarget.checked)} />
        <label for={id}>I have kept them</label>
      </div>
      <div class="no-print stack">
        <Button look="primary" isOff={!isKept} onPress={goOn}>
          Go on
        </Button>
      </div>
    </div>
  )
}

export function codesText(codes: readonly string[], owner: string, host: string): string {
  return [`Recovery codes of ${owner} for Casemate at ${host}. Each works once.`, "", ...codes, ""].join("\n")
}

function save(text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: "text/plain" }))
  const link = document.createElement("a")
  link.href = url
  link.download = "casemate-recovery-codes.txt"
  link.click()
  URL.revokeObjectURL(url)
}
