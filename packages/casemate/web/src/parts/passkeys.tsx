import type { JSX } from "preact"
import { useState } from "preact/hooks"
import type { OwnerDetail, PasskeyInfo } from "../../../src/channel/web-calls.js"
import { useNow } from "../hooks/use-now.js"
import { useTask } from "../hooks/use-task.js"
import { makePasskey } from "../passkeys.js"
import { agoWords } from "../words/times.js"
import { Button } from "./button.js"
import { Field } from "./field.js"
import { Form } from "./form.js"
import { Problem } from "./notice.js"
import { usePage } from "./page-context.js"
import { useConfirm } from "./proof.js"
import { Theirs } from "./theirs.js"

const LONGEST_LABEL = 60

interface PasskeysProps {
  readonly owner: OwnerDetail
  readonly onChanged: () => void
}

export function Passkeys({ owner: { passkeys }, onChanged }: PasskeysProps): JSX.Element {
  const [isAdding, setAdding] = useState(false)
  return (
    <section class="card stack" aria-labelledby="passkeys">
      <h2 id="passkeys">Passkeys</h2>
      {passkeys.length === 0 && <p class="quiet">You have none yet. With one you sign in by finger, face or PIN.</p>}
      {passkeys.length > 0 && (
        <ul class="items">
          {passkeys.map((passkey) => (
            <li key={passkey.id}>
              <Passkey passkey={passkey} onChanged={onChanged} />
            </li>
          ))}
        </ul>
      )}
      {isAdding ? (
        <AddPasskey
          onDone={() => {
            setAdding(false)
            onChanged()
          }}
          onCancel={() => setAdding(false)}
        />
      ) : (
        <Button onPress={() => setAdding(true)}>Add a passkey</Button>
      )}
    </section>
  )
}

interface PasskeyProps {
  readonly passkey: PasskeyInfo
  readonly onChanged: () => void
}

function Passkey({ passkey, onChanged }: PasskeyProps): JSX.Element {
  const { id, label, host, createdAt, lastUsedAt } = passkey
  const confirm = useConfirm()
  const task = useTask()
  const now = useNow()
  const [isAsked, setAsked] = useState(false)

  async function remove(): Promise<void> {
    await confirm("owner.removePasskey", { id })
    onChanged()
  }

  return (
    <div class="stack tight">
      <div class="item">
        <div>
          <strong>
            <Theirs text={label} />
          </strong>
          <p class="hint">
            For {host}. Made {agoWords(createdAt, now)},{" "}
            {lastUsedAt === undefined ? "never used" : `last used ${agoWords(lastUsedAt, now)}`}.
          </p>
        </div>
        {!isAsked && (
          <Button look="quiet" onPress={() => setAsked(true)}>
            Remove<span class="unseen"> {label}</span>
          </Button>
        )}
      </div>
      {isAsked && (
        <div class="row">
          <Button look="danger" isOff={task.isBusy} onPress={() => task.run(remove)}>
            Remove it for good
          </Button>
          <Button isOff={task.isBusy} onPress={() => setAsked(false)}>
            Keep it
          </Button>
        </div>
      )}
      <Problem text={task.error} />
    </div>
  )
}

interface AddPasskeyProps {
  readonly onDone: () => void
  readonly onCancel: () => void
}

function AddPasskey({ onDone, onCancel }: AddPasskeyProps): JSX.Element {
  const { api } = usePage()
  const confirm = useConfirm()
  const task = useTask()
  const [label, setLabel] = useState("")

  async function add(): Promise<void> {
    const response = await makePasskey(await api.call("owner.passkeyOptions", {}))
    await confirm("owner.addPasskey", { response, label: label.trim() })
    onDone()
  }

  return (
    <Form task={task} onSend={add}>
      <Field
        label="What to call it"
        value={label}
        onValue={setLabel}
        autocomplete="off"
        maxLength={LONGEST_LABEL}
        hint="Such as “my phone” or “blue security key”. You are then asked to confirm with what you have already."
      />
      <Button look="primary" isOff={task.isBusy}>
        Make the passkey
      </Button>
      <Button look="quiet" onPress={onCancel}>
        Cancel
      </Button>
    </Form>
  )
}
