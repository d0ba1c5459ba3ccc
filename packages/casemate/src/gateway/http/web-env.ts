import type { HttpBindings } from "@hono/node-server"
import type { Site } from "./sites.js"

/** What handlers of the pages and of the API find in their context. */
export interface WebEnv {
  Bindings: HttpBindings
  Variables: { site: Site }
}
