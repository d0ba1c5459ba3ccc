import type { JSX } from "preact"
import { useEffect, useState } from "preact/hooks"
import { changesBetween } from "../../../src/channel/changes.js"
import type { RequestDetail } from "../../../src/channel/owner-calls.js"
import { ApiError } from "../api.js"
import { useNow } from "../hooks/use-now.js"
import { usePolled } from "../hooks/use-polled.js"
import { CipherView, EventView } from "../parts/asks-view.js"
import { ChangesView } from "../parts/changes-view.js"
import { Decision, type Outcome } from "../parts/decision.js"
import { Link } from "../parts/link.js"
import { Page } from "../parts/page.js"
import { usePage } from "../parts/page-context.js"
import { Reach } from "../parts/reach.js"
import { Theirs } from "../parts/theirs.js"
import { askWords } from "../words/asks.js"
import { npubOf } from "../words/pubkeys.js"
import { agoWords, leftWords } from "../words/times.js"

/** To notice that somebody else decided. */
const EVERY_MS = 5_000

export function RequestPage({ id }: { readonly id: string }): JSX.Element {
  const { api } = usePage()
  const [outcome, setOutcome] = useState<Outcome | undefined>(undefined)
  const [isUnderWay, setUnderWay] = useState(false)
  const { value, error } = usePolled(id, () => api.call("requests.show", { id }), {
    everyMs: EVERY_MS,
    isPaused: isUnderWay || outcome !== undefined,
  })

  if (outcome !== undefined) return <OutcomePage outcome={outcome} />
  if (isGone(error)) return <GonePage isSeen={value !== undefined} />
  if (value === undefined) {
    return (
      <Page key="loading" title="A request">
        <Reach error={error} />
        {error === undefined && <p class="quiet">Opening it…</p>}
      </Page>
    )
  }
  return (
    <Page key="open" title="A request" heading={<Heading request={value} />}>
      <Timing request={value} />
      <Reach error={error} />
      <Changed request={value} />
      {"kind" in value.asks ? (
        <EventView asks={value.asks} askedAt={value.askedAt} />
      ) : (
        <CipherView asks={value.asks} userPubkey={value.userPubkey} />
      )}
      <WhoAsks request={value} />
      <Decision request={value} onUnderWay={setUnderWay} onDecided={setOutcome} />
    </Page>
  )
}

/** Or the address never was one of a request. */
function isGone(error: unknown): boolean {
  return error instanceof ApiError && (error.code === "refused" || error.code === "bad_request")
}

function Heading({ request }: { readonly request: RequestDetail }): JSX.Element {
  const { app } = request
  return (
    <>
      <span class="heading-app">
        {app.name === "" ? <span class="ours">An app without a name</span> : <Theirs text={app.name} />}
      </span>
      <span class="heading-ask">wants to {askWords(request, request)}</span>
    </>
  )
}

function Timing({ request }: { readonly request: RequestDetail }): JSX.Element {
  const now = useNow()
  const { state, askedAt, deadline } = request
  if (state === "expired" || deadline <= now) {
    return (
      <p class="notice careful">
        Asked {agoWords(askedAt, now)}. The app was told that nobody decided. If you approve it now, the app is served
        when it asks again within ten minutes.
      </p>
    )
  }
  return (
    <p class="timing">
      Asked {agoWords(askedAt, now)}. The app waits <strong>{leftWords(deadline - now)}</strong> more.
    </p>
  )
}

function Changed({ request: { asks } }: { readonly request: RequestDetail }): JSX.Element | null {
  if (!("kind" in asks) || asks.previous === undefined) return null
  return <ChangesView changes={changesBetween(asks.previous, asks)} previous={asks.previous} />
}

function WhoAsks({ request }: { readonly request: RequestDetail }): JSX.Element {
  const { api } = usePage()
  const { app, key, userPubkey } = request
  const [url, setUrl] = useState<string | undefined>(undefined)
  useEffect(() => {
    // Nice to know: without it nothing is missing from what is decided.
    api.call("apps.show", { id: app.id }).then(
      (shown) => setUrl(shown.url),
      () => setUrl(undefined),
    )
  }, [api, app.id])
  return (
    <section class="card" aria-labelledby="who">
      <h2 id="who">Who asks</h2>
      <dl class="facts">
        <div>
          <dt>App</dt>
          <dd>
            {app.name === "" ? <span class="ours">no name</span> : <Theirs text={app.name} />}
            {url !== undefined && url !== "" && (
              <span class="line">
                <Theirs text={url} />
              </span>
            )}
            <code class="line id">{app.id}</code>
            <p class="hint">The name and the address are the app’s own words. Nobody checked them.</p>
          </dd>
        </div>
        <div>
          <dt>Your key</dt>
          <dd>
            <Theirs text={key} />
            <code class="line pubkey">{npubOf(userPubkey) ?? userPubkey}</code>
          </dd>
        </div>
      </dl>
    </section>
  )
}

function OutcomePage({ outcome: { title, words } }: { readonly outcome: Outcome }): JSX.Element {
  return (
    <Page key="outcome" title={title} heading={`${title}.`} isAnnounced>
      <div class="card outcome stack" role="status">
        {words.map((sentence) => (
          <p key={sentence}>
            <bdi dir="ltr">{sentence}</bdi>
          </p>
        ))}
        <p>You can close this page.</p>
        <Link to="/requests" class="button plain">
          See what else waits
        </Link>
      </div>
    </Page>
  )
}

function GonePage({ isSeen }: { readonly isSeen: boolean }): JSX.Element {
  return (
    <Page key="gone" title="Nothing to decide here" isAnnounced={isSeen}>
      <div class="card outcome stack">
        <p>
          This request does not wait any more. Somebody has decided it, or its time is over. If the app still needs it,
          it asks again.
        </p>
        <Link to="/requests" class="button plain">
          See what waits
        </Link>
      </div>
    </Page>
  )
}
