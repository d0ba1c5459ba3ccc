import type { JSX } from "preact"
import { useState } from "preact/hooks"
import type { OwnerDetail, TotpSetup } from "../../../src/channel/web-calls.js"
import { useTask } from "../hooks/use-task.js"
import { Button } from "./button.js"
import { CodeField } from "./field.js"
import { Form } from "./form.js"
import { NewPasswordField } from "./new-password-field.js"
import { Problem } from "./notice.js"
import { useConfirm } from "./proof.js"
import { TotpSetupView } from "./totp-setup.js"

interface PasswordSetupProps {
  readonly owner: OwnerDetail
  readonly onChanged: () => void
}

/** A password comes with an authenticator app: neither lets anybody in alone. */
export function PasswordSetup({ owner: { name, hasPassword }, onChanged }: PasswordSetupProps): JSX.Element {
  const confirm = useConfirm()
  const task = useTask()
  const [totp, setTotp] = useState<TotpSetup | undefined>(undefined)
  return (
    <section class="card stack" aria-labelledby="password">
      <h2 id="password">Password and authenticator app</h2>
      {totp === undefined ? (
        <>
          <p class="quiet">
            {hasPassword
              ? "You can sign in with them. To change one, both are set anew."
              : "Not set. They are another way in, for a browser that has no passkey."}
          </p>
          <Button isOff={task.isBusy} onPress={() => task.run(async () => setTotp(await confirm("owner.totp", {})))}>
            {hasPassword ? "Set them anew" : "Set them up"}
          </Button>
          <Problem text={task.error} />
        </>
      ) : (
        <SetForm
          name={name}
          totp={totp}
          onDone={() => {
            setTotp(undefined)
            onChanged()
          }}
          onCancel={() => setTotp(undefined)}
        />
      )}
    </section>
  )
}

interface SetFormProps {
  readonly name: string
  readonly totp: TotpSetup
  readonly onDone: () => void
  readonly onCancel: () => void
}

function SetForm({ name, totp, onDone, onCancel }: SetFormProps): JSX.Element {
  const confirm = useConfirm()
  const task = useTask()
  const [password, setPassword] = useState("")
  const [code, setCode] = useState("")

  async function save(): Promise<void> {
    await confirm("owner.setPassword", { password, code })
    onDone()
  }

  return (
    <Form task={task} onSend={save}>
      <input type="hidden" name="username" autocomplete="username" value={name} />
      <TotpSetupView {...totp} />
      <CodeField value={code} onValue={setCode} />
      <NewPasswordField value={password} onValue={setPassword} />
      <Button look="primary" isOff={task.isBusy}>
        Save
      </Button>
      <Button look="quiet" onPress={onCancel}>
        Cancel
      </Button>
    </Form>
  )
}
