import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { runJson } from "../support/bunker.js"
import { CHROMIUM, titled } from "../support/needs.js"
import { Authenticator } from "./support/authenticator.js"
import { type OwnerBench, startOwnerBench } from "./support/owner-bench.js"
import {
  codeOf,
  joinByPasskey,
  joinByPassword,
  signInByPasskey,
  signInByPassword,
  signInByRecoveryCode,
} from "./support/owner-page.js"
import type { Watched } from "./support/watched.js"

/** How people become owners and come back, in a real browser. */
describe.skipIf(!CHROMIUM.isHere)(titled("an owner in a browser", CHROMIUM), () => {
  let bench: OwnerBench
  const visitors: Watched[] = []
  beforeAll(async () => {
    bench = await startOwnerBench()
  }, 60_000)
  afterEach(async () => {
    for (const { context, of } of visitors.splice(0)) {
      expect(of("error", "violation", "request", "navigation", "dialog", "executed")).toEqual([])
      await context.close()
    }
  })
  afterAll(async () => {
    expect(bench.chromium.outside.asked).toEqual([])
    await bench.close()
  })

  async function visit(): Promise<Watched> {
    const watched = await bench.visit()
    visitors.push(watched)
    return watched
  }

  async function isRefused({ page }: Watched): Promise<void> {
    await page.getByRole("alert").filter({ hasText: /\w/ }).waitFor()
    expect(await page.getByRole("heading").allInnerTexts()).toEqual(["Sign in"])
  }

  it("joins by the link with a passkey, and signs in with it elsewhere", { timeout: 60_000 }, async () => {
    const first = await visit()
    const authenticator = await Authenticator.add(first.page)
    const link = await bench.invite()
    expect(link).toMatch(new RegExp(`^${bench.origin}/join#[\\w-]{22,}$`))
    const codes = await joinByPasskey(first.page, link, "ada")
    expect(new Set(codes).size).toBeGreaterThanOrEqual(8)
    await first.page.getByText("Nothing waits for you").waitFor()
    expect(await runJson(bench.folders, ["owner", "list"])).toMatchObject([
      { name: "ada", passkeys: 1, hasPassword: false, sessions: 1 },
    ])

    const second = await visit()
    await Authenticator.add(second.page, await authenticator.passkeys())
    await second.page.goto(`${bench.origin}/requests`)
    await signInByPasskey(second.page)
    await second.page.getByRole("heading", { name: "Waiting for you" }).waitFor()
    await second.page.getByRole("link", { name: "Account" }).click()
    await second.page.getByRole("heading", { name: "ada" }).waitFor()
    await second.page.getByRole("button", { name: "Sign out", exact: true }).click()
    await second.page.getByRole("button", { name: "Sign in with a passkey" }).waitFor()
    await second.page.goto(`${bench.origin}/account`)
    await second.page.getByRole("button", { name: "Sign in with a passkey" }).waitFor()
  })

  it("opens a link once", async () => {
    const { page } = await visit()
    const link = await bench.invite()
    await Authenticator.add(page)
    await joinByPasskey(page, link, "brigitte")
    const other = await visit()
    await other.page.goto(link)
    await other.page.getByRole("heading", { name: "This link does not work any more" }).waitFor()
  })

  it("is nobody with another passkey, nor with another finger", async () => {
    const first = await visit()
    const own = await Authenticator.add(first.page)
    await joinByPasskey(first.page, await bench.invite(), "chris")
    const passkeys = await own.passkeys()

    const thief = await visit()
    const stolen = await Authenticator.add(thief.page, passkeys)
    await stolen.verifiesUser(false)
    await thief.page.goto(`${bench.origin}/requests`)
    await signInByPasskey(thief.page)
    await isRefused(thief)

    const stranger = await visit()
    await Authenticator.add(stranger.page)
    await stranger.page.goto(`${bench.origin}/requests`)
    await signInByPasskey(stranger.page)
    await isRefused(stranger)
  })

  it("joins and signs in with a password and codes, each code once", { timeout: 60_000 }, async () => {
    const first = await visit()
    const owner = await joinByPassword(first.page, await bench.invite(), "dora", "correct horse battery")
    const second = await visit()
    await second.page.goto(`${bench.origin}/requests`)
    const { page } = second
    await signInByPassword(page, { ...owner, password: "incorrect horse battery" }, codeOf(owner.secret, "next"))
    await isRefused(second)
    await page.reload()
    await signInByPassword(page, owner, "000000")
    await isRefused(second)
    await page.reload()
    const code = codeOf(owner.secret, "next")
    await signInByPassword(page, owner, code)
    await page.getByRole("heading", { name: "Waiting for you" }).waitFor()

    const third = await visit()
    await third.page.goto(`${bench.origin}/requests`)
    await signInByPassword(third.page, owner, code)
    await isRefused(third)
    await third.page.reload()
    await signInByRecoveryCode(third.page, owner.name, owner.codes[0] ?? "")
    await third.page.getByRole("heading", { name: "Waiting for you" }).waitFor()
    expect(await runJson(bench.folders, ["owner", "list"])).toContainEqual(
      expect.objectContaining({ name: "dora", hasPassword: true, recoveryCodesLeft: owner.codes.length - 1 }),
    )
  })

  it("is led back to the page that was opened, and a link cannot lead it elsewhere", async () => {
    const { page } = await visit()
    const owner = await joinByPassword(page, await bench.invite(), "emil", "correct horse battery")
    const back = await visit()
    for (const [path, then] of [
      ["/account", "/account"],
      ["/sign-in?next=//out.example/", "/requests"],
      ["/sign-in?next=javascript:__ran(1)", "/requests"],
      ["/sign-in?next=%5C%5Cout.example", "/requests"],
    ] as const) {
      await back.context.clearCookies()
      await back.page.goto(`${bench.origin}/sign-in`)
      await back.page.evaluate(() => localStorage.clear())
      await back.page.goto(`${bench.origin}${path}`)
      const code = owner.codes[["/account", "//out", "javascript", "%5C"].findIndex((part) => path.includes(part))]
      await signInByRecoveryCode(back.page, owner.name, code ?? "")
      await back.page.getByRole("heading", { name: then === "/account" ? "emil" : "Waiting for you" }).waitFor()
      expect(back.page.url()).toBe(`${bench.origin}${then}`)
    }
  })
})
