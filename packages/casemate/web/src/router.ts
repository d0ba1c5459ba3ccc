/** The pages there are. */
export type Route =
  | { readonly page: "requests" }
  | { readonly page: "request"; readonly id: string }
  | { readonly page: "join" }
  /** `next`: a path to go to afterwards. */
  | { readonly page: "sign-in"; readonly next: string | undefined }
  | { readonly page: "account" }
  | { readonly page: "nowhere" }

const REQUEST = /^\/requests\/([\w-]{1,128})$/

/** `path` without the base: `/requests/8c1d`, `/sign-in?next=%2Faccount`. */
export function routeOf(path: string): Route {
  // Not by URL, which drops and resolves parts of a path before anybody sees them.
  const [pathname = "", query] = path.replace(/#.*$/s, "").split("?", 2)
  const name = pathname.length > 1 ? pathname.replace(/\/$/, "") : pathname
  if (name === "/" || name === "/requests") return { page: "requests" }
  if (name === "/join") return { page: "join" }
  if (name === "/account") return { page: "account" }
  if (name === "/sign-in") return { page: "sign-in", next: new URLSearchParams(query).get("next") ?? undefined }
  const id = REQUEST.exec(name)?.[1]
  return id === undefined ? { page: "nowhere" } : { page: "request", id }
}

export function pathOf(route: Exclude<Route, { page: "nowhere" }>): string {
  switch (route.page) {
    case "requests":
      return "/requests"
    case "request":
      return `/requests/${route.id}`
    case "sign-in":
      return route.next === undefined ? "/sign-in" : `/sign-in?next=${encodeURIComponent(route.next)}`
    default:
      return `/${route.page}`
  }
}

/**
 * Where to go after signing in. Written anew from a page that there is, so that nothing in a link leads elsewhere.
 */
export function pathAfterSignIn(next: string | undefined): string {
  if (next === undefined || !/^\/(?![/\\])/.test(next)) return "/requests"
  const route = routeOf(next)
  return route.page === "requests" || route.page === "request" || route.page === "account" ? pathOf(route) : "/requests"
}

/** A path of the browser's, below `base`; undefined when it is not below it. */
export function pathBelow(base: string, path: string): string | undefined {
  if (!path.startsWith(base)) return undefined
  const rest = path.slice(base.length)
  return rest === "" ? "/" : rest.startsWith("/") ? rest : undefined
}
