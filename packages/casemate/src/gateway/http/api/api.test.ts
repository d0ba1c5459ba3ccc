import { afterEach, beforeEach, describe, expect, it } from "vitest"
import {
  COOKIE,
  type ConsoleBench,
  openConsole,
  type Sent,
  TOKEN,
  WEB_ARGS,
} from "../../../../test/support/console-bench.js"
import { WEB_RESULTS } from "../../../../test/support/web-results.js"
import type { NewSession, WebCall } from "../../../channel/web-calls.js"
import { ERROR_STATUS } from "./api-error.js"
import { API_ROUTES, apiRoutes } from "./api-routes.js"
import { type ApiRoute, isProvable, paramsOf } from "./route.js"

let bench: ConsoleBench
beforeEach(async () => {
  bench = await openConsole()
})
afterEach(() => bench.close())

/** What a page of ours sends to make a call. */
function sentFor(call: WebCall, extra: object = {}): Sent {
  const { method, path }: ApiRoute = API_ROUTES[call]
  const args: Record<string, unknown> = { ...WEB_ARGS[call] }
  const filled = path.replace(/:(\w+)/g, (_, name: string) => {
    const value = String(args[name])
    delete args[name]
    return encodeURIComponent(value)
  })
  if (method !== "GET") return { method, path: `/api/v1${filled}`, body: { ...args, ...extra } }
  const query = new URLSearchParams(
    Object.entries(args).map(([name, value]): [string, string] => [name, String(value)]),
  ).toString()
  return { method, path: `/api/v1${filled}${query === "" ? "" : `?${query}`}` }
}

const calls = apiRoutes().map(([call]) => call)

/** A new session as the page gets it. */
function inPage({ keys, ...info }: NewSession): object {
  return { ...info, token: keys.token }
}

/** Calls that leave everything as it is: no row, no challenge, no counter. */
const READS: readonly WebCall[] = [
  "session.show",
  "owner.show",
  "status",
  "keys.list",
  "apps.list",
  "apps.show",
  "apps.presets",
  "requests.list",
  "requests.show",
]

describe("the routes", () => {
  it.each(calls)("lead to %s with its args, and its result comes back", async (call) => {
    const reply = await bench.ask(sentFor(call))
    const route: ApiRoute = API_ROUTES[call]
    expect(bench.calls).toEqual([
      {
        call,
        args: WEB_ARGS[call],
        origin: bench.origin,
        ...(route.session ? { session: `${COOKIE}.${TOKEN}` } : {}),
      },
    ])
    expect(reply.status).toBe(route.opens === true ? 201 : 200)
    expect(reply.headers["cache-control"]).toBe("no-store")
    expect(reply.headers["content-type"]).toBe("application/json")
    const expected = route.opens === true ? inPage(WEB_RESULTS[call] as NewSession) : WEB_RESULTS[call]
    expect(reply.json()).toEqual(JSON.parse(JSON.stringify(expected)))
  })

  it("are one for each call, each at its own place", () => {
    expect(calls.length).toBeGreaterThan(35)
    expect(new Set(calls)).toEqual(new Set(Object.keys(WEB_ARGS)))
    const places = apiRoutes().map(([, { method, path }]) => `${method} ${path}`)
    expect(new Set(places).size).toBe(places.length)
  })

  it("change nothing by GET", () => {
    const gets = apiRoutes().filter(([, { method }]) => method === "GET")
    expect(gets.map(([call]) => call).sort()).toEqual([...READS].sort())
    expect(gets.filter(([call]) => isProvable(call))).toEqual([])
  })

  it("take no arg both from the path and from elsewhere", () => {
    for (const [, { path, body, query }] of apiRoutes() as readonly [WebCall, ApiRoute][]) {
      for (const name of paramsOf(path))
        expect([name, body?.entries[name], query?.entries[name]]).toEqual([name, undefined, undefined])
    }
  })

  it("hand a proof on beside the args, where a call may want one", async () => {
    const proof = { kind: "password", password: "correct horse", code: "123456" }
    for (const call of calls.filter((name) => API_ROUTES[name].method !== "GET")) {
      bench.calls.length = 0
      const reply = await bench.ask(sentFor(call, { proof }))
      if (isProvable(call)) expect(bench.calls).toMatchObject([{ call, args: WEB_ARGS[call], proof }])
      else expect([call, reply.status, bench.calls]).toEqual([call, 400, []])
    }
  })

  it.each(["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "QUERY", "PROPFIND", "TRACE"])(
    "answer %s where they do not take it with what they take",
    async (method) => {
      for (const path of new Set(apiRoutes().map(([, route]) => route.path))) {
        // There "options" may be the id of a passkey.
        if (method === "DELETE" && path === "/owner/passkeys/options") continue
        const taken = apiRoutes().flatMap(([, route]) =>
          route.path !== path ? [] : route.method === "GET" ? ["GET", "HEAD"] : [route.method],
        )
        if (taken.includes(method)) continue
        const reply = await bench.ask({ method, path: `/api/v1${path}` })
        expect([path, reply.status, reply.headers["allow"]]).toEqual([path, 405, taken.join(", ")])
      }
      expect(bench.calls).toEqual([])
    },
  )

  it("answer a HEAD as a GET, without what it says", async () => {
    expect(await bench.ask({ method: "HEAD", path: "/api/v1/requests" })).toMatchObject({ status: 200, text: "" })
    expect(bench.calls).toMatchObject([{ call: "requests.list", args: {} }])
  })

  it.each(["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])("know no %s", async (header) => {
    const reply = await bench.ask({ path: "/api/v1/session", headers: { [header]: "DELETE" } })
    expect(reply.status).toBe(200)
    await bench.ask({ path: "/api/v1/session?_method=DELETE" })
    expect(bench.calls.map(({ call }) => call)).toEqual(["session.show"])
  })

  it.each(["/api", "/api/", "/api/v1", "/api/v2/session", "/api/v1/session/", "/api/v1/nothing", "/api/v1/apps/1/2"])(
    "are not at %s",
    async (path) => {
      for (const method of ["GET", "POST"]) {
        const reply = await bench.ask({ method, path })
        expect([reply.status, reply.code()]).toEqual([404, "not_found"])
      }
    },
  )
})

describe("a session", () => {
  const open = apiRoutes().filter(([, { opens }]) => opens === true)

  it.each(open)("of %s is a cookie, and a token without it", async (call) => {
    const reply = await bench.ask(sentFor(call))
    expect(reply.headers["set-cookie"]).toEqual([
      `casemate-${bench.port}=${"C".repeat(43)}; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict`,
    ])
    expect(reply.text).not.toContain("C".repeat(43))
  })

  it("has a cookie of the host alone where there is https", async () => {
    const https = await openConsole({ publicUrl: "https://bunker.example/bunker" })
    try {
      const headers = { host: "bunker.example", origin: "https://bunker.example" }
      const reply = await https.send({ ...sentFor("session.password"), headers })
      expect(reply.headers["set-cookie"]).toEqual([
        `__Host-casemate=${"C".repeat(43)}; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict; Secure`,
      ])
      const cookie = `__Host-casemate=${COOKIE}; casemate-${https.port}=${"x".repeat(43)}`
      await https.send({ path: "/api/v1/session", headers: { ...headers, cookie, "x-casemate-session": TOKEN } })
      expect(https.calls.map(({ origin, session }) => [origin, session])).toEqual([
        ["https://bunker.example", undefined],
        ["https://bunker.example", `${COOKIE}.${TOKEN}`],
      ])
    } finally {
      await https.close()
    }
  })

  it("that is none of keyd's is not given", async () => {
    bench.answerWith(() => ({
      ok: true,
      result: { owner: "ann", expiresAt: 1, keys: { cookie: "a; Domain=x", token: TOKEN } },
    }))
    const reply = await bench.ask(sentFor("session.password"))
    expect([reply.status, reply.headers["set-cookie"]]).toEqual([503, undefined])
  })

  it("ends with its cookie, and also when it was over", async () => {
    const gone = [`casemate-${bench.port}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict`]
    expect((await bench.ask(sentFor("session.end"))).headers["set-cookie"]).toEqual(gone)
    bench.answerWith(() => ({ ok: false, code: "not_signed_in", message: "sign in first" }))
    expect(await bench.ask(sentFor("session.end"))).toMatchObject({ status: 401, headers: { "set-cookie": gone } })
    bench.answerWith(() => ({ ok: false, code: "failed", message: "keyd is not there" }))
    expect((await bench.ask(sentFor("session.end"))).headers["set-cookie"]).toBeUndefined()
  })

  const cookie = (value: string): string => `casemate-${bench.port}=${value}`
  it.each<[string, () => Sent["headers"]]>([
    ["no cookie", () => ({ cookie: undefined })],
    ["no header", () => ({ "x-casemate-session": undefined })],
    ["neither", () => ({ cookie: undefined, "x-casemate-session": undefined })],
    ["an empty cookie", () => ({ cookie: cookie("") })],
    ["an empty header", () => ({ "x-casemate-session": "" })],
    ["a short cookie", () => ({ cookie: cookie("abc") })],
    ["a long cookie", () => ({ cookie: cookie("a".repeat(129)) })],
    ["a cookie with a dot", () => ({ cookie: cookie(`${"a".repeat(30)}.${"b".repeat(30)}`) })],
    ["a header with a dot", () => ({ "x-casemate-session": `${"a".repeat(30)}.${"b".repeat(30)}` })],
    ["a quoted cookie", () => ({ cookie: cookie(`"${COOKIE}"`) })],
    ["two cookies", () => ({ cookie: `${cookie(COOKIE)}; ${cookie("x".repeat(43))}` })],
    ["two headers", () => ({ "x-casemate-session": [TOKEN, TOKEN] })],
    ["another port's cookie", () => ({ cookie: `casemate-${bench.port + 1}=${COOKIE}` })],
    ["the cookie of https", () => ({ cookie: `__Host-casemate=${COOKIE}` })],
    ["a cookie whose name ends as ours does", () => ({ cookie: `x${cookie(COOKIE)}` })],
  ])("is none with %s", async (_, headers) => {
    const reply = await bench.ask({ path: "/api/v1/requests", headers: headers() ?? {} })
    expect([reply.status, reply.code(), bench.calls]).toEqual([401, "not_signed_in", []])
  })

  it("is found among other cookies", async () => {
    await bench.ask({ path: "/api/v1/requests", headers: { cookie: `a=b;${cookie(COOKIE)} ; theme=dark; flag` } })
    expect(bench.calls).toMatchObject([{ session: `${COOKIE}.${TOKEN}` }])
  })

  it("does not go where none is needed", async () => {
    await bench.ask(sentFor("session.password"))
    expect(bench.calls[0]).not.toHaveProperty("session")
  })
})

describe("what keyd refuses", () => {
  it.each(Object.entries(ERROR_STATUS))("as %s is status %d, and its sentence", async (code, status) => {
    bench.answerWith(() => ({ ok: false, code: code as "refused", message: "a sentence of keyd" }))
    const reply = await bench.ask(sentFor("requests.approve"))
    expect([reply.status, reply.json()]).toEqual([status, { error: { code, message: "a sentence of keyd" } }])
  })

  it.each(["constructor", "200", "later"])("with a code that nobody knows (%s) is a failure", async (code) => {
    bench.answerWith(() => ({ ok: false, code: code as "refused", message: "?" }))
    expect((await bench.ask(sentFor("requests.approve"))).status).toBe(503)
  })

  it("and what fails here is no more than said, and nothing that was sent is in the log", async () => {
    bench.answerWith(({ session, args }) => Promise.reject(new Error(`${session} ${JSON.stringify(args)}`)))
    const reply = await bench.ask(sentFor("session.password"))
    expect([reply.status, reply.code()]).toEqual([503, "failed"])
    await bench.ask(sentFor("requests.show"))
    expect(bench.logged()).toContain("the API failed")
    for (const secret of [COOKIE, TOKEN, "correct horse", "123456", "8c1d"]) {
      expect(bench.logged()).not.toContain(secret)
      expect(reply.text).not.toContain(secret)
    }
  })
})

describe("the limit of one address", () => {
  it("is on what anybody may call, counts those alone, and says when to try again", async () => {
    let now = 0
    const limited = await openConsole({ now: () => now })
    try {
      const headers = { origin: limited.origin }
      const tryIt = () => limited.send({ ...sentFor("session.password"), headers })
      for (let n = 0; n < 60; n++) expect((await tryIt()).status).toBe(201)
      const refused = await tryIt()
      expect([refused.status, refused.code(), refused.headers["retry-after"]]).toEqual([429, "too_many", "1"])
      expect(limited.calls.length).toBe(60)
      expect((await limited.ask(sentFor("requests.list"))).status).toBe(200)
      expect((await limited.send({ ...sentFor("session.passkey"), headers })).status).toBe(201)
      // Another one, behind a proxy on this machine.
      const other = { ...headers, "x-forwarded-for": "1.2.3.4, 203.0.113.9" }
      expect((await limited.send({ ...sentFor("session.password"), headers: other })).status).toBe(201)
      now += 1_000
      expect((await tryIt()).status).toBe(201)
      expect((await tryIt()).status).toBe(429)
    } finally {
      await limited.close()
    }
  })
})
