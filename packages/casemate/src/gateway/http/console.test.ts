import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { type ConsoleBench, type ConsoleBenchOptions, openConsole } from "../../../test/support/console-bench.js"
import { createLogger } from "../../config/log.js"
import { loadPages, type Pages } from "./pages.js"

const SHELL = '<meta name="casemate-base" content="{{base}}"><script src="{{base}}/assets/app-ABCDEFGH.js"></script>'
const PATHS = ["/", "/requests", "/requests/", "/requests/8c1d", "/join", "/sign-in", "/account", "/requests?x=1"]

let folder: string
let pages: Pages | undefined
const logged: string[] = []
const log = createLogger("test", "info", { write: (line) => void logged.push(line) })

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "casemate-pages-"))
  mkdirSync(join(folder, "assets", "deeper"), { recursive: true })
  writeFileSync(join(folder, "index.html"), SHELL)
  writeFileSync(join(folder, "secret.txt"), "not for anybody")
  writeFileSync(join(folder, "assets", "app-ABCDEFGH.js"), "let a = 1")
  writeFileSync(join(folder, "assets", "icon.svg"), "<svg/>")
  writeFileSync(join(folder, "assets", "app-ABCDEFGH.js.map"), "{}")
  pages = await loadPages(log, folder)
  expect(logged).toEqual([])
})
afterAll(() => rmSync(folder, { recursive: true }))

const open: ConsoleBench[] = []
async function bench(options: ConsoleBenchOptions = {}): Promise<ConsoleBench> {
  const made = await openConsole({ ...(pages === undefined ? {} : { pages }), ...options })
  open.push(made)
  return made
}
afterEach(async () => {
  for (const one of open.splice(0)) await one.close()
})

describe("the pages", () => {
  it.each(PATHS)("are one shell, at %s", async (path) => {
    const { send } = await bench()
    const reply = await send({ path })
    expect([reply.status, reply.text]).toEqual([200, SHELL.replaceAll("{{base}}", "")])
    expect(reply.headers).toMatchObject({ "content-type": "text/html; charset=utf-8", "cache-control": "no-cache" })
    expect(await send({ path, method: "HEAD" })).toMatchObject({ status: 200, text: "" })
    const again = await send({ path, headers: { "if-none-match": reply.headers.etag } })
    expect([again.status, again.text]).toEqual([304, ""])
  })

  it("know what stands before their paths, at each of their names", async () => {
    const { send } = await bench({ publicUrl: "https://bunker.example/it's&mine" })
    const base = "/it&#39;s&#38;mine"
    const there = await send({ path: "/requests/8c1d", headers: { host: "bunker.example" } })
    expect(there.text).toBe(SHELL.replaceAll("{{base}}", base))
    const here = await send({ path: "/requests/8c1d" })
    expect(here.text).toBe(SHELL.replaceAll("{{base}}", ""))
    expect(here.headers.etag).not.toBe(there.headers.etag)
  })

  it.each<[string, Readonly<Record<string, string>>, string]>([
    [
      "/assets/app-ABCDEFGH.js",
      { "content-type": "text/javascript; charset=utf-8", "cache-control": "public, max-age=31536000, immutable" },
      "let a = 1",
    ],
    ["/assets/icon.svg", { "content-type": "image/svg+xml", "cache-control": "no-cache" }, "<svg/>"],
  ])("have %s", async (path, headers, text) => {
    const { send } = await bench()
    const reply = await send({ path })
    expect([reply.status, reply.text]).toEqual([200, text])
    expect(reply.headers).toMatchObject(headers)
    expect((await send({ path, headers: { "if-none-match": reply.headers.etag } })).status).toBe(304)
  })

  it.each([
    "/index.html",
    "/secret.txt",
    "/assets",
    "/assets/",
    "/assets/deeper",
    "/assets/app-ABCDEFGH.js.map",
    "/assets/app-ABCDEFGH.js/",
    "/assets/../secret.txt",
    "/assets/..%2fsecret.txt",
    "/assets/%2e%2e/secret.txt",
    "/assets//app-ABCDEFGH.js",
    "/../../etc/passwd",
    "//etc/passwd",
    "/requests/8c1d/approve",
    "/requests/..%2f..",
    "/requests/%00",
    "/requests/<script>",
    `/requests/${"8".repeat(129)}`,
    "/Requests",
    "/favicon.ico",
    "/__proto__",
    "/constructor",
  ])("have nothing at %s", async (path) => {
    const { raw, port } = await bench()
    const answer = await raw(`GET ${path} HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: close\r\n\r\n`)
    expect(answer).toMatch(/^HTTP\/1\.1 404 /)
    expect(answer.split("\r\n\r\n")[1]).toBe("There is nothing here.\n")
  })

  it.each(["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])("take no %s", async (method) => {
    const { send } = await bench()
    for (const path of ["/", "/requests/8c1d", "/assets/icon.svg"]) {
      expect(await send({ path, method })).toMatchObject({ status: 405, headers: { allow: "GET, HEAD" } })
    }
  })

  it("that were not built are said to be", async () => {
    expect(await loadPages(log, join(folder, "nowhere"))).toBeUndefined()
    expect(logged.splice(0).join("")).toMatch(/there are no pages to show/)
    const made = await openConsole()
    open.push(made)
    expect(await made.send({ path: "/" })).toMatchObject({
      status: 503,
      text: expect.stringMatching(/npm run build/) as string,
    })
    await made.send({ path: "/account" })
    expect(made.logged().match(/the pages were not built/g)).toHaveLength(1)
    expect((await made.send({ path: "/nothing" })).status).toBe(404)
  })
})

describe("a name that is not ours", () => {
  it.each([
    "evil.example",
    "localhost",
    "bunker.example.",
    "0.0.0.0:4646",
    "a@localhost",
    "evil.example:4646",
    "[::1",
    "",
    "a b",
  ])("is shown neither pages nor the API: %j", async (host) => {
    const { send, calls, origin } = await bench({ publicUrl: "https://bunker.example" })
    for (const [method, path] of [
      ["GET", "/"],
      ["GET", "/assets/icon.svg"],
      ["GET", "/api/openapi.json"],
      ["POST", "/api/v1/session/passkey/options"],
      ["GET", "/nothing"],
    ] as const) {
      const reply = await send({ method, path, headers: { host, origin } })
      expect([path, [400, 403].includes(reply.status)]).toEqual([path, true])
      expect(reply.headers["content-security-policy"]).toMatch(/^default-src 'none'/)
    }
    expect(calls).toEqual([])
  })

  it("is told so by the API in JSON", async () => {
    const { send, origin } = await bench()
    const reply = await send({ path: "/api/v1/session", headers: { host: "evil.example" } })
    const message = `These pages are not shown under this name; open ${origin}`
    expect([reply.status, reply.json()]).toEqual([403, { error: { code: "forbidden", message } }])
  })

  it("is told where to go", async () => {
    const { send, origin } = await bench({ publicUrl: "https://bunker.example" })
    expect(await send({ headers: { host: "evil.example" } })).toMatchObject({
      status: 403,
      text: `These pages are not shown under this name; open https://bunker.example, or on the bunker's machine ${origin}\n`,
    })
  })

  it.each<[string, (port: number) => string]>([
    ["none", () => ""],
    ["none, in HTTP/1.0", () => ""],
    ["two", (port) => `Host: localhost:${port}\r\nHost: localhost:${port}\r\n`],
    ["another first", (port) => `Host: evil.example\r\nHost: localhost:${port}\r\n`],
    ["another last", (port) => `Host: localhost:${port}\r\nHost: evil.example\r\n`],
  ])("is %s", async (name, host) => {
    const { raw, port, calls } = await bench()
    const version = name.endsWith("1.0") ? "1.0" : "1.1"
    const answer = await raw(`GET / HTTP/${version}\r\n${host(port)}Connection: close\r\n\r\n`)
    expect(answer).toMatch(/^HTTP\/1\.1 40[03] /)
    expect(answer).not.toContain("casemate-base")
    expect(calls).toEqual([])
  })

  it.each(["http://evil.example/", "https://localhost/api/v1/session", "*", "evil.example:80"])(
    "is not believed in a request's first line: %s",
    async (target) => {
      const { raw, port, calls } = await bench()
      const answer = await raw(`GET ${target} HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: close\r\n\r\n`)
      expect(answer).toMatch(/^HTTP\/1\.1 400 /)
      expect(calls).toEqual([])
    },
  )
})

describe("an address of this machine", () => {
  it.each(["127.0.0.1", "[::1]"])("%s leads to localhost, where passkeys are", async (name) => {
    const { send, port, origin } = await bench()
    const host = `${name}:${port}`
    for (const path of ["/", "/requests/8c1d?x=1", "/assets/icon.svg", "//evil.example/", "/nothing"]) {
      for (const method of ["GET", "HEAD"]) {
        const reply = await send({ method, path, headers: { host } })
        expect([reply.status, reply.headers.location]).toEqual([302, `${origin}${path}`])
      }
    }
    expect((await send({ method: "POST", path: "/", headers: { host } })).status).toBe(405)
  })

  it("has the API too, for pages at localhost", async () => {
    const { send, port, origin, calls } = await bench()
    const host = `127.0.0.1:${port}`
    const path = "/api/v1/session/passkey/options"
    expect((await send({ method: "POST", path, headers: { host, origin: `http://${host}` } })).status).toBe(403)
    expect((await send({ method: "POST", path, headers: { host, origin } })).status).toBe(200)
    expect(calls.map((call) => call.origin)).toEqual([origin])
  })
})

describe("every answer", () => {
  const answers: [method: string, path: string, status: number, headers: Readonly<Record<string, string>>][] = [
    ["GET", "/", 200, {}],
    ["GET", "/assets/icon.svg", 200, {}],
    ["GET", "/nothing", 404, {}],
    ["POST", "/", 405, {}],
    ["GET", "/api/openapi.json", 200, {}],
    ["GET", "/api/v1/session", 401, {}],
    ["GET", "/api/v1/nothing", 404, {}],
    ["PUT", "/api/v1/session", 403, {}],
    ["GET", "/", 403, { host: "evil.example" }],
  ]

  it.each(answers)("to %s %s is a browser's to be careful with (%d)", async (method, path, status, headers) => {
    const { send } = await bench()
    const reply = await send({ method, path, headers })
    expect(reply.status).toBe(status)
    expect(reply.headers).toMatchObject({
      "content-security-policy":
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-resource-policy": "same-origin",
      "x-frame-options": "DENY",
      "permissions-policy": expect.stringMatching(/camera=\(\).*publickey-credentials-get=\(self\)/) as string,
      "cache-control": expect.stringMatching(/^no-store$|^no-cache$/) as string,
    })
    expect(Object.keys(reply.headers)).not.toContain("strict-transport-security")
    expect(Object.keys(reply.headers).filter((name) => name.startsWith("access-control"))).toEqual([])
    expect(Object.keys(reply.headers)).not.toContain("x-powered-by")
  })

  it("over https says to stay there", async () => {
    const { send } = await bench({ publicUrl: "https://bunker.example" })
    for (const path of ["/", "/nothing", "/api/v1/session"]) {
      const reply = await send({ path, headers: { host: "bunker.example" } })
      expect(reply.headers["strict-transport-security"]).toBe("max-age=31536000")
    }
  })
})
