import type { JSX } from "preact"
import { useState } from "preact/hooks"
import type { OwnerDetail } from "../../../src/channel/web-calls.js"
import { usePolled } from "../hooks/use-polled.js"
import { useTask } from "../hooks/use-task.js"
import { Button } from "../parts/button.js"
import { Problem } from "../parts/notice.js"
import { Page } from "../parts/page.js"
import { usePage } from "../parts/page-context.js"
import { Passkeys } from "../parts/passkeys.js"
import { PasswordSetup } from "../parts/password-setup.js"
import { useConfirm } from "../parts/proof.js"
import { Reach } from "../parts/reach.js"
import { RecoveryCodes } from "../parts/recovery-codes.js"

const EVERY_MS = 30_000
/** So few that new ones are better made now. */
const FEW_CODES = 3

export function AccountPage(): JSX.Element {
  const { api } = usePage()
  const { value: owner, error, refresh } = usePolled("account", () => api.call("owner.show", {}), { everyMs: EVERY_MS })
  const [codes, setCodes] = useState<readonly string[] | undefined>(undefined)

  if (owner === undefined) {
    return (
      <Page key="loading" title="Account">
        <Reach error={error} />
        {error === undefined && <p class="quiet">Looking…</p>}
      </Page>
    )
  }
  if (codes !== undefined) {
    return (
      <Page key="codes" title="Keep your recovery codes" isAnnounced>
        <p>Those that you had before work no more.</p>
        <RecoveryCodes
          codes={codes}
          owner={owner.name}
          onKept={() => {
            setCodes(undefined)
            refresh()
          }}
        />
      </Page>
    )
  }
  return (
    <Page key="account" title="Account" heading={owner.name}>
      <p class="lead">You are an owner of this bunker.</p>
      <Reach error={error} />
      <Passkeys owner={owner} onChanged={refresh} />
      <PasswordSetup owner={owner} onChanged={refresh} />
      <Codes owner={owner} onCodes={setCodes} />
      <Sessions owner={owner} onChanged={refresh} />
    </Page>
  )
}

interface CodesProps {
  readonly owner: OwnerDetail
  readonly onCodes: (codes: readonly string[]) => void
}

function Codes({ owner: { recoveryCodesLeft: left }, onCodes }: CodesProps): JSX.Element {
  const confirm = useConfirm()
  const task = useTask()
  return (
    <section class="card stack" aria-labelledby="codes">
      <h2 id="codes">Recovery codes</h2>
      <p class={left <= FEW_CODES ? "notice careful" : "quiet"}>
        {left === 0 ? "You have none left." : `You have ${left} left.`} Each lets you in once, should you lose the rest.
      </p>
      <Button
        isOff={task.isBusy}
        onPress={() => task.run(async () => onCodes((await confirm("owner.recoveryCodes", {})).recoveryCodes))}
      >
        Make new codes
      </Button>
      <Problem text={task.error} />
    </section>
  )
}

interface SessionsProps {
  readonly owner: OwnerDetail
  readonly onChanged: () => void
}

function Sessions({ owner: { sessions }, onChanged }: SessionsProps): JSX.Element {
  const { api } = usePage()
  const task = useTask()
  const [said, setSaid] = useState("")

  async function endOthers(): Promise<void> {
    const { ended } = await api.call("sessions.endOthers", {})
    setSaid(ended === 1 ? "One other browser was signed out." : `${ended} other browsers were signed out.`)
    onChanged()
  }

  async function end(): Promise<void> {
    await api.call("session.end", {})
    api.signedOut()
  }

  const others = sessions - 1
  return (
    <section class="card stack" aria-labelledby="sessions">
      <h2 id="sessions">Signed in</h2>
      <p class="quiet">
        {others > 0 ? `Here, and in ${others} other browser${others === 1 ? "" : "s"}.` : "Only here."} Every sign-in
        ends after 12 hours.
      </p>
      {others > 0 && (
        <Button isOff={task.isBusy} onPress={() => task.run(endOthers)}>
          Sign out everywhere else
        </Button>
      )}
      <Button isOff={task.isBusy} onPress={() => task.run(end)}>
        Sign out
      </Button>
      <div role="status" class="live">
        {said !== "" && <p class="quiet">{said}</p>}
      </div>
      <Problem text={task.error} />
    </section>
  )
}
