import type { WebCall } from "../../../channel/web-calls.js"
import { ACCOUNT_ROUTES } from "./account-routes.js"
import type { ApiRoute } from "./route.js"
import { SHARED_ROUTES } from "./shared-routes.js"

/** The whole HTTP API: the only way to each call. */
export const API_ROUTES = { ...ACCOUNT_ROUTES, ...SHARED_ROUTES } as const satisfies {
  readonly [C in WebCall]: ApiRoute
}

/** In the order of the document. */
export function apiRoutes(): readonly (readonly [call: WebCall, route: ApiRoute])[] {
  return Object.entries(API_ROUTES) as [WebCall, ApiRoute][]
}
