import { type Event, type EventTemplate, verifyEvent } from "nostr-tools/pure"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { kill, pidOf, runJson, until } from "../support/bunker.js"
import { CHROMIUM, LINUX, titled } from "../support/needs.js"
import { openApp, refusal } from "../support/nostr-tools.js"
import { callOwner } from "../support/owner.js"
import { readAudit } from "../support/record.js"
import type { Authenticator } from "./support/authenticator.js"
import { type OwnerBench, startOwnerBench, visitAsOwner, wordsOf } from "./support/owner-bench.js"
import { decideOn, signInByPasskey } from "./support/owner-page.js"
import type { Watched } from "./support/watched.js"

/** An app that nobody here wrote asks, and its owner decides on the page that the app was sent to. */
describe.skipIf(!CHROMIUM.isHere)(titled("a request that an owner decides in a browser", CHROMIUM), () => {
  let bench: OwnerBench
  let owner: Watched & { readonly authenticator: Authenticator }
  const apps: { close(): Promise<void> }[] = []
  beforeAll(async () => {
    bench = await startOwnerBench()
    owner = await visitAsOwner(bench)
  }, 60_000)
  afterAll(async () => {
    for (const app of apps) await app.close()
    expect(owner.of("error", "violation", "request", "navigation", "dialog", "executed")).toEqual([])
    expect(bench.chromium.outside.asked).toEqual([])
    await bench.close()
  })

  async function openAsking(perms = "sign_event:7") {
    const args = ["pair", "--no-wait", "--style", "auth_url", "--perms", perms]
    const { id, uri } = await runJson<{ id: string; uri: string }>(bench.folders, args)
    const urls: string[] = []
    const app = await openApp(uri, { onauth: (url) => void urls.push(url) })
    apps.push(app)
    await app.signer.connect({ name: "Notes of others", url: "https://notes.example" })
    let opened = 0
    /** The page to open for each request in turn. */
    const page = async (): Promise<string> => {
      await until(() => urls.length > opened, { what: "a page to open" })
      return urls[opened++] as string
    }
    return { id, signer: app.signer, urls, page }
  }

  const note = (content: string, fields: Partial<EventTemplate> = {}): EventTemplate => ({
    kind: 1,
    content,
    tags: [["t", "casemate"]],
    created_at: Math.floor(Date.now() / 1000),
    ...fields,
  })
  /** By anybody, which takes keyd. */
  const isAnswered = async (): Promise<boolean> => {
    const { origin } = bench
    return (await fetch(`${origin}/api/v1/session/passkey/options`, { method: "POST", headers: { origin } })).ok
  }
  const rows = (id: string): [string, string][] =>
    readAudit(bench.folders)
      .filter((row) => row.connection_id === id && row.action.startsWith("owner."))
      .map(({ actor, action }) => [actor, action])

  it("is signed as it was shown, for the promise that waited", { timeout: 60_000 }, async () => {
    const app = await openAsking()
    const template = note("hello from elsewhere\n  <b>in two lines</b>")
    const promise = app.signer.signEvent(template)
    await owner.page.goto(await app.page())
    await owner.page.getByRole("heading", { name: "What would be signed" }).waitFor()
    await owner.page.getByText("https://notes.example").waitFor()
    const words = await wordsOf(owner.page)
    expect(words).toContain("Notes of others")
    expect(words).toContain("hello from elsewhere\n  <b>in two lines</b>")
    await decideOn(owner.page, "Approve once")
    const event = (await promise) as Event
    expect(event).toMatchObject({ ...template, pubkey: bench.bunker.ready.userPubkey })
    expect(verifyEvent({ ...event })).toBe(true)
    expect(app.urls).toHaveLength(1)
    expect(rows(app.id).at(-1)).toEqual([expect.stringContaining("ada"), "owner.approve"])
  })

  it("is decided by who signs in on the app's own link", { timeout: 60_000 }, async () => {
    const app = await openAsking()
    const promise = app.signer.signEvent(note("first sign in"))
    const phone = await visitAsOwner(bench, "ben")
    await phone.context.clearCookies()
    await phone.page.goto(await app.page())
    expect(await wordsOf(phone.page)).not.toContain("first sign in")
    await signInByPasskey(phone.page)
    await phone.page.getByText("first sign in").waitFor()
    await decideOn(phone.page, "Approve once")
    expect(verifyEvent((await promise) as Event)).toBe(true)
    expect(rows(app.id).at(-1)).toEqual([expect.stringContaining("ben"), "owner.approve"])
    await phone.context.close()
  })

  it("is refused when it is denied, and at once when it is blocked", { timeout: 60_000 }, async () => {
    const app = await openAsking()
    const denied = refusal(app.signer.signEvent(note("no")))
    await owner.page.goto(await app.page())
    await decideOn(owner.page, "Deny")
    expect(await denied).toBe("the owner denied this")
    const blocked = refusal(app.signer.signEvent(note("never")))
    await owner.page.goto(await app.page())
    await decideOn(owner.page, "Deny and block")
    expect(await blocked).toBe("the owner denied this")
    expect(await refusal(app.signer.signEvent(note("never, again")))).toContain("the owner denies signing kind 1")
    expect(app.urls).toHaveLength(2)
  })

  it("is asked no more for an hour, or for good; what waits goes with it", { timeout: 60_000 }, async () => {
    for (const choice of ["For 1 hour", "Always"] as const) {
      const app = await openAsking()
      const first = app.signer.signEvent(note(`${choice}, first`))
      const url = await app.page()
      const second = app.signer.signEvent(note(`${choice}, second`))
      await app.page()
      await owner.page.goto(url)
      const start = Math.floor(Date.now() / 1000)
      await decideOn(owner.page, choice)
      for (const promise of [first, second, app.signer.signEvent(note(`${choice}, third`))])
        expect(verifyEvent((await promise) as Event)).toBe(true)
      expect(app.urls).toHaveLength(2)
      const { grants } = await callOwner(bench.folders, "apps.show", { id: app.id })
      const { expiresAt } = grants.find(({ param }) => param === "1") ?? {}
      if (choice === "Always") expect(expiresAt).toBeUndefined()
      else expect([3_600, 3_601, 3_602, 3_603]).toContain((expiresAt as number) - start)
    }
  })

  it("needs the owner's finger once more where it would last and is sensitive", { timeout: 60_000 }, async () => {
    const app = await openAsking()
    const promise = app.signer.signEvent(note("{}", { kind: 0, tags: [] }))
    await owner.page.goto(await app.page())
    await owner.page.bringToFront()
    await owner.authenticator.verifiesUser(false)
    await owner.page.getByRole("button", { name: "Always" }).click()
    await owner.page.getByRole("dialog").getByRole("button", { name: "Use a passkey" }).waitFor()
    await owner.page.getByRole("dialog").getByRole("alert").filter({ hasText: /\w/ }).first().waitFor()
    expect(rows(app.id)).not.toContainEqual([expect.anything(), "owner.approve"])
    await owner.authenticator.verifiesUser(true)
    await owner.page.getByRole("dialog").getByRole("button", { name: "Use a passkey" }).click()
    await owner.page.getByRole("heading", { name: "Approved." }).waitFor()
    expect(verifyEvent((await promise) as Event)).toBe(true)
  })

  it("shows what it would change of what was signed before", { timeout: 60_000 }, async () => {
    const app = await openAsking("sign_event:10002")
    await app.signer.signEvent(note("", { kind: 10002, tags: [["r", "wss://one.example"]] }))
    await callOwner(bench.folders, "apps.ungrant", { id: app.id, what: "sign_event:10002" })
    const tags = [["r", "wss://two.example"]]
    const promise = app.signer.signEvent(note("", { kind: 10002, tags }))
    await owner.page.goto(await app.page())
    const region = owner.page.getByRole("region", { name: "What changes" })
    expect(await region.getByRole("list", { name: "1 tag removed" }).innerText()).toContain("wss://one.example")
    expect(await region.getByRole("list", { name: "1 tag added" }).innerText()).toContain("wss://two.example")
    await decideOn(owner.page, "Approve once")
    expect(await promise).toMatchObject({ tags })
  })

  it("is listed while it waits, and is over when somebody else decided", { timeout: 60_000 }, async () => {
    const app = await openAsking()
    const promise = app.signer.signEvent(note("listed"))
    const url = await app.page()
    await owner.page.goto(`${bench.origin}/`)
    await owner.page.getByRole("link", { name: /Notes of others.*sign a note/ }).click()
    expect(owner.page.url()).toBe(url)
    await owner.page.getByText("listed").waitFor()
    await runJson(bench.folders, ["requests", "approve", url.slice(url.lastIndexOf("/") + 1)])
    expect(verifyEvent((await promise) as Event)).toBe(true)
    await owner.page.getByRole("heading", { name: "Nothing to decide here" }).waitFor()
    await owner.page.getByRole("link", { name: "See what waits" }).click()
    await owner.page.getByText("Nothing waits for you").waitFor()
  })

  it.skipIf(!LINUX.isHere)(
    titled("waits through the death of keyd, page and all", LINUX),
    { timeout: 60_000 },
    async () => {
      const app = await openAsking()
      const promise = app.signer.signEvent(note("through a restart"))
      await owner.page.goto(await app.page())
      await owner.page.getByText("through a restart").waitFor()
      kill(pidOf(bench.bunker.process, "keyd") as number)
      await until(isAnswered, { what: "a new keyd that the gateway has found" })
      await decideOn(owner.page, "Approve once")
      expect(verifyEvent((await promise) as Event)).toBe(true)
      expect(app.urls).toHaveLength(1)
    },
  )
})
