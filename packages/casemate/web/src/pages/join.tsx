import type { JSX } from "preact"
import { useEffect, useRef, useState } from "preact/hooks"
import type { TotpSetup } from "../../../src/channel/web-calls.js"
import { ApiError, type PageOwner } from "../api.js"
import { useTask } from "../hooks/use-task.js"
import { Button } from "../parts/button.js"
import { CodeField, Field } from "../parts/field.js"
import { Form } from "../parts/form.js"
import { NewPasswordField } from "../parts/new-password-field.js"
import { Problem } from "../parts/notice.js"
import { Page } from "../parts/page.js"
import { usePage } from "../parts/page-context.js"
import { RecoveryCodes } from "../parts/recovery-codes.js"
import { TotpSetupView } from "../parts/totp-setup.js"
import { makePasskey } from "../passkeys.js"
import { errorWords } from "../words/errors.js"

type Invitation =
  | { readonly kind: "asking" }
  | { readonly kind: "open" }
  | { readonly kind: "over" }
  | { readonly kind: "unclear"; readonly words: string | undefined }

/** `secret`: of the link, undefined when the page was opened without one. */
export function JoinPage({ secret }: { readonly secret: string | undefined }): JSX.Element {
  const { api, go } = usePage()
  const [invitation, setInvitation] = useState<Invitation>({ kind: secret === undefined ? "over" : "asking" })
  const [joined, setJoined] = useState<PageOwner | undefined>(undefined)

  useEffect(() => {
    if (secret === undefined) return
    api.call("invitation.show", { secret }).then(
      () => setInvitation({ kind: "open" }),
      (error: unknown) =>
        setInvitation(isOver(error) ? { kind: "over" } : { kind: "unclear", words: errorWords(error) }),
    )
  }, [api, secret])

  function enter(owner: PageOwner): void {
    api.signedIn(owner)
    setJoined(owner)
  }

  if (joined !== undefined) {
    return (
      <Page key="codes" title="Keep your recovery codes" isAnnounced>
        <RecoveryCodes
          codes={joined.recoveryCodes}
          owner={joined.owner}
          onKept={() => go("/requests", { replace: true })}
        />
      </Page>
    )
  }
  if (secret === undefined || invitation.kind === "over") return <OverPage />
  return (
    <Page title="Become an owner">
      <p class="lead">
        You decide what apps may do with the keys in this bunker. Nothing is signed in your name without your word.
      </p>
      {invitation.kind === "asking" && <p class="quiet">Looking at your link…</p>}
      {invitation.kind === "unclear" && <Problem text={invitation.words} />}
      {invitation.kind === "open" && <JoinForm secret={secret} onJoined={enter} />}
    </Page>
  )
}

function OverPage(): JSX.Element {
  return (
    <Page key="over" title="This link does not work any more">
      <p>
        A link to join works once, for ten minutes. If yours is younger, open it again exactly as it was printed. For a
        new one, type this on the machine where the bunker runs:
      </p>
      <pre class="command">casemate owner invite</pre>
    </Page>
  )
}

type Way = "passkey" | "password"

interface JoinFormProps {
  readonly secret: string
  readonly onJoined: (owner: PageOwner) => void
}

function JoinForm({ secret, onJoined }: JoinFormProps): JSX.Element {
  const { api } = usePage()
  const task = useTask()
  const [name, setName] = useState("")
  const [totp, setTotp] = useState<TotpSetup | undefined>(undefined)
  const way = useRef<Way>("passkey")
  const asked = name.trim()

  async function join(): Promise<void> {
    if (way.current === "password") {
      setTotp(await api.call("invitation.totp", { secret, name: asked }))
      return
    }
    const options = await api.call("invitation.passkeyOptions", { secret, name: asked })
    const response = await makePasskey(options)
    onJoined(await api.call("invitation.passkey", { secret, name: asked, response }))
  }

  if (totp !== undefined) {
    return (
      <PasswordForm secret={secret} name={asked} totp={totp} onJoined={onJoined} onBack={() => setTotp(undefined)} />
    )
  }
  const choose = (chosen: Way) => () => {
    way.current = chosen
  }
  return (
    <section class="card" aria-label="Join">
      <Form task={task} onSend={join}>
        <Field
          label="Your name here"
          value={name}
          onValue={setName}
          autocomplete="username"
          maxLength={40}
          hint="Only other owners of this bunker see it."
        />
        <Button look="primary" isOff={task.isBusy} isSending onPress={choose("passkey")}>
          Join with a passkey
        </Button>
        <p class="hint">Your phone, computer or security key keeps it: you sign in with your finger, face or PIN.</p>
        <Button look="quiet" isOff={task.isBusy} isSending onPress={choose("password")}>
          Use a password and an authenticator app instead
        </Button>
      </Form>
    </section>
  )
}

interface PasswordFormProps extends JoinFormProps {
  readonly name: string
  readonly totp: TotpSetup
  readonly onBack: () => void
}

function PasswordForm({ secret, name, totp, onJoined, onBack }: PasswordFormProps): JSX.Element {
  const { api } = usePage()
  const task = useTask()
  const [password, setPassword] = useState("")
  const [code, setCode] = useState("")
  return (
    <section class="card" aria-label="Password and authenticator app">
      <Form
        task={task}
        onSend={async () => onJoined(await api.call("invitation.password", { secret, name, password, code }))}
      >
        <input type="hidden" name="username" autocomplete="username" value={name} />
        <TotpSetupView {...totp} />
        <CodeField value={code} onValue={setCode} />
        <NewPasswordField value={password} onValue={setPassword} />
        <Button look="primary" isOff={task.isBusy}>
          {task.isBusy ? "Joining…" : "Join"}
        </Button>
        <Button look="quiet" onPress={onBack}>
          Back
        </Button>
      </Form>
    </section>
  )
}

/** The secret is no good; anything else may pass. */
function isOver(error: unknown): boolean {
  return error instanceof ApiError && ["wrong_credential", "bad_request", "refused"].includes(error.code)
}
