import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { COOKIE, type ConsoleBench, openConsole, type Sent, TOKEN } from "../../../test/support/console-bench.js"

let bench: ConsoleBench
beforeEach(async () => {
  bench = await openConsole({ publicUrl: "https://bunker.example/bunker" })
})
afterEach(() => bench.close())

type Headers = Exclude<Sent["headers"], undefined>
/** With all that a browser would add for a page of ours: the session, both halves, and JSON. */
function signedIn(headers: Headers): Headers {
  return {
    cookie: `casemate-${bench.port}=${COOKIE}; __Host-casemate=${COOKIE}`,
    "x-casemate-session": TOKEN,
    "content-type": "application/json",
    ...withPort(headers),
  }
}

const PUBLIC = { host: "bunker.example" }
/** PORT is the port that the system gave us. */
const LOCAL = "http://localhost:PORT"

function withPort(headers: Headers): Headers {
  return JSON.parse(JSON.stringify(headers).replaceAll("PORT", String(bench.port))) as Headers
}

/** What a browser sends of itself for pages of others, and what others might forge. */
const FOREIGN: readonly (readonly [string, Headers])[] = [
  ["nothing that says where from", {}],
  ["another site", { origin: "https://evil.example" }],
  ["another site, as browsers say it", { origin: "https://evil.example", "sec-fetch-site": "cross-site" }],
  ["another site that calls itself same-origin", { origin: "https://evil.example", "sec-fetch-site": "same-origin" }],
  ["our origin from another site", { origin: LOCAL, "sec-fetch-site": "cross-site" }],
  ["our origin from the same site", { origin: LOCAL, "sec-fetch-site": "same-site" }],
  ["our origin, typed", { origin: LOCAL, "sec-fetch-site": "none" }],
  ["our origin, site unheard of", { origin: LOCAL, "sec-fetch-site": "near-by" }],
  ["our origin, site in capitals", { origin: LOCAL, "sec-fetch-site": "Same-Origin" }],
  ["our origin, site empty", { origin: LOCAL, "sec-fetch-site": "" }],
  ["our origin, site twice", { origin: LOCAL, "sec-fetch-site": ["same-origin", "same-origin"] }],
  ["our origin, two sites", { origin: LOCAL, "sec-fetch-site": "same-origin, cross-site" }],
  ["a sandboxed frame", { origin: "null" }],
  ["a sandboxed frame that calls itself same-origin", { origin: "null", "sec-fetch-site": "same-origin" }],
  ["a file", { origin: "file://" }],
  ["an empty origin", { origin: "" }],
  ["an extension", { origin: "chrome-extension://abcdefghijklmnop" }],
  ["an app's shell", { origin: "capacitor://localhost" }],
  ["localhost without its port", { origin: "http://localhost" }],
  ["another port of localhost", { origin: "http://localhost:1" }],
  ["another port of localhost, as browsers say it", { origin: "http://localhost:3000", "sec-fetch-site": "same-site" }],
  ["https at our port", { origin: "https://localhost:PORT" }],
  ["127.0.0.1 at our port", { origin: "http://127.0.0.1:PORT" }],
  ["[::1] at our port", { origin: "http://[::1]:PORT" }],
  ["our origin with a slash", { origin: "http://localhost:PORT/" }],
  ["our origin with a path", { origin: "http://localhost:PORT/requests" }],
  ["our origin in capitals", { origin: "HTTP://LOCALHOST:PORT" }],
  ["our origin with a dot", { origin: "http://localhost.:PORT" }],
  ["our origin with a user", { origin: "http://evil@localhost:PORT" }],
  ["our origin as a user", { origin: "http://localhost:PORT@evil.example" }],
  ["a name that begins as ours", { origin: "http://localhost:PORT.evil.example" }],
  ["a name that ends as ours", { origin: "http://evil.localhost:PORT" }],
  ["our origin twice", { origin: [LOCAL, LOCAL] }],
  ["our origin and another", { origin: "http://localhost:PORT https://evil.example" }],
  ["our origin, a comma and another", { origin: "http://localhost:PORT, https://evil.example" }],
  ["another and ours", { origin: ["https://evil.example", LOCAL] }],
  ["the public origin at the local host", { origin: "https://bunker.example" }],
  ["a referrer alone", { referer: "http://localhost:PORT/requests" }],
  ["a forwarded host alone", { "x-forwarded-host": "localhost:PORT", forwarded: "host=localhost:PORT" }],
  ["the local origin at the public host", { ...PUBLIC, origin: LOCAL }],
  ["http at the public host", { ...PUBLIC, origin: "http://bunker.example" }],
  ["the public origin with its path", { ...PUBLIC, origin: "https://bunker.example/bunker" }],
  ["the public origin with its port", { ...PUBLIC, origin: "https://bunker.example:443" }],
  ["another port of the public host", { ...PUBLIC, origin: "https://bunker.example:8443" }],
  ["a name below the public host", { ...PUBLIC, origin: "https://a.bunker.example", "sec-fetch-site": "same-site" }],
  ["a name above the public host", { ...PUBLIC, origin: "https://example" }],
  ["a name that ends as the public host", { ...PUBLIC, origin: "https://evilbunker.example" }],
  ["the public host with no origin, cross-site", { ...PUBLIC, "sec-fetch-site": "cross-site" }],
  ["the public host with no origin, same-site", { ...PUBLIC, "sec-fetch-site": "same-site" }],
  ["the public host, typed", { ...PUBLIC, "sec-fetch-site": "none" }],
]

const CHANGES: readonly Sent[] = [
  {
    method: "POST",
    path: "/api/v1/requests/8c1d/approve",
    body: JSON.stringify({ digest: "d".repeat(64), extent: "once" }),
  },
  { method: "PUT", path: "/api/v1/apps/0123/preset", body: JSON.stringify({ preset: "full" }) },
  { method: "DELETE", path: "/api/v1/session" },
  { method: "POST", path: "/api/v1/apps/0123/revoke" },
]

describe("a request that may change something", () => {
  it.each(FOREIGN)("is refused from %s", async (_, headers) => {
    for (const sent of CHANGES) {
      const reply = await bench.send({ ...sent, headers: signedIn(headers) })
      expect([reply.status, reply.code()]).toEqual([403, "forbidden"])
      expect(Object.keys(reply.headers).filter((name) => name.startsWith("access-control"))).toEqual([])
    }
    expect(bench.calls).toEqual([])
  })

  it.each<[string, Headers]>([
    ["a page of ours, as old browsers say it", { origin: LOCAL }],
    ["a page of ours", { origin: LOCAL, "sec-fetch-site": "same-origin" }],
    ["a page of ours that sends no Origin", { "sec-fetch-site": "same-origin" }],
    ["a page at the public URL", { ...PUBLIC, origin: "https://bunker.example", "sec-fetch-site": "same-origin" }],
  ])("is taken from %s", async (_, headers) => {
    for (const sent of CHANGES)
      expect(await bench.send({ ...sent, headers: signedIn(headers) })).toMatchObject({ status: 200 })
    expect(bench.calls).toHaveLength(CHANGES.length)
  })

  it("is not made possible by a preflight", async () => {
    for (const { path = "", method = "" } of CHANGES) {
      for (const origin of ["https://evil.example", "null", bench.origin]) {
        const headers = {
          origin,
          "access-control-request-method": method,
          "access-control-request-headers": "x-casemate-session",
        }
        const reply = await bench.send({ method: "OPTIONS", path, headers })
        expect(reply.status).toBe(origin === bench.origin ? 405 : 403)
        expect(Object.keys(reply.headers).filter((name) => name.startsWith("access-control"))).toEqual([])
      }
    }
  })
})

describe("a request that reads", () => {
  const foreign = FOREIGN.filter(([, headers]) => "origin" in headers || "sec-fetch-site" in headers)

  it.each(foreign)("is refused from %s", async (_, headers) => {
    for (const method of ["GET", "HEAD"]) {
      const reply = await bench.send({ method, path: "/api/v1/requests", headers: signedIn(headers) })
      expect(reply.status).toBe(403)
    }
    expect(bench.calls).toEqual([])
  })

  it("needs no word of where it is from: a page cannot keep a browser from saying so", async () => {
    expect(await bench.send({ path: "/api/v1/requests", headers: signedIn({}) })).toMatchObject({ status: 200 })
  })
})

it("covers many shapes", () => {
  expect(FOREIGN.length).toBeGreaterThanOrEqual(50)
  expect(new Set(FOREIGN.map(([, headers]) => JSON.stringify(headers))).size).toBe(FOREIGN.length)
})
