import * as v from "valibot"
import type { SharedCall } from "../../../channel/web-calls.js"
import * as results from "./result-schemas.js"
import type { ApiRoute } from "./route.js"

const seconds = v.pipe(v.number(), v.integer(), v.description("Unix seconds"))
const whole = v.pipe(v.number(), v.integer())
const digest = v.pipe(v.string(), v.description("Of what was shown; for anything else the decision is refused"))
const extent = v.union([v.picklist(["once", "always"]), v.strictObject({ seconds: whole })])

/** What an owner may do here as at the terminal. */
export const SHARED_ROUTES = {
  "requests.list": {
    method: "GET",
    path: "/requests",
    summary: "What waits for an owner, oldest first",
    query: v.strictObject({ limit: v.exactOptional(v.pipe(whole, v.minValue(1), v.maxValue(1_000))) }),
    result: results.requests,
    session: true,
  },
  "requests.show": {
    method: "GET",
    path: "/requests/:id",
    summary: "One request, opened, with the digest of what is shown",
    result: results.request,
    session: true,
  },
  "requests.approve": {
    method: "POST",
    path: "/requests/:id/approve",
    summary: "Allow it once, for a time, or always",
    body: v.strictObject({ digest, extent }),
    result: results.approved,
    session: true,
  },
  "requests.deny": {
    method: "POST",
    path: "/requests/:id/deny",
    summary: "Deny it, and with block never be asked again",
    body: v.strictObject({ digest, block: v.boolean() }),
    result: results.denied,
    session: true,
  },
  "apps.list": {
    method: "GET",
    path: "/apps",
    summary: "The apps that were let in, and tokens nobody has taken yet",
    result: results.apps,
    session: true,
  },
  "apps.show": {
    method: "GET",
    path: "/apps/:id",
    summary: "One app",
    result: results.app,
    session: true,
  },
  "apps.revoke": {
    method: "POST",
    path: "/apps/:id/revoke",
    summary: "End it for good",
    result: results.app,
    session: true,
  },
  "apps.pause": {
    method: "POST",
    path: "/apps/:id/pause",
    summary: "Do nothing for it for now",
    result: results.app,
    session: true,
  },
  "apps.resume": {
    method: "POST",
    path: "/apps/:id/resume",
    summary: "Serve it again",
    result: results.app,
    session: true,
  },
  "apps.style": {
    method: "PUT",
    path: "/apps/:id/style",
    summary: "What becomes of what it is not granted",
    body: v.strictObject({ style: v.picklist(["auth_url", "hold", "deny"]) }),
    result: results.app,
    session: true,
  },
  "apps.extend": {
    method: "PUT",
    path: "/apps/:id/expiry",
    summary: "When its session ends; null: when it is revoked",
    body: v.strictObject({ expiresAt: v.nullable(seconds) }),
    result: results.app,
    session: true,
  },
  "apps.preset": {
    method: "PUT",
    path: "/apps/:id/preset",
    summary: "A preset in place of all that it is granted",
    body: v.strictObject({ preset: v.string() }),
    result: results.app,
    session: true,
  },
  "apps.grant": {
    method: "POST",
    path: "/apps/:id/grants",
    summary: "Grant or deny permissions, with limits",
    body: v.strictObject({
      perms: v.pipe(v.string(), v.description("method[:param], comma-separated")),
      deny: v.exactOptional(v.boolean()),
      expiresAt: v.exactOptional(seconds),
      uses: v.exactOptional(whole),
      rate: v.exactOptional(v.strictObject({ uses: whole, seconds: whole })),
      counterparties: v.exactOptional(v.array(v.string())),
      tags: v.exactOptional(v.array(v.strictTuple([v.string(), v.string()]))),
      host: v.exactOptional(v.string()),
      action: v.exactOptional(v.string()),
      dPrefix: v.exactOptional(v.string()),
      maxContentBytes: v.exactOptional(whole),
    }),
    result: results.app,
    session: true,
  },
  "apps.ungrant": {
    method: "POST",
    path: "/apps/:id/ungrant",
    summary: "Take permissions or one grant back",
    body: v.strictObject({ what: v.string() }),
    result: results.app,
    session: true,
  },
  "apps.presets": {
    method: "GET",
    path: "/presets",
    summary: "Ready answers to what an app may do",
    result: results.presets,
    session: true,
  },
  "keys.list": {
    method: "GET",
    path: "/keys",
    summary: "The keys of this bunker, by name and public key",
    result: results.keys,
    session: true,
  },
  status: {
    method: "GET",
    path: "/status",
    summary: "How this bunker is reached, and what it ignored",
    result: results.status,
    session: true,
  },
} as const satisfies { readonly [C in SharedCall]: ApiRoute }
