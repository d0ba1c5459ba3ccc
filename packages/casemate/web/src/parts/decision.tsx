import type { JSX } from "preact"
import type { DecisionExtent, RequestDetail } from "../../../src/channel/owner-calls.js"
import { useSettled } from "../hooks/use-settled.js"
import { useTask } from "../hooks/use-task.js"
import { isLogin, scopeWords } from "../words/asks.js"
import { Button } from "./button.js"
import { Problem } from "./notice.js"
import { usePage } from "./page-context.js"
import { useConfirm } from "./proof.js"

const HOUR_S = 3_600

/** What was decided, in sentences. */
export interface Outcome {
  readonly title: "Approved" | "Denied"
  readonly words: readonly string[]
}

interface DecisionProps {
  readonly request: RequestDetail
  /** While it is carried out nothing that is shown may change. */
  readonly onUnderWay: (isUnderWay: boolean) => void
  readonly onDecided: (outcome: Outcome) => void
}

export function Decision({ request, onUnderWay, onDecided }: DecisionProps): JSX.Element {
  const { api } = usePage()
  const confirm = useConfirm()
  const task = useTask()
  const { id, digest, state } = request
  const isSettled = useSettled(`${id} ${digest} ${state}`)
  const isOff = !isSettled || task.isBusy
  const may = scopeWords(request, api.now())

  function decide(work: () => Promise<Outcome>): void {
    task.run(async () => {
      onUnderWay(true)
      try {
        onDecided(await work())
      } finally {
        onUnderWay(false)
      }
    })
  }

  // The digest is that of what stands on the page: anything else is refused.
  const approve = (extent: DecisionExtent): void =>
    decide(async () => approved(request, extent, await confirm("requests.approve", { id, digest, extent }), may))
  const deny = (block: boolean): void =>
    decide(async () => denied(block, await confirm("requests.deny", { id, digest, block })))

  return (
    <section class="card decision" aria-label="Your decision">
      <Button look="primary" isOff={isOff} onPress={() => approve("once")}>
        Approve once
      </Button>
      <div class="group">
        <p class="quiet" id="lasting">
          For an hour, or always, this app <bdi dir="ltr">{may}</bdi>, and you are not asked.
        </p>
        <div class="row">
          <Button isOff={isOff} onPress={() => approve({ seconds: HOUR_S })}>
            For 1 hour
          </Button>
          <Button isOff={isOff} onPress={() => approve("always")}>
            Always
          </Button>
        </div>
      </div>
      <div class="group">
        <p class="quiet">“Deny and block” also refuses the same at once from now on.</p>
        <div class="row">
          <Button look="danger" isOff={isOff} onPress={() => deny(false)}>
            Deny
          </Button>
          <Button look="danger" isOff={isOff} onPress={() => deny(true)}>
            Deny and block
          </Button>
        </div>
      </div>
      <p role="status" class="unseen">
        {task.isBusy ? "Your decision is on its way." : ""}
      </p>
      <Problem text={task.error} />
    </section>
  )
}

function approved(
  request: RequestDetail,
  extent: DecisionExtent,
  { served, isLate }: { readonly served: number; readonly isLate: boolean },
  may: string,
): Outcome {
  const words: string[] = []
  if (isLate) {
    words.push(
      extent === "once" && isLogin(request)
        ? "It was too late for this login: “For 1 hour” or “Always” would serve the next one."
        : "The app had given up by then. It is served when it asks again.",
    )
  } else if (served > 1) words.push(`With it went ${served - 1} more of the same.`)
  if (extent === "always") words.push(`From now on this app ${may}.`)
  else if (extent !== "once") words.push(`For 1 hour this app ${may}.`)
  return { title: "Approved", words }
}

function denied(block: boolean, { isLate }: { readonly isLate: boolean }): Outcome {
  if (block) return { title: "Denied", words: ["The same is refused at once from now on."] }
  return { title: "Denied", words: isLate ? ["The app had been told already that nobody decided."] : [] }
}
