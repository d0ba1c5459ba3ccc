import type { Frame, Page } from "playwright-core"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { RequestDetail } from "../../src/channel/owner-calls.js"
import { until } from "../support/bunker.js"
import { CHROMIUM, titled } from "../support/needs.js"
import { callOwner } from "../support/owner.js"
import { freePort } from "../support/pages.js"
import { changesBetween, type Dump, dump } from "./support/dump.js"
import { type HostileApp, openHostile } from "./support/hostile-app.js"
import { type OwnerBench, startOwnerBench, visitAsOwner } from "./support/owner-bench.js"
import { type Attackers, startAttackers } from "./support/shapes/attackers.js"
import { RAW_SHAPES, type RawRequest } from "./support/shapes/raw-shapes.js"
import { sendRaw } from "./support/shapes/send-raw.js"
import { startTap, type Tap } from "./support/shapes/tap.js"
import type { Target } from "./support/shapes/target.js"
import { goWay, teachWays } from "./support/shapes/ways.js"
import type { Watched } from "./support/watched.js"

const PLACES = [
  "another port",
  "another address of this machine",
  "a subdomain",
  "a file",
  "a data URL in a frame",
  "a sandboxed frame",
]

/** THREATS: a web page against the console. 100 shapes of a request that no page of ours made: 0 changes. */
describe.skipIf(!CHROMIUM.isHere)(titled("a request from elsewhere", CHROMIUM), () => {
  let attackers: Attackers
  let tap: Tap
  let bench: OwnerBench
  let owner: Watched
  let app: HostileApp
  let target: Target
  let genuine: RawRequest
  let shapes = 0
  let before: Dump
  beforeAll(async () => {
    attackers = await startAttackers()
    const port = await freePort()
    tap = await startTap(port, () => Number(new URL(bench.bunker.ready.http).port))
    bench = await startOwnerBench({ publicUrl: `http://localhost:${port}`, hosts: attackers.hosts })
    owner = await visitAsOwner(bench)
    app = await openHostile(bench, "an app")
    const template = { kind: 1, content: "never", tags: [], created_at: Math.floor(Date.now() / 1000) }
    const page = await app.ask((signer) => signer.signEvent(template))
    const id = page.slice(page.lastIndexOf("/") + 1)
    const { digest }: RequestDetail = await callOwner(bench.folders, "requests.show", { id })
    target = {
      origin: bench.origin,
      path: `/api/v1/requests/${id}/approve`,
      body: JSON.stringify({ digest, extent: "once" }),
      token: await owner.page.evaluate(() => Object.values(localStorage).join()),
      requestId: id,
      appId: app.id,
      redirect: attackers.redirect,
    }
    attackers.redirectTo(target.origin + target.path)
    const [cookie, ...others] = await owner.context.cookies()
    expect(others).toEqual([])
    genuine = {
      method: "POST",
      path: target.path,
      headers: [
        ["host", new URL(bench.origin).host],
        ["origin", bench.origin],
        ["sec-fetch-site", "same-origin"],
        ["content-type", "application/json"],
        ["cookie", `${cookie?.name}=${cookie?.value}`],
        ["x-casemate-session", target.token],
      ],
      body: target.body,
    }
    // It would ask by itself, which is not to be taken for somebody else's.
    await owner.page.goto("about:blank")
    before = dump(bench.folders)
    expect(Object.values(before).flat().length).toBeGreaterThan(10)
  }, 60_000)
  afterAll(async () => {
    await app.close()
    await bench.close()
    await tap.close()
    await attackers.close()
  })

  const expectUnchanged = (title: string): void => {
    shapes += 1
    expect({ title, changes: changesBetween(before, dump(bench.folders)) }).toEqual({ title, changes: [] })
  }

  it.each(PLACES)(
    "of a page at %s, in the browser in which an owner is signed in: changes nothing",
    {
      timeout: 120_000,
    },
    async (place) => {
      const before = tap.heads.length
      for (const way of await waysAt(place)) {
        const page = await owner.context.newPage()
        const frame = await openAt(page, place)
        const traffic = watchTraffic(page)
        await goWay(frame, way, target)
        await until(traffic.isOver, { deadlineMs: 5_000, what: `the request of ${way} at ${place}` })
        for (const each of owner.context.pages()) if (each !== owner.page) await each.close()
        expectUnchanged(`${way} at ${place}`)
      }
      // Some are stopped by the browser; the bunker is asked about the others, and by cookie where the browser adds one.
      const came = tap.heads.slice(before)
      const withCookie = came.filter((head) => /^cookie: casemate-/im.test(head))
      expect(came.length).toBeGreaterThan(25)
      expect(withCookie.length > 20).toBe(place === "another port")
    },
  )

  it.each(Object.entries(RAW_SHAPES))(
    "with both halves of a session, but %s: changes nothing",
    async (title, shape) => {
      const status = await sendRaw(Number(new URL(bench.origin).port), shape(genuine, target))
      expectUnchanged(title)
      expect([undefined, 200, 204, 400, 401, 403, 404, 405, 409, 413, 415, 501]).toContain(status)
      expect(status).not.toBe(201)
    },
  )

  it("was of a hundred shapes at least, and is carried out as our page makes it", async () => {
    expect(shapes).toBeGreaterThanOrEqual(100)
    expect(await callOwner(bench.folders, "requests.list", {})).toMatchObject({ total: 1, requests: [{ count: 1 }] })
    expect(await sendRaw(Number(new URL(bench.origin).port), genuine)).toBe(200)
    expect(changesBetween(before, dump(bench.folders)).join("\n")).toMatch(/\+ audit .*owner\.approve/)
    expect(await callOwner(bench.folders, "requests.list", {})).toMatchObject({ total: 0 })
    // And the owner is still signed in.
    await owner.page.goto(`${bench.origin}/account`)
    await owner.page.getByRole("heading", { name: "ada" }).waitFor()
  })

  async function openAt(page: Page, place: string): Promise<Frame> {
    await page.goto(attackers.pages[place] as string)
    const frame = page.frames().at(-1) as Frame
    await teachWays(frame)
    return frame
  }

  async function waysAt(place: string): Promise<string[]> {
    const page = await owner.context.newPage()
    await page.goto(attackers.pages[place] as string)
    const ways = await teachWays(page.frames().at(-1) as Frame)
    await page.close()
    return ways
  }
})

/** Of a page from now on; over when something was sent, and nothing of it is under way. */
function watchTraffic(page: Page): { isOver(): boolean } {
  let seen = 0
  const underWay = new Set<unknown>()
  const context = page.context()
  context.on("request", (request) => {
    seen += 1
    underWay.add(request)
  })
  context.on("requestfinished", (request) => void underWay.delete(request))
  context.on("requestfailed", (request) => void underWay.delete(request))
  page.on("websocket", (socket) => {
    seen += 1
    underWay.add(socket)
    socket.on("close", () => underWay.delete(socket))
  })
  return { isOver: () => seen > 0 && underWay.size === 0 }
}
