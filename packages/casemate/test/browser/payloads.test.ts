import { type EventTemplate, generateSecretKey, getPublicKey } from "nostr-tools/pure"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { CHROMIUM, titled } from "../support/needs.js"
import { callOwner } from "../support/owner.js"
import { createRandom } from "../support/random.js"
import { flawsOf, follow, type HostileApp, openHostile, openHostileByToken } from "./support/hostile-app.js"
import { type OwnerBench, startOwnerBench, visitAsOwner } from "./support/owner-bench.js"
import { createPayloads, type Payload } from "./support/payloads/payloads.js"
import type { Watched } from "./support/watched.js"

const ALL = 500
/** Two requests of each app wait, and so many of all: 100 for one key. */
const AT_ONCE = 50
const SEED = 5
/** As long as the bunker keeps of what an app says of itself. */
const NAME_CHARS = 128
const URL_CHARS = 1_024
const FRIEND = getPublicKey(generateSecretKey())

const payloads = createPayloads(ALL, createRandom(SEED))
const batches = Array.from({ length: ALL / AT_ONCE }, (_, n) => n + 1)

/** THREATS: 500 payloads in a real browser, 0 executions; and invariant 10: what is shown is what is signed. */
describe.skipIf(!CHROMIUM.isHere)(titled("what a hostile app writes", CHROMIUM), () => {
  let bench: OwnerBench
  let owner: Watched
  let shown = 0
  beforeAll(async () => {
    bench = await startOwnerBench()
    owner = await visitAsOwner(bench)
  }, 60_000)
  afterAll(() => bench.close())

  const expectQuiet = (): void => {
    expect(owner.incidents).toEqual([])
    expect(bench.chromium.outside.asked).toEqual([])
  }

  it.each(batches)(
    `is shown whole, and is nothing but text: batch %i of ${batches.length}`,
    {
      timeout: 120_000,
    },
    async (batch) => {
      const asked = await Promise.all(payloads.slice((batch - 1) * AT_ONCE, batch * AT_ONCE).map(askForBoth))
      await owner.page.goto(`${bench.origin}/requests`)
      const names = asked.map(({ payload }) => cut(payload.text, NAME_CHARS))
      expect(await flawsOf(owner, names)).toEqual([])
      for (const { payload, template, toSign, toSeal, sealHeading } of asked) {
        const { text, id } = payload
        const app = [cut(text, NAME_CHARS), cut(text, URL_CHARS)]
        await follow(owner, toSign, "What would be signed")
        const signing = await flawsOf(owner, [...app, template.content, ...template.tags.flat()])
        await follow(owner, toSeal, sealHeading)
        const sealing = await flawsOf(owner, [...app, text])
        expect({ id, signing, sealing }).toEqual({ id, signing: [], sealing: [] })
        shown += 1
      }
      expectQuiet()
      for (const { app } of asked) await app.close()
    },
  )

  it("was all of it shown", () => {
    expect(shown).toBe(ALL)
  })

  it.each([
    ["one line", "x".repeat(25_000)],
    ["lines", "line\n".repeat(3_000)],
    ["a hole", `${"\n".repeat(3_000)}the end`],
    ["spaces", `a${" ".repeat(5_000)}b`],
    ["marks", "\u202e".repeat(6_000)],
    ["wide letters", "\ufdfd".repeat(3_500)],
    ["stacked letters", `o${"\u0308\u0323".repeat(5_000)}o`],
  ])("is shown whole when it is long: %s", { timeout: 60_000 }, async (_, text) => {
    const app = await openHostile(bench, "an app that writes much")
    const tags = [["t", text.slice(0, 2_000)], ...Array.from({ length: 300 }, (_, n) => ["n", String(n)])]
    const template = { kind: 1, content: text, tags, created_at: Math.floor(Date.now() / 1000) }
    const url = await app.ask((signer) => signer.signEvent(template))
    await follow(owner, url, "What would be signed")
    expect(await flawsOf(owner, [text, ...tags.flat()])).toEqual([])
    await owner.page.getByText("scroll in the frame to read all of it").waitFor()
    expectQuiet()
    await app.close()
  })

  it("is told apart from what was signed before", { timeout: 120_000 }, async () => {
    const [first = [], second = []] = [0, 1].map((rest) => payloads.filter(({ id }) => id % 40 === rest))
    for (const [n, { text }] of first.entries()) {
      const app = await openHostile(bench, "an editor", "sign_event:30023")
      const article = (content: string): EventTemplate => ({
        kind: 30023,
        content,
        tags: [
          ["d", `article ${n}`],
          ["title", content],
        ],
        created_at: Math.floor(Date.now() / 1000) + (content === text ? 0 : 1),
      })
      const next = `${text.slice(0, 40)} ${second[n]?.text}`
      await app.signer.signEvent(article(text))
      await callOwner(bench.folders, "apps.ungrant", { id: app.id, what: "sign_event:30023" })
      const url = await app.ask((signer) => signer.signEvent(article(next)))
      for (const [lost, whole] of [
        ["ins", text],
        ["del", next],
      ] as const) {
        await owner.page.goto(url)
        const region = owner.page.getByRole("region", { name: "What changes" })
        await region.waitFor()
        expect(await flawsOf(owner, [text, next])).toEqual([])
        // What is left of the comparison, and of nothing else that could hold the same.
        await region.evaluate((changes, name) => {
          for (const element of document.querySelectorAll("main > *")) if (element !== changes) element.remove()
          for (const element of changes.querySelectorAll(`${name}, ol`)) element.remove()
        }, lost)
        expect({ lost, flaws: await flawsOf(owner, [whole]) }).toEqual({ lost, flaws: [] })
      }
      await app.close()
    }
    expect(first.length).toBeGreaterThan(10)
    expectQuiet()
  })

  interface Asked {
    readonly payload: Payload
    readonly app: HostileApp
    readonly template: EventTemplate
    readonly toSign: string
    /** To encrypt, or by turns to decrypt. */
    readonly toSeal: string
    readonly sealHeading: string
  }

  async function askForBoth(payload: Payload): Promise<Asked> {
    const { text, id } = payload
    const app = await (id % 2 === 0 ? openHostile : openHostileByToken)(bench, text)
    const template = templateOf(payload)
    const toSign = await app.ask((signer) => signer.signEvent(template))
    // What is to be decrypted is not looked into before that is allowed: it may be anything.
    const isRead = id % 4 > 1
    const toSeal = await app.ask((signer) =>
      isRead ? signer.nip44Decrypt(FRIEND, text) : signer.nip44Encrypt(FRIEND, text),
    )
    return { payload, app, template, toSign, toSeal, sealHeading: `What would be ${isRead ? "opened" : "encrypted"}` }
  }
})

/** By turns a note, a profile and an article: words as they are, JSON, and a kind of which relays keep one. */
function templateOf({ id, text }: Payload): EventTemplate {
  const kind = [1, 0, 30023][id % 3] as number
  return {
    kind,
    content: kind === 0 ? JSON.stringify({ name: text, about: text }) : text,
    tags: [
      ["t", text],
      [text, "value", text],
      ["p", FRIEND, text],
    ],
    created_at: Math.floor(Date.now() / 1000),
  }
}

/** Never through the middle of a character. */
function cut(text: string, chars: number): string {
  return text.slice(0, chars).replace(/[\ud800-\udbff]$/, "")
}
