import type { JSX } from "preact"
import { useState } from "preact/hooks"
import { useTask } from "../hooks/use-task.js"
import { Button } from "../parts/button.js"
import { CodeField, Field, PasswordField } from "../parts/field.js"
import { Form } from "../parts/form.js"
import { Problem } from "../parts/notice.js"
import { Page } from "../parts/page.js"
import { usePage } from "../parts/page-context.js"
import { assertPasskey } from "../passkeys.js"
import { pathAfterSignIn } from "../router.js"

type Way = "password" | "recovery"

export function SignInPage({ next }: { readonly next: string | undefined }): JSX.Element {
  const { api, go } = usePage()
  const [way, setWay] = useState<Way>("password")
  const byPasskey = useTask()

  function enter(session: { readonly token: string }): void {
    api.signedIn(session)
    go(pathAfterSignIn(next), { replace: true })
  }

  async function usePasskey(): Promise<void> {
    const response = await assertPasskey(await api.call("session.passkeyOptions", {}))
    enter(await api.call("session.passkey", { response }))
  }

  return (
    <Page title="Sign in">
      <p class="lead">Here you decide what apps may do with the keys in this bunker.</p>
      <section class="card stack" aria-label="With a passkey">
        <Button look="primary" isOff={byPasskey.isBusy} onPress={() => byPasskey.run(usePasskey)}>
          Sign in with a passkey
        </Button>
        <Problem text={byPasskey.error} />
      </section>
      <p class="or">or</p>
      {way === "password" ? <PasswordForm onSession={enter} /> : <RecoveryForm onSession={enter} />}
      <Button look="quiet" onPress={() => setWay(way === "password" ? "recovery" : "password")}>
        {way === "password" ? "Use a recovery code instead" : "Use a password instead"}
      </Button>
    </Page>
  )
}

interface WayProps {
  readonly onSession: (session: { readonly token: string }) => void
}

function PasswordForm({ onSession }: WayProps): JSX.Element {
  const { api } = usePage()
  const task = useTask()
  const [name, setName] = useState("")
  const [password, setPassword] = useState("")
  const [code, setCode] = useState("")
  return (
    <section class="card" aria-label="With a password">
      <Form
        task={task}
        onSend={async () => onSession(await api.call("session.password", { name: name.trim(), password, code }))}
      >
        <Field label="Your name here" value={name} onValue={setName} autocomplete="username" />
        <PasswordField value={password} onValue={setPassword} />
        <CodeField value={code} onValue={setCode} />
        <Button isOff={task.isBusy}>{task.isBusy ? "Signing in…" : "Sign in with the password"}</Button>
      </Form>
    </section>
  )
}

function RecoveryForm({ onSession }: WayProps): JSX.Element {
  const { api } = usePage()
  const task = useTask()
  const [name, setName] = useState("")
  const [code, setCode] = useState("")
  return (
    <section class="card" aria-label="With a recovery code">
      <Form
        task={task}
        onSend={async () => onSession(await api.call("session.recover", { name: name.trim(), code: code.trim() }))}
      >
        <Field label="Your name here" value={name} onValue={setName} autocomplete="username" />
        <Field
          label="Recovery code"
          value={code}
          onValue={setCode}
          autocomplete="off"
          hint="One of those that you kept when you joined. It works once."
        />
        <Button isOff={task.isBusy}>{task.isBusy ? "Signing in…" : "Sign in with the code"}</Button>
      </Form>
    </section>
  )
}
