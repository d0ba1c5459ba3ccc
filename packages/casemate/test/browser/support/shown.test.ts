import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { CHROMIUM, titled } from "../../support/needs.js"
import { createRandom } from "../../support/random.js"
import { type Chromium, startChromium } from "./chromium.js"
import { createPayloads } from "./payloads/payloads.js"
import { readShown, type Shown } from "./shown.js"

/** That nothing is hidden is worth what the reader is worth: here everything is. */
describe.skipIf(!CHROMIUM.isHere)(titled("what reads a page", CHROMIUM), () => {
  let chromium: Chromium
  beforeAll(async () => {
    chromium = await startChromium({ hosts: [] })
  })
  afterAll(() => chromium.close())

  async function read(html: string): Promise<Shown> {
    const page = await chromium.browser.newPage()
    try {
      await page.setContent(`<!doctype html><body><main>${html}</main>`)
      return await readShown(page)
    } finally {
      await page.close()
    }
  }

  it("undoes the escapes of the page, and those alone", async () => {
    const ours = (text: string): string => `<span title="something that cannot be seen">${text}</span>`
    const shown = await read(`<p>a${ours("\\u{202e}\\u{7}")}b \\\\u{7} \\u{9}${ours("\\u{e0041}")}</p>`)
    expect(shown).toEqual({ text: "a\u202e\u0007b \\u{7} \\u{9}\u{e0041}", raw: [], hidden: [], foreign: [] })
  })

  it("finds characters that are there and cannot be seen, in text and in attributes", async () => {
    const { raw } = await read('<p title="a\u200bb">c\u202ed\u{1d159}\u2800</p>')
    expect(raw).toEqual(["U+202e", "U+1d159", "U+2800", "U+200b"])
  })

  it.each([
    ["no room", '<p style="display:none">x</p>'],
    ["visibility", '<p style="visibility:hidden">x</p>'],
    ["opacity", '<div style="opacity:.1"><p>x</p></div>'],
    ["font", '<p style="font-size:2px">x</p>'],
    ["colour", '<p style="color:transparent">x</p>'],
    ["white space", "<p>two  spaces</p>"],
    ["cut off at a side", '<div style="width:20px;overflow:hidden;white-space:nowrap">a long line of text</div>'],
    ["cut off at a side", '<div style="width:20px;contain:paint;white-space:nowrap">a long line of text</div>'],
    ["cut off above or below", '<div style="height:5px;overflow:clip">x<br>y<br>z</div>'],
    ["beyond the edge of the screen", '<p style="position:absolute;left:-999px">x</p>'],
    ["beyond the edge of the screen", `<p>${"x".repeat(999)}</p>`],
  ])("finds what is hidden: %s", async (why, html) => {
    const { hidden, text } = await read(html)
    expect(text).not.toBe("")
    expect(hidden.join()).toContain(why)
  })

  it("lets scroll what is long", async () => {
    const lines = Array.from({ length: 200 }, (_, n) => `line ${n}`).join("\n")
    const { hidden, text } = await read(`<pre style="height:80px;overflow:auto">${lines}</pre>`)
    expect(hidden).toEqual([])
    expect(text).toBe(lines)
  })

  it("finds elements and attributes that are not the page's", async () => {
    const { foreign } = await read('<img src=x><p onclick="1">x</p><a href="javascript:1">y</a><a href="/ok">z</a>')
    expect(foreign.map((each) => each.trim())).toEqual(["img src", "p onclick", "a href"])
  })

  it("finds every payload that became markup", async () => {
    const payloads = createPayloads(500, createRandom(5))
    expect(payloads).toHaveLength(500)
    expect(new Set(payloads.map(({ text }) => text)).size).toBe(500)
    for (const group of ["markup", "url", "bidi", "unseen"] as const)
      expect(payloads.filter((payload) => payload.group === group).length).toBeGreaterThan(70)
    const [script] = payloads
    expect((await read(script?.text ?? "")).foreign).toContain("script ")
  })
})
