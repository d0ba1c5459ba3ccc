import type { JSX } from "preact"
import type { RequestSummary } from "../../../src/channel/owner-calls.js"
import { useNow } from "../hooks/use-now.js"
import { usePolled } from "../hooks/use-polled.js"
import { Link } from "../parts/link.js"
import { Page } from "../parts/page.js"
import { usePage } from "../parts/page-context.js"
import { Reach } from "../parts/reach.js"
import { Theirs } from "../parts/theirs.js"
import { askWords } from "../words/asks.js"
import { agoWords, leftWords } from "../words/times.js"

const EVERY_MS = 2_000
const HIDDEN_MS = 30_000
const LISTED = 100

export function RequestsPage(): JSX.Element {
  const { api } = usePage()
  const { value, error } = usePolled("requests", () => api.call("requests.list", { limit: LISTED }), {
    everyMs: EVERY_MS,
    hiddenMs: HIDDEN_MS,
  })
  const waiting = value?.requests.filter(({ state }) => state === "pending") ?? []
  const late = value?.requests.filter(({ state }) => state === "expired") ?? []
  const more = value === undefined ? 0 : value.total - value.requests.length

  return (
    <Page
      title={waiting.length > 0 ? `(${waiting.length}) Waiting for you` : "Waiting for you"}
      heading="Waiting for you"
    >
      <p role="status" class="unseen">
        {value === undefined ? "" : waiting.length === 1 ? "One request waits." : `${waiting.length} requests wait.`}
      </p>
      <Reach error={error} />
      {value === undefined && error === undefined && <p class="quiet">Looking…</p>}
      {value !== undefined && waiting.length === 0 && <Nothing />}
      <Cards requests={waiting} />
      {late.length > 0 && (
        <section aria-labelledby="late" class="late">
          <h2 id="late">Too late, but not lost</h2>
          <p class="quiet">
            These apps were told that nobody decided. Approve one, and it is served when it asks again.
          </p>
          <Cards requests={late} />
        </section>
      )}
      {more > 0 && <p class="quiet">And {more.toLocaleString("en-GB")} more, which appear here as you decide.</p>}
    </Page>
  )
}

function Nothing(): JSX.Element {
  return (
    <div class="card calm">
      <p class="calm-title">Nothing waits for you</p>
      <p class="quiet">When an app asks for something that you have not allowed yet, it appears here by itself.</p>
    </div>
  )
}

function Cards({ requests }: { readonly requests: readonly RequestSummary[] }): JSX.Element | null {
  const now = useNow()
  if (requests.length === 0) return null
  return (
    <ul class="cards">
      {requests.map((request) => (
        <li key={request.id}>
          <RequestCard request={request} now={now} />
        </li>
      ))}
    </ul>
  )
}

function RequestCard({ request, now }: { readonly request: RequestSummary; readonly now: number }): JSX.Element {
  const { id, app, key, count, state, askedAt, deadline } = request
  return (
    <Link to={`/requests/${id}`} class="card request">
      <span class="request-app">
        {app.name === "" ? <span class="ours">An app without a name</span> : <Theirs text={app.name} />}
      </span>
      <span class="request-ask">wants to {askWords(request)}</span>
      <span class="request-times">
        <span>
          as <Theirs text={key} />
        </span>
        <span>{agoWords(askedAt, now)}</span>
        {count > 1 && <span>{count.toLocaleString("en-GB")} of this sort</span>}
        {state === "pending" && <span class="left">waits {leftWords(deadline - now)} more</span>}
      </span>
    </Link>
  )
}
