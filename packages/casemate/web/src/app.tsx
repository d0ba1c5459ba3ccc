import type { JSX } from "preact"
import { useEffect, useLayoutEffect, useMemo, useState } from "preact/hooks"
import { Api } from "./api.js"
import { AccountPage } from "./pages/account.js"
import { JoinPage } from "./pages/join.js"
import { NowherePage } from "./pages/nowhere.js"
import { RequestPage } from "./pages/request.js"
import { RequestsPage } from "./pages/requests.js"
import { SignInPage } from "./pages/sign-in.js"
import { type PageContext, PageContextOf } from "./parts/page-context.js"
import { ProofProvider } from "./parts/proof.js"
import { Shell } from "./parts/shell.js"
import { pathBelow, pathOf, type Route, routeOf } from "./router.js"
import { sessionStore } from "./session-store.js"

interface AppProps {
  readonly base: string
  readonly secret: string | undefined
}

export function App({ base, secret }: AppProps): JSX.Element {
  const [path, setPath] = useState(() => currentPath(base))

  useEffect(() => {
    const follow = (): void => setPath(currentPath(base))
    window.addEventListener("popstate", follow)
    return () => window.removeEventListener("popstate", follow)
  }, [base])

  const context = useMemo(() => {
    const held: PageContext["held"] = { current: undefined }
    const go: PageContext["go"] = (path, { replace = false } = {}) => {
      if (held.current !== undefined && !window.confirm(held.current)) return
      const method = replace ? "replaceState" : "pushState"
      history[method]({ isWithin: true }, "", `${base}${path}`)
      window.scrollTo(0, 0)
      setPath(path)
    }
    const api = new Api({
      base,
      session: sessionStore(base, () => localStorage),
      fetch: (input, init) => fetch(input, init),
      onSignedOut: () => go(signInPath(currentPath(base)), { replace: true }),
    })
    return { api, base, held, go }
  }, [base])

  const route = routeOf(path)
  // Who has no half of a session need not ask for what needs the whole.
  const isShut = needsSession(route) && !context.api.isSignedIn
  const shown = isShut ? routeOf(signInPath(path)) : route
  useLayoutEffect(() => {
    if (isShut) context.go(signInPath(path), { replace: true })
  }, [context, isShut, path])

  return (
    <PageContextOf.Provider value={context}>
      <ProofProvider>
        <Shell>
          <PageOf route={shown} secret={secret} />
        </Shell>
      </ProofProvider>
    </PageContextOf.Provider>
  )
}

function PageOf({ route, secret }: { readonly route: Route; readonly secret: string | undefined }): JSX.Element {
  switch (route.page) {
    case "requests":
      return <RequestsPage />
    case "request":
      return <RequestPage key={route.id} id={route.id} />
    case "join":
      return <JoinPage key={secret} secret={secret} />
    case "sign-in":
      return <SignInPage next={route.next} />
    case "account":
      return <AccountPage />
    case "nowhere":
      return <NowherePage />
  }
}

function needsSession({ page }: Route): boolean {
  return page === "requests" || page === "request" || page === "account"
}

/** To the same page again after signing in; a sign-in that is open already stays as it is. */
function signInPath(path: string): string {
  const route = routeOf(path)
  return route.page === "sign-in" ? path : pathOf({ page: "sign-in", next: path })
}

function currentPath(base: string): string {
  return pathBelow(base, `${location.pathname}${location.search}`) ?? "/"
}
