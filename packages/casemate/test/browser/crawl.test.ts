import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { CHROMIUM, titled } from "../support/needs.js"
import { changesBetween, type Dump, dump } from "./support/dump.js"
import { type HostileApp, openHostile } from "./support/hostile-app.js"
import { type OwnerBench, startOwnerBench, visitAsOwner } from "./support/owner-bench.js"
import type { Watched } from "./support/watched.js"

const DOCUMENT = "/api/openapi.json"

interface Described {
  readonly servers: readonly [{ readonly url: string }]
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

const PAGES = ["/", "/requests", "/requests/{id}", "/join", "/sign-in", "/account", "/healthz", "/nowhere"]

/** Invariant of the API: a GET changes nothing, whoever sends it. */
describe.skipIf(!CHROMIUM.isHere)(titled("every GET there is", CHROMIUM), () => {
  let bench: OwnerBench
  let owner: Watched
  let app: HostileApp
  let ids: Readonly<Record<string, string>>
  let paths: readonly string[]
  let before: Dump
  beforeAll(async () => {
    bench = await startOwnerBench()
    owner = await visitAsOwner(bench)
    app = await openHostile(bench, "an app")
    const template = { kind: 1, content: "waits", tags: [], created_at: Math.floor(Date.now() / 1000) }
    const page = await app.ask((signer) => signer.signEvent(template))
    ids = { requests: page.slice(page.lastIndexOf("/") + 1), apps: app.id }
    const { servers, paths: all } = (await (await fetch(bench.origin + DOCUMENT)).json()) as Described
    const read = Object.keys(all).filter((path) => "get" in (all[path] as object))
    paths = [
      DOCUMENT,
      ...read.map((path) => new URL(`${servers[0].url}${withIds(path)}`, bench.origin + DOCUMENT).pathname),
    ]
    await owner.page.goto("about:blank")
    before = dump(bench.folders)
  }, 60_000)
  afterAll(async () => {
    await app.close()
    await bench.close()
  })

  const withIds = (path: string): string =>
    path.replace(/\/(requests|apps)\/\{id\}/, (_, what: string) => `/${what}/${ids[what]}`)
  const expectUnchanged = (): void => expect(changesBetween(before, dump(bench.folders))).toEqual([])

  it("is known by the API's own document, with an id where it takes one", () => {
    expect(paths.length).toBeGreaterThan(7)
    expect(paths.filter((path) => /[{}]/.test(path))).toEqual([])
    for (const id of Object.values(ids)) expect(paths.some((path) => path.endsWith(id))).toBe(true)
  })

  it("changes nothing for a stranger, who is told nothing either", async () => {
    for (const path of paths) {
      for (const method of ["GET", "HEAD"]) {
        const { status } = await fetch(`${bench.origin}${path}`, { method })
        expect([path, status]).toEqual([path, path === DOCUMENT ? 200 : 401])
      }
    }
    for (const page of PAGES) await (await fetch(`${bench.origin}${withIds(page)}`)).text()
    expectUnchanged()
  })

  it("changes nothing for an owner who is signed in, and says something", { timeout: 60_000 }, async () => {
    await owner.page.goto(`${bench.origin}/account`)
    const statuses = await owner.page.evaluate(async (all) => {
      const token = Object.values(localStorage).join()
      const answers = all.map(async (path) => {
        const { status } = await fetch(path, { headers: { "x-casemate-session": token } })
        return [path, status] as const
      })
      return Promise.all(answers)
    }, paths)
    expect(statuses).toEqual(paths.map((path) => [path, 200]))
    expectUnchanged()
  })

  it("changes nothing where an owner goes from page to page, and by each link", { timeout: 120_000 }, async () => {
    const { page } = owner
    const open = PAGES.map((path) => `${bench.origin}${withIds(path)}`)
    const seen = new Set<string>()
    for (let url = open.pop(); url !== undefined; url = open.pop()) {
      if (seen.has(url) || !url.startsWith(`${bench.origin}/`)) continue
      seen.add(url)
      await page.goto(url)
      await page.waitForLoadState("networkidle")
      open.push(...(await page.evaluate(() => [...document.links].map(({ href }) => href))))
    }
    expect(seen.size).toBeGreaterThanOrEqual(PAGES.length)
    expectUnchanged()
    expect(owner.of("executed", "violation", "dialog", "request")).toEqual([])
  })
})
