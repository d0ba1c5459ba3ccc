import { type Event, type EventTemplate, verifyEvent } from "nostr-tools/pure"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { Choice } from "../../packages/casemate/test/browser/support/owner-page.js"
import { until } from "../../packages/casemate/test/support/bunker.js"
import { CHROMIUM, LINUX, titled } from "../../packages/casemate/test/support/needs.js"
import { type ChallengeBench, type ChallengedApp, startChallengeBench } from "./challenge-bench.js"
import { ANSWER_MS, refusal } from "./client-column.js"
import { type Desk, openBrowser, openTerminal } from "./desk.js"
import { FLOWS } from "./flow.js"
import { applesauce } from "./peers/applesauce.js"
import { casemate } from "./peers/casemate.js"
import { ndk } from "./peers/ndk.js"
import { nostrTools } from "./peers/nostr-tools.js"
import { within } from "./wait.js"
import { hangUp } from "./wire.js"

const places = FLOWS.flatMap((flow) =>
  [nostrTools, ndk, applesauce, casemate].map((peer) => ({ peer, flow, title: `${peer.name} by ${flow}` })),
)

type Title = string
const titles: readonly Title[] = places.map(({ title }) => title)

const WAYS = [
  { where: "at a terminal", needs: LINUX, openDesk: async ({ folders }: ChallengeBench) => openTerminal(folders) },
  { where: "in a browser", needs: CHROMIUM, openDesk: openBrowser },
]

afterAll(hangUp)

/** NIP-46 §Auth Challenges: what the client is not granted waits at a page, and is answered under its own id. */
describe.each(WAYS)("an app that is sent to a page, and decided for $where,", ({ where, needs, openDesk }) => {
  describe.skipIf(!LINUX.isHere || !needs.isHere)(titled(where, LINUX.isHere ? needs : LINUX), () => {
    challenged(openDesk)
  })
})

function challenged(openDesk: (bench: ChallengeBench) => Promise<Desk>): void {
  let bench: ChallengeBench
  let desk: Desk
  const apps = new Map<Title, ChallengedApp>()
  beforeAll(async () => {
    bench = await startChallengeBench()
    desk = await openDesk(bench)
    for (const { peer, flow, title } of places) apps.set(title, await bench.open(peer, flow))
  }, 60_000)
  afterAll(async () => {
    await desk.close()
    await bench.close()
  })

  const appOf = (title: Title): ChallengedApp => apps.get(title) as ChallengedApp
  const decide = ({ url }: Asked, choice: Choice): Promise<void> => desk.decide(url, choice)

  /** What it asked for, signed by the user, after one page and one question. */
  async function expectSigned({ app, url, signing, template, before }: Asked): Promise<void> {
    await expectSignature(signing, template)
    expect(app.urls.slice(before.urls)).toEqual([url])
    expect(app.asked()).toBe(before.asked + 1)
  }

  async function expectSignature(signing: Promise<Event>, template: EventTemplate): Promise<void> {
    const event = await within(signing, ANSWER_MS, "sign_event")
    expect(event).toMatchObject({ ...template, pubkey: bench.userPubkey })
    // A copy: nostr-tools marks what it has verified, and would believe its own mark.
    expect(verifyEvent(JSON.parse(JSON.stringify(event)) as Event)).toBe(true)
  }

  async function expectDenied({ app, url, signing, before }: Asked): Promise<void> {
    // Ours says before it what was refused.
    const said = (await refusal(within(signing, ANSWER_MS, "sign_event"))).text
    expect(said).toMatch(/^(?:the remote signer refused sign_event: )?the owner denied this$/)
    expect(app.urls.slice(before.urls)).toEqual([url])
    expect(app.asked()).toBe(before.asked + 1)
  }

  it.each(titles)("%s is given the page once, and has its signature once that is approved", async (title) => {
    const asked = await ask(appOf(title), "approved once")
    expect(asked.url).toMatch(new RegExp(`^${bench.origin}/requests/[0-9a-f]{32}$`))
    await decide(asked, "Approve once")
    await expectSigned(asked)
  })

  it.each(titles)("%s is refused with our sentence once that is denied", async (title) => {
    const asked = await ask(appOf(title), "denied")
    await decide(asked, "Deny")
    await expectDenied(asked)
  })

  describe("after keyd died and came back", () => {
    const waiting = new Map<Title, Asked>()
    beforeAll(async () => {
      for (const [title, app] of apps) waiting.set(title, await ask(app, "through a restart"))
      await bench.restartKeyd()
    }, 60_000)

    it.each(titles)("%s was given no second page, and has its signature", async (title) => {
      const asked = waiting.get(title) as Asked
      await decide(asked, "Approve once")
      await expectSigned(asked)
    })
  })

  describe("after an approval for an hour", () => {
    const approved = new Map<Title, Asked>()
    beforeAll(async () => {
      for (const [title, app] of apps) {
        const asked = await ask(app, "approved for an hour")
        approved.set(title, asked)
        await decide(asked, "For 1 hour")
        await expectSigned(asked)
      }
    }, 60_000)

    it.each(titles)("%s has its signatures without a page", async (title) => {
      const { app, url, before } = approved.get(title) as Asked
      const template = note("within the hour")
      await expectSignature(app.session.signEvent(template), template)
      expect(app.urls.slice(before.urls)).toEqual([url])
      expect(app.asked()).toBe(before.asked + 1)
    })

    describe("that is over", () => {
      beforeAll(() => bench.passHour(), 60_000)

      it.each(titles)("%s is sent to a page again", async (title) => {
        const asked = await ask(appOf(title), "after the hour")
        expect(asked.url).not.toBe(approved.get(title)?.url)
        await decide(asked, "Deny")
        await expectDenied(asked)
      })
    })
  })
}

interface Asked {
  readonly app: ChallengedApp
  readonly template: EventTemplate
  readonly signing: Promise<Event>
  readonly url: string
  /** How many there had been. */
  readonly before: { readonly urls: number; readonly asked: number }
}

/** Asks for a note, and waits until the client was given the page for it. */
async function ask(app: ChallengedApp, content: string): Promise<Asked> {
  const before = { urls: app.urls.length, asked: app.asked() }
  const template = note(content)
  const signing = app.session.signEvent(template)
  signing.catch(() => undefined)
  await until(() => app.urls.length > before.urls, { deadlineMs: ANSWER_MS, what: "a page to open" })
  return { app, template, signing, url: app.urls.at(-1) as string, before }
}

function note(content: string): EventTemplate {
  return { kind: 1, content, tags: [["t", "casemate"]], created_at: Math.floor(Date.now() / 1000) }
}
