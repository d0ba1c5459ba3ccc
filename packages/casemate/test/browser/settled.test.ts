import { fileURLToPath } from "node:url"
import type { Page } from "playwright-core"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { createLogger } from "../../src/config/log.js"
import { loadPages } from "../../src/gateway/http/pages.js"
import { COOKIE, type ConsoleBench, openConsole, TOKEN } from "../support/console-bench.js"
import { CHROMIUM, titled } from "../support/needs.js"
import { WEB_RESULTS } from "../support/web-results.js"
import { type Chromium, startChromium } from "./support/chromium.js"

const BUILT = fileURLToPath(new URL("../../dist/web", import.meta.url))

/** A tap is meant for what was under the finger when it was raised. */
describe.skipIf(!CHROMIUM.isHere)(titled("the buttons of a decision", CHROMIUM), () => {
  let bench: ConsoleBench
  let chromium: Chromium
  let tellApp: () => void
  beforeAll(async () => {
    bench = await openConsole({ pages: await loadPages(createLogger("test", "silent"), BUILT) })
    chromium = await startChromium({ hosts: [`localhost:${bench.port}`] })
    const told = new Promise<void>((resolve) => {
      tellApp = resolve
    })
    bench.answerWith(async ({ call }) => {
      if (call !== "apps.show") return { ok: true, result: WEB_RESULTS[call] }
      await told
      return { ok: true, result: { ...WEB_RESULTS[call], url: `https://app.example/${"long/".repeat(400)}` } }
    })
  })
  afterAll(async () => {
    await chromium.close()
    await bench.close()
  })

  async function openRequest(): Promise<Page> {
    const context = await chromium.browser.newContext()
    await context.addCookies([{ name: `casemate-${bench.port}`, value: COOKIE, url: bench.origin }])
    await context.addInitScript((token) => localStorage.setItem("casemate-session:", token), TOKEN)
    await context.exposeFunction("tellApp", () => tellApp())
    const page = await context.newPage()
    await page.goto(`${bench.origin}/requests/8c1d`)
    return page
  }

  it("take no tap for a moment after the page moved under the finger", async () => {
    const page = await openRequest()
    const ready = page.locator(".decision .button[aria-disabled=false]")
    await ready.first().waitFor()
    expect(await ready.count()).toBe(5)
    const offAfterMove = await page.evaluate(async () => {
      const frame = () => new Promise(requestAnimationFrame)
      const buttons = [...document.querySelectorAll(".decision .button")]
      const placeOf = (button: Element | undefined) => button?.getBoundingClientRect().top
      const before = placeOf(buttons[0])
      await (globalThis as unknown as { tellApp(): Promise<void> }).tellApp()
      while (placeOf(buttons[0]) === before) await frame()
      // Nobody lowers a finger within that.
      for (let n = 0; n < 5 && buttons.some((button) => button.ariaDisabled !== "true"); n++) await frame()
      return buttons.map((button) => button.ariaDisabled)
    })
    expect(offAfterMove).toEqual(["true", "true", "true", "true", "true"])
    await ready.first().waitFor()
    expect(await ready.count()).toBe(5)
  })
})
