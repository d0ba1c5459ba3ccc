import type { Target } from "./target.js"

/** A request as it goes over the wire, every header as it is written. */
export interface RawRequest {
  readonly method: string
  readonly path: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: string
}

/** What somebody may change of a request that would be carried out. */
export type RawShape = (request: RawRequest, target: Target) => RawRequest

const set =
  (name: string, ...values: string[]): RawShape =>
  (request) => ({
    ...request,
    headers: [
      ...request.headers.filter(([each]) => each !== name),
      ...values.map((value): [string, string] => [name, value]),
    ],
  })
const both =
  (...shapes: RawShape[]): RawShape =>
  (request, target) =>
    shapes.reduce((made, shape) => shape(made, target), request)
const method =
  (name: string): RawShape =>
  (request) => ({ ...request, method: name })
const path =
  (change: (path: string) => string): RawShape =>
  (request) => ({ ...request, path: change(request.path) })
const body =
  (change: (body: string) => string): RawShape =>
  (request) => ({ ...request, body: change(request.body) })
const origin =
  (...change: ((origin: string) => string)[]): RawShape =>
  (request, target) =>
    set("origin", ...change.map((each) => each(target.origin)))(request, target)
const host =
  (...change: ((host: string) => string)[]): RawShape =>
  (request, target) =>
    set("host", ...change.map((each) => each(new URL(target.origin).host)))(request, target)
const cookies =
  (change: (cookie: string, request: RawRequest) => string): RawShape =>
  (request, target) => {
    const [, cookie = ""] = request.headers.find(([name]) => name === "cookie") ?? []
    return set("cookie", change(cookie, request))(request, target)
  }
const without = (name: string): RawShape => set(name)
/** What a browser says that knows where a request is from. */
const unsaid = without("sec-fetch-site")

export const RAW_SHAPES: Readonly<Record<string, RawShape>> = {
  "no Origin, and nothing else of where it is from": both(without("origin"), unsaid),
  "Origin null": set("origin", "null"),
  "Origin null, to a browser that says nothing else": both(set("origin", "null"), unsaid),
  "Origin empty": both(set("origin", ""), unsaid),
  "Origin in capitals": both(
    origin((each) => each.toUpperCase()),
    unsaid,
  ),
  "Origin with a dot at the end of its host": both(
    origin((each) => each.replace("localhost", "localhost.")),
    unsaid,
  ),
  "Origin without the port": both(
    origin(() => "http://localhost"),
    unsaid,
  ),
  "Origin with port 80": both(
    origin(() => "http://localhost:80"),
    unsaid,
  ),
  "Origin with another port": both(
    origin((each) => `${each}1`),
    unsaid,
  ),
  "Origin by https": both(
    origin((each) => each.replace("http:", "https:")),
    unsaid,
  ),
  "Origin of a subdomain": both(
    origin((each) => each.replace("localhost", "x.localhost")),
    unsaid,
  ),
  "Origin of another site that begins like ours": both(
    origin((each) => `${each}.out.example`),
    unsaid,
  ),
  "Origin of another site behind our name": both(
    origin((each) => `${each}@out.example`),
    unsaid,
  ),
  "Origin with a user": both(
    origin((each) => each.replace("//", "//user@")),
    unsaid,
  ),
  "Origin with a path": both(
    origin((each) => `${each}/`),
    unsaid,
  ),
  "Origin by address": both(
    origin((each) => each.replace("localhost", "127.0.0.1")),
    unsaid,
  ),
  "Origin by address of IPv6": both(
    origin((each) => each.replace("localhost", "[::1]")),
    unsaid,
  ),
  "Origin of an extension": both(set("origin", "chrome-extension://abcdefghijklmnop"), unsaid),
  "Origin of a file": both(set("origin", "file://"), unsaid),
  "Origin twice, the wrong one last": both(
    origin(
      (each) => each,
      () => "http://out.example",
    ),
    unsaid,
  ),
  "Origin twice, the wrong one first": both(
    origin(
      () => "http://out.example",
      (each) => each,
    ),
    unsaid,
  ),
  "Origin a list": both(
    origin((each) => `${each} http://out.example`),
    unsaid,
  ),
  "another Origin, and a browser that says same-origin": set("origin", "http://out.example"),

  "Sec-Fetch-Site cross-site": set("sec-fetch-site", "cross-site"),
  "Sec-Fetch-Site same-site": set("sec-fetch-site", "same-site"),
  "Sec-Fetch-Site none": set("sec-fetch-site", "none"),
  "Sec-Fetch-Site in capitals": set("sec-fetch-site", "Same-Origin"),
  "Sec-Fetch-Site empty": set("sec-fetch-site", ""),
  "Sec-Fetch-Site twice": set("sec-fetch-site", "same-origin", "cross-site"),
  "Sec-Fetch-Site cross-site, without Origin": both(set("sec-fetch-site", "cross-site"), without("origin")),
  "a navigation from elsewhere": both(
    set("sec-fetch-site", "cross-site"),
    set("sec-fetch-mode", "navigate"),
    set("sec-fetch-dest", "document"),
    without("origin"),
  ),

  "Host of another": host(() => "out.example"),
  "Host of another at our port": host((each) => each.replace("localhost", "out.example")),
  "Host of another, and ours forwarded": both(
    (request, target) => set("x-forwarded-host", new URL(target.origin).host)(request, target),
    host(() => "out.example"),
  ),
  "Host of another, and ours in Forwarded": both(
    (request, target) => set("forwarded", `host=${new URL(target.origin).host}`)(request, target),
    host(() => "out.example"),
  ),
  "Host without the port": host(() => "localhost"),
  "Host with a dot": host((each) => each.replace("localhost", "localhost.")),
  "Host with another port": host((each) => `${each}1`),
  "Host of a subdomain": host((each) => `x.${each}`),
  "Host with a user": host((each) => `user@${each}`),
  "Host behind another": host((each) => `out.example,${each}`),
  "Host twice": host(
    (each) => each,
    () => "out.example",
  ),
  "Host empty": host(() => ""),
  "no Host": without("host"),
  "Host rebound: the name of another for both": both(
    host((each) => each.replace("localhost", "rebound.example")),
    origin((each) => each.replace("localhost", "rebound.example")),
  ),

  "text/plain": set("content-type", "text/plain"),
  urlencoded: set("content-type", "application/x-www-form-urlencoded"),
  multipart: set("content-type", "multipart/form-data; boundary=x"),
  "no type": without("content-type"),
  "JSON of another kind": set("content-type", "application/csp-report"),
  "text/json": set("content-type", "text/json"),
  "JSON in another encoding": set("content-type", "application/json; charset=utf-16"),

  GET: both(
    method("GET"),
    body(() => ""),
  ),
  "GET with the body": method("GET"),
  "GET with the body in the query": both(
    method("GET"),
    (request) => ({
      ...request,
      path: `${request.path}?${new URLSearchParams(JSON.parse(request.body) as object as Record<string, string>)}`,
    }),
    body(() => ""),
  ),
  HEAD: both(
    method("HEAD"),
    body(() => ""),
  ),
  OPTIONS: both(
    method("OPTIONS"),
    set("access-control-request-method", "POST"),
    set("access-control-request-headers", "x-casemate-session, content-type"),
    set("origin", "http://out.example"),
    set("sec-fetch-site", "cross-site"),
  ),
  PUT: method("PUT"),
  PATCH: method("PATCH"),
  DELETE: method("DELETE"),
  TRACE: both(
    method("TRACE"),
    body(() => ""),
  ),
  PROPFIND: method("PROPFIND"),
  "GET that overrides its method": both(method("GET"), set("x-http-method-override", "POST")),
  "GET that overrides its method in the query": both(
    method("GET"),
    path((each) => `${each}?_method=POST`),
  ),
  "POST that overrides its method": both(
    path(() => "/api/v1/session"),
    set("x-http-method-override", "DELETE"),
    set("x-method-override", "DELETE"),
    set("x-http-method", "DELETE"),
    body(() => "{}"),
  ),

  "the cookie alone": without("x-casemate-session"),
  "the token alone": without("cookie"),
  "neither half": both(without("cookie"), without("x-casemate-session")),
  "the token in the query": both(without("x-casemate-session"), (request, { token }) => ({
    ...request,
    path: `${request.path}?x-casemate-session=${token}`,
  })),
  "the token as a bearer's": both(without("x-casemate-session"), (request, target) =>
    set("authorization", `Bearer ${target.token}`)(request, target),
  ),
  "the token for both halves": cookies((cookie, { headers }) => {
    const [, token = ""] = headers.find(([name]) => name === "x-casemate-session") ?? []
    return `${cookie.split("=", 1)[0]}=${token}`
  }),
  "the cookie for both halves": (request, target) => {
    const [, cookie = ""] = request.headers.find(([name]) => name === "cookie") ?? []
    return set("x-casemate-session", cookie.slice(cookie.indexOf("=") + 1))(request, target)
  },
  "the cookie under another name": cookies((cookie) => `x${cookie}`),
  "the cookie twice": cookies((cookie) => `${cookie}; ${cookie}`),
  "the cookie beside one that another page made": cookies(
    (cookie) => `${cookie.split("=", 1)[0]}=AAAAAAAAAAAAAAAAAAAAAAAAAA; ${cookie}`,
  ),
  "another cookie": cookies((cookie) => `${cookie.slice(0, -3)}AAA`),
  "another token": (request, target) => set("x-casemate-session", `${target.token.slice(0, -3)}AAA`)(request, target),
  "the token twice": (request, target) => set("x-casemate-session", target.token, target.token)(request, target),

  "another digest": body((each) => each.replace(/"digest":"../, '"digest":"00')),
  "an array": body((each) => `[${each}]`),
  "half of the body": body((each) => each.slice(0, -1)),
  "a body with something more": body((each) => `${each}{}`),
  "a body with a field more": body((each) => each.replace("{", '{"x":1,')),
  "a body of the web's first encoding": body((each) =>
    new URLSearchParams(JSON.parse(each) as Record<string, string>).toString(),
  ),
  "a body that is too long": body((each) => each + " ".repeat(300_000)),
  "a path with a slash more": path((each) => each.replace("/v1/", "/v1//")),
  "a path with a slash at its end": path((each) => `${each}/`),
  "a path in capitals": path((each) => each.replace("/api/v1", "/API/V1")),
  "a path of another version": path((each) => each.replace("/v1/", "/v2/")),
  "a path of another request": path((each) => each.replace(/requests\/..../, "requests/0000")),
}
