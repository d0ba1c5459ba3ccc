import { type EventTemplate, generateSecretKey, getPublicKey } from "nostr-tools/pure"
import type { Page } from "playwright-core"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { until } from "../support/bunker.js"
import { CHROMIUM, titled } from "../support/needs.js"
import { openApp } from "../support/nostr-tools.js"
import { callOwner } from "../support/owner.js"
import { createRandom } from "../support/random.js"
import { type OwnerBench, startOwnerBench, visitAsOwner } from "./support/owner-bench.js"
import { createPayloads, type Payload } from "./support/payloads/payloads.js"
import { readShown } from "./support/shown.js"
import type { Watched } from "./support/watched.js"

/** An app for each payload, which says it of itself and asks for it to be signed and to be encrypted. */
const ALL = 500
/** Two requests of each app wait, and so many of all: 100 for one key. */
const AT_ONCE = 50
const seed = 5
/** As long as the bunker keeps of what an app says of itself. */
const NAME_CHARS = 128
const FRIEND = getPublicKey(generateSecretKey())

const batches = Array.from({ length: ALL / AT_ONCE }, (_, n) => n)

/** THREATS: 500 payloads in a real browser, 0 executions; and invariant 10: what is shown is what is signed. */
describe.skipIf(!CHROMIUM.isHere)(titled("what a hostile app writes", CHROMIUM), () => {
  const payloads = createPayloads(ALL, createRandom(seed))
  let bench: OwnerBench
  let owner: Watched
  let shownOnes = 0
  beforeAll(async () => {
    bench = await startOwnerBench()
    owner = await visitAsOwner(bench)
  }, 60_000)
  afterAll(() => bench.close())

  it.each(batches)("is shown whole, and is nothing but text: batch %i", { timeout: 120_000 }, async (batch) => {
    const apps = await Promise.all(payloads.slice(batch * AT_ONCE, (batch + 1) * AT_ONCE).map((each) => ask(each)))
    try {
      const list = await read(owner.page, `${bench.origin}/requests`, "Waiting for you")
      for (const { payload } of apps) expectShown(list, nameOf(payload), payload)
      for (const { payload, urls } of apps) {
        const [event, text] = urls as [string, string]
        const signing = await read(owner.page, event, "What would be signed")
        expectShown(signing, nameOf(payload), payload)
        expectShown(signing, urlOf(payload), payload)
        for (const value of valuesOf(templateOf(payload))) expectShown(signing, value, payload)
        const encrypting = await read(owner.page, text, "What would be encrypted")
        expectShown(encrypting, payload.text, payload)
        shownOnes += 1
      }
    } finally {
      for (const { id, close } of apps) {
        await callOwner(bench.folders, "apps.revoke", { id })
        await close()
      }
    }
    expect(owner.incidents).toEqual([])
    expect(bench.chromium.outside.asked).toEqual([])
  })

  it("was all of it shown", () => {
    expect(shownOnes).toBe(ALL)
  })

  interface HostileApp {
    readonly payload: Payload
    readonly id: string
    /** Where its requests are decided: to sign, and to encrypt. */
    readonly urls: readonly string[]
    close(): Promise<void>
  }

  async function ask(payload: Payload): Promise<HostileApp> {
    const { folders } = bench
    const { id, uri } = await callOwner(folders, "connections.offer", { perms: "", ttl: 600, style: "auth_url" })
    const urls: string[] = []
    const { signer, pointer, close } = await openApp(uri, { onauth: (url) => void urls.push(url) })
    const { text } = payload
    const app = JSON.stringify({ name: text, url: text, image: text, icon: text, description: text })
    await signer.sendRequest("connect", [pointer.pubkey, pointer.secret ?? "", text, app])
    // One after the other: which URL is whose is not said.
    for (const [n, asking] of [
      () => signer.signEvent(templateOf(payload)),
      () => signer.nip44Encrypt(FRIEND, text),
    ].entries()) {
      const refused: unknown[] = []
      asking().catch((error: unknown) => refused.push(error))
      await until(() => urls.length > n || refused.length > 0, { what: `a page for payload ${payload.id}` })
      if (urls.length === n) throw new Error(`payload ${payload.id} was refused: ${String(refused[0])}`)
    }
    return { payload, id, urls, close }
  }

  async function read(page: Page, url: string, heading: string): Promise<string> {
    await page.goto(url)
    await page.getByRole("heading", { name: heading }).waitFor()
    if (heading !== "Waiting for you") await page.getByText("Nobody checked them").waitFor()
    else await page.getByRole("listitem").first().waitFor()
    const { text, raw, hidden, foreign } = await readShown(page)
    expect({ url, raw, hidden, foreign }).toEqual({ url, raw: [], hidden: [], foreign: [] })
    return text
  }
})

function expectShown(shown: string, wanted: string, { id, group }: Payload): void {
  if (!shown.includes(wanted)) expect(shown, `payload ${id} (${group}) is not shown whole`).toContain(wanted)
}

/** By turns a note, a profile and an article: words as they are, JSON, and a kind of which relays keep one. */
function templateOf({ id, text }: Payload): EventTemplate {
  const created_at = Math.floor(Date.now() / 1000)
  const tags = [
    ["t", text],
    [text, "value", text],
    ["p", FRIEND, text],
  ]
  const kind = [1, 0, 30023][id % 3] as number
  return { kind, content: kind === 0 ? JSON.stringify({ name: text, about: text }) : text, tags, created_at }
}

function valuesOf({ content, tags }: EventTemplate): string[] {
  return [content, ...tags.flat()]
}

function nameOf({ text }: Payload): string {
  return cut(text, NAME_CHARS)
}

function urlOf({ text }: Payload): string {
  return cut(text, 1_024)
}

/** Never through the middle of a character. */
function cut(text: string, chars: number): string {
  return text.slice(0, chars).replace(/[\ud800-\udbff]$/, "")
}
