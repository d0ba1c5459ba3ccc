import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { CHROMIUM, titled } from "../../support/needs.js"
import { Authenticator } from "./authenticator.js"
import { type Chromium, startChromium } from "./chromium.js"
import { openWatched, type Watched } from "./watched.js"

/** That nothing happens is worth what the watcher is worth: here everything happens. */
describe.skipIf(!CHROMIUM.isHere)(titled("what watches the browser", CHROMIUM), () => {
  let chromium: Chromium
  let watched: Watched
  let origin: string
  let body = ""
  const headers: Record<string, string> = { "content-type": "text/html; charset=utf-8" }
  const server = createServer((_, res) => {
    res.writeHead(200, headers).end(`<!doctype html><title>x</title><body>${body}`)
  })

  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, "localhost", resolve))
    const host = `localhost:${(server.address() as AddressInfo).port}`
    origin = `http://${host}`
    chromium = await startChromium({ hosts: [host] })
    watched = await openWatched(chromium.browser, origin)
  })
  afterAll(async () => {
    await chromium.close()
    server.closeAllConnections()
    server.close()
  })

  const show = async (html: string): Promise<void> => {
    body = html
    await watched.page.goto(`${origin}/`)
  }

  it("sees nothing where nothing happens", async () => {
    await show("quiet")
    expect(await watched.page.textContent("body")).toBe("quiet")
    expect(watched.incidents).toEqual([])
    expect(chromium.outside.asked).toEqual([])
  })

  it("sees script that runs, in frames and popups too, and every dialog", async () => {
    await show(`<script>__ran(1); alert(2); confirm(3)</script><img src="${origin}/no" onerror="__ran(4)">
      <iframe srcdoc="<script>__ran(5)</script>"></iframe>`)
    await expect.poll(() => watched.of("executed", "dialog").length).toBe(5)
    expect(watched.of("executed", "dialog")).toEqual(
      expect.arrayContaining(["executed: 1", "dialog: alert: 2", "dialog: confirm: 3", "executed: 4", "executed: 5"]),
    )
  })

  it("sees what goes elsewhere, and lets none of it through", async () => {
    await show(`<img src="http://a.example/1"><link rel="prefetch" href="https://b.example/">
      <script>
        fetch("http://127.0.0.1:9999/2").catch(() => {}); navigator.sendBeacon("http://localhost:9999/3", "x")
        new WebSocket("ws://c.example/4"); new WebSocket("wss://d.example/5"); open("http://e.example/6")
        setTimeout(() => { location = "http://f.example/7" })
      </script>`)
    const { asked } = chromium.outside
    const wanted = [
      "GET http://a.example/1",
      "CONNECT b.example:443",
      "GET http://127.0.0.1:9999/2",
      "POST http://localhost:9999/3",
      "CONNECT c.example:80",
      "CONNECT d.example:443",
      "GET http://e.example/6",
      "GET http://f.example/7",
    ]
    await expect.poll(() => wanted.filter((each) => !asked.includes(each)), { timeout: 10_000 }).toEqual([])
    expect(watched.of("popup")).toHaveLength(1)
    expect(watched.of("request")).toEqual(expect.arrayContaining(["request: GET http://a.example/1"]))
    expect(watched.of("navigation")).not.toEqual([])
  })

  it("sees what the page's policy stops, what is thrown, and what is said on the console", async () => {
    headers["content-security-policy"] = "default-src 'self'"
    await show(`<img src=x onerror="__ran(8)"><script>__ran(9)</script>`)
    await expect
      .poll(() => watched.of("violation").join("\n"))
      .toMatch(/script-src-attr: inline[\s\S]*|script-src-elem/)
    expect(watched.of("executed").join()).not.toMatch(/[89]/)
    await watched.page.evaluate("setTimeout(() => { throw new Error('nobody caught me') })")
    await watched.page.evaluate("console.error('said')")
    await expect.poll(() => watched.of("error", "console").join()).toMatch(/nobody caught me/)
    expect(watched.of("console").join()).toContain("said")
  })

  it("has an authenticator, of which the passkeys can be moved to another page", async () => {
    await show("passkeys")
    const { page } = watched
    // A popup was opened over it.
    await page.bringToFront()
    const first = await Authenticator.add(page)
    const made = await page.evaluate(async () => {
      const made = await navigator.credentials.create({
        publicKey: {
          rp: { name: "Test", id: "localhost" },
          user: { id: new Uint8Array([1]), name: "ada", displayName: "Ada" },
          challenge: new Uint8Array(32),
          pubKeyCredParams: [{ type: "public-key", alg: -7 }],
          authenticatorSelection: { residentKey: "required", userVerification: "required" },
        },
      })
      return made?.id
    })
    const passkeys = await first.passkeys()
    expect(passkeys).toHaveLength(1)
    const other = await watched.context.newPage()
    await other.goto(`${origin}/`)
    await Authenticator.add(other, passkeys)
    const found = await other.evaluate(async () => {
      const publicKey = { challenge: new Uint8Array(32), rpId: "localhost", userVerification: "required" as const }
      return (await navigator.credentials.get({ publicKey }))?.id
    })
    expect(found).toBe(made)
    await other.close()
  })
})
