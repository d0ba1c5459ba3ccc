import { type Context, Hono } from "hono"
import * as v from "valibot"
import type { NewSession, WebCall, WebRequest, WebResponse } from "../../../channel/web-calls.js"
import type { Logger } from "../../../config/log.js"
import { isSameOrigin } from "../same-origin.js"
import { endedCookie, readSession, sessionCookie } from "../session-cookie.js"
import type { WebEnv } from "../web-env.js"
import { ApiError, statusOf } from "./api-error.js"
import { apiRoutes } from "./api-routes.js"
import { addressOf, CallLimit, isLimited } from "./call-limit.js"
import { BodyRoom, hasBody, MAX_BODY_BYTES, readJson, tooLarge } from "./json-body.js"
import { describeApi } from "./openapi.js"
import { type ApiRoute, bodyOf, paramsOf, queryOf } from "./route.js"

const BODY_DEADLINE_MS = 10_000
const BODY_ROOM_BYTES = 33_554_432

export interface ApiOptions {
  /** Hands a request on to keyd, and never rejects. */
  readonly call: (request: WebRequest) => Promise<WebResponse>
  readonly log: Logger
  /** Unix milliseconds; `Date.now` by default. */
  readonly now?: () => number
  /** For a body to arrive; 10 s by default. */
  readonly bodyDeadlineMs?: number
  /** For long bodies that arrive at the same time; 32 MiB by default. */
  readonly bodyRoomBytes?: number
}

/** The HTTP API, to be put at /api. What it answers is keyd's word; here it is only seen to that a page of ours asks. */
export function createApi(options: ApiOptions): Hono<WebEnv> {
  const { call, log, now = Date.now, bodyDeadlineMs = BODY_DEADLINE_MS, bodyRoomBytes = BODY_ROOM_BYTES } = options
  const api = new Hono<WebEnv>()
  const limit = new CallLimit(now)
  const howToRead = { deadlineMs: bodyDeadlineMs, room: new BodyRoom(bodyRoomBytes) }
  const document = describeApi()

  api.use(async (c, next) => {
    const { headers } = c.env.incoming
    const isRead = c.req.method === "GET" || c.req.method === "HEAD"
    const isDocument = c.req.path === "/api/openapi.json"
    if (!isSameOrigin({ headers, isRead, isDocument }, c.get("site").origin)) {
      throw new ApiError("forbidden", `this was not asked by a page of ${c.get("site").origin}; open that`)
    }
    if (isRead && hasBody(c.env.incoming)) throw new ApiError("bad_request", `${c.req.method} takes no body`)
    await next()
    if (!c.res.headers.has("cache-control")) c.res.headers.set("cache-control", "no-store")
  })

  api.get("/openapi.json", (c) => {
    const { text, etag } = document(c.get("site").cookieName)
    const headers = { "cache-control": "no-cache", etag, "content-type": "application/json; charset=utf-8" }
    return c.req.header("if-none-match") === etag ? c.body(null, 304, headers) : c.body(text, 200, headers)
  })

  /** The order in which a call is believed. */
  async function answer(c: Context<WebEnv>, name: WebCall, route: ApiRoute): Promise<Response> {
    const { incoming } = c.env
    const site = c.get("site")
    const session = route.session ? readSession(incoming.headers, site) : undefined
    if (route.session && session === undefined) throw new ApiError("not_signed_in", "sign in first")
    const wait = isLimited(name, route) ? limit.take(addressOf(incoming)) : undefined
    if (wait !== undefined) {
      const headers = { "retry-after": String(wait) }
      throw new ApiError("too_many", `too many tries from one address; try again in ${wait} s`, headers)
    }

    const query = parse(queryOf(route), numbersOf(c.req.queries()), `the query of ${route.path}`)
    const body = parse(bodyOf(name, route), (await readJson(incoming, howToRead)) ?? {}, "the body")
    const { proof, ...args } = { ...query, ...body, ...paramsIn(c, route) } as { readonly proof?: WebRequest["proof"] }
    const request: WebRequest = {
      call: name,
      args,
      origin: site.origin,
      ...(session === undefined ? {} : { session }),
      ...(proof === undefined ? {} : { proof }),
    }
    // A number may be longer as keyd gets it than as it came, and a frame that is too long would cut the pipe.
    if (Buffer.byteLength(JSON.stringify(request)) > 2 * MAX_BODY_BYTES) throw tooLarge()

    const response = await call(request)
    if (name === "session.end" && (response.ok || response.code === "not_signed_in")) {
      c.header("set-cookie", endedCookie(site))
    }
    if (!response.ok) return errorJson(c, response.code, response.message)
    if (route.opens !== true) return c.json(response.result ?? {}, 200)
    const { keys, ...info } = response.result as NewSession
    c.header("set-cookie", sessionCookie(keys, site))
    return c.json({ ...info, token: keys.token }, 201)
  }

  const methods = new Map<string, string[]>([["/openapi.json", ["GET", "HEAD"]]])
  for (const [name, route] of apiRoutes()) {
    const path = `/v1${route.path}`
    api.on(route.method, path, (c) => answer(c, name, route))
    const allowed = route.method === "GET" ? ["GET", "HEAD"] : [route.method]
    methods.set(path, [...(methods.get(path) ?? []), ...allowed])
  }
  for (const [path, allowed] of methods) {
    const allow = allowed.join(", ")
    api.all(path, () => {
      throw new ApiError("method_not_allowed", `this takes ${allow} alone`, { allow })
    })
  }
  api.all("*", () => {
    throw new ApiError("not_found", "there is nothing here; /api/openapi.json says what there is")
  })

  api.onError((error, c) => {
    c.header("cache-control", "no-store")
    if (!(error instanceof ApiError)) {
      // Its message may hold what was sent.
      log.error({ route: c.req.routePath, error: error.name }, "the API failed")
      return errorJson(c, "failed", "this failed; the log says where")
    }
    for (const [header, value] of Object.entries(error.headers)) c.header(header, value)
    return errorJson(c, error.code, error.message)
  })
  return api
}

function errorJson(c: Context<WebEnv>, code: string, message: string): Response {
  return c.json({ error: { code, message } }, statusOf(code))
}

/** @throws ApiError that names the field, where it is one of ours */
function parse(schema: v.StrictObjectSchema<v.ObjectEntries, undefined>, value: unknown, what: string): object {
  const parsed = v.safeParse(schema, value)
  if (parsed.success) return parsed.output
  const field = parsed.issues[0].path?.[0]?.key
  const where = typeof field === "string" && Object.hasOwn(schema.entries, field) ? `"${field}" in ${what}` : what
  throw new ApiError("bad_request", `${where} is not what this call takes; /api/openapi.json says what it does`)
}

/** What is given twice stays a list, which no call takes. */
function numbersOf(queries: Record<string, string[]>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(queries).map(([name, values]) => {
      const [value = "", ...others] = values
      if (others.length > 0) return [name, values]
      return [name, /^\d{1,15}$/.test(value) ? Number(value) : value]
    }),
  )
}

function paramsIn(c: Context<WebEnv>, { path }: ApiRoute): Record<string, string> {
  return Object.fromEntries(paramsOf(path).map((name) => [name, c.req.param(name) ?? ""]))
}
