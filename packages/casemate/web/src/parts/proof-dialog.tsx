import type { JSX } from "preact"
import { useEffect, useRef, useState } from "preact/hooks"
import type { Proof } from "../../../src/channel/web-calls.js"
import { useTask } from "../hooks/use-task.js"
import { passkeyProof } from "../passkeys.js"
import { errorWords } from "../words/errors.js"
import { Button } from "./button.js"
import { CodeField, PasswordField } from "./field.js"
import { Form } from "./form.js"
import { Problem } from "./notice.js"
import { type Asking, isOfCredential } from "./proof.js"

interface ProofDialogProps extends Asking {
  readonly onCancel: () => void
}

/** Asks whoever is there to show that it is the owner. */
export function ProofDialog(props: ProofDialogProps): JSX.Element {
  const { options, failure, freshOptions, attempt, giveUp, onCancel } = props
  const dialog = useRef<HTMLDialogElement>(null)
  const [password, setPassword] = useState("")
  const [code, setCode] = useState("")
  const byPasskey = useTask()
  const byPassword = useTask()
  const firstProblem = failure === undefined || byPasskey.isBusy ? undefined : errorWords(failure)
  const isBusy = byPasskey.isBusy || byPassword.isBusy

  useEffect(() => {
    const shown = dialog.current
    shown?.showModal()
    return () => shown?.close()
  }, [])

  async function prove(proof: Proof): Promise<void> {
    try {
      await attempt(proof)
    } catch (error) {
      if (isOfCredential(error)) throw error
      giveUp(error)
    }
  }

  async function provePasskey(): Promise<void> {
    // Options are for one try.
    const { passkey } = await freshOptions()
    if (passkey !== undefined) await prove(await passkeyProof(passkey))
  }

  return (
    <dialog
      ref={dialog}
      class="dialog"
      aria-labelledby="proof-title"
      onCancel={(event) => {
        event.preventDefault()
        onCancel()
      }}
    >
      <h2 id="proof-title">Confirm that it is you</h2>
      <p class="quiet">This matters more than most, so being signed in is not enough for it.</p>
      {options.passkey !== undefined && (
        <div class="stack">
          <Button look="primary" isOff={isBusy} onPress={() => byPasskey.run(provePasskey)}>
            Use a passkey
          </Button>
          <Problem text={byPasskey.error ?? firstProblem} />
        </div>
      )}
      {options.passkey !== undefined && options.password && <p class="or">or</p>}
      {options.password && (
        <Form task={byPassword} onSend={() => prove({ kind: "password", password, code })}>
          <PasswordField value={password} onValue={setPassword} />
          <CodeField value={code} onValue={setCode} />
          <Button look={options.passkey === undefined ? "primary" : "plain"} isOff={isBusy}>
            Confirm
          </Button>
        </Form>
      )}
      {options.passkey === undefined && !options.password && (
        <p class="notice careful">
          You have neither a passkey for this address nor a password. Open the page under the address at which you made
          your passkey.
        </p>
      )}
      <Button look="quiet" onPress={onCancel}>
        Cancel
      </Button>
    </dialog>
  )
}
