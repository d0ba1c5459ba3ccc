import { type Event, getPublicKey, verifyEvent } from "nostr-tools/pure"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { RequestDetail, RequestSummary } from "../src/channel/owner-calls.js"
import {
  type Bunker,
  type Folders,
  kill,
  makeFolders,
  pidOf,
  runCli,
  runJson,
  startBunker,
  until,
} from "./support/bunker.js"
import { filesOf, findNeedles, textNeedles } from "./support/canaries.js"
import { LINUX, titled } from "./support/needs.js"
import { openApp, refusal } from "./support/nostr-tools.js"

/** Through the running bunker: an app that nobody here wrote, its owner at a terminal. */
describe("an app whose owner is asked", () => {
  let folders: Folders
  let bunker: Bunker
  const apps: { close(): Promise<void> }[] = []
  beforeAll(async () => {
    folders = makeFolders()
    bunker = await startBunker(folders)
  })
  afterAll(async () => {
    for (const app of apps) await app.close()
    expect(await bunker.stop()).toBe(0)
    folders.remove()
  })

  const asking = async (perms = "sign_event:7") => {
    const { uri } = await runJson<{ uri: string }>(folders, ["pair", "--no-wait", "--style", "hold", "--perms", perms])
    const app = await openApp(uri)
    apps.push(app)
    await app.signer.connect()
    return app
  }
  const list = async (): Promise<RequestSummary[]> => {
    const { requests } = await runJson<{ requests: RequestSummary[] }>(folders, ["requests", "list"])
    return requests.filter(({ state }) => state === "pending")
  }
  const waiting = async (count = 1): Promise<RequestSummary[]> => {
    let found: RequestSummary[] = []
    await until(async () => {
      found = await list()
      return found.reduce((sum, request) => sum + request.count, 0) >= count
    })
    return found
  }
  const template = (content: string, fields: object = {}) => ({
    kind: 1,
    content,
    tags: [],
    created_at: Math.floor(Date.now() / 1000),
    ...fields,
  })
  const run = (...args: string[]) => runCli(folders, ["requests", ...args, "--data-dir", folders.data])

  it("has what the owner was shown and approved, on the promise that waited", { timeout: 60_000 }, async () => {
    const app = await asking()
    const promise = app.signer.signEvent(template("hello\nworld \u202e\u0007 \\u{7}", { tags: [["t", "x\u0000"]] }))
    const [request] = await waiting()
    expect(request).toMatchObject({ method: "sign_event", param: "1", key: "default", state: "pending" })
    const { stdout } = await run("show", request!.id.slice(0, 6))
    expect(stdout).toContain("wants           to sign notes (kind 1)\n")
    expect(stdout).toContain('tag             "t" "x\\u{0}"\n')
    expect(stdout).toContain("content         | hello\n                | world \\u{202e}\\u{7} \\\\u{7}\n")
    const shown = await runJson<RequestDetail>(folders, ["requests", "show", request!.id])
    expect((await run("approve", request!.id)).stdout).toMatch(/\nApproved\.\n$/)
    const event = (await promise) as Event
    expect(verifyEvent(event)).toBe(true)
    expect(event.id).toBe(shown.digest)
    expect(event.pubkey).toBe(bunker.ready.userPubkey)
    expect((await run("approve", request!.id)).stderr).toContain("no request that waits has the id")
  })

  it("is shown whole, whatever its date", { timeout: 60_000 }, async () => {
    const app = await asking()
    const promise = refusal(app.signer.signEvent(template("far away", { created_at: 99_999_999_999_999 })))
    const [request] = await waiting()
    const { code, stdout } = await run("show", request!.id)
    expect([code, stdout]).toEqual([0, expect.stringContaining("second 99999999999999 since 1970, which is far from")])
    expect(stdout).toContain("content         | far away\n")
    await run("deny", request!.id)
    expect(await promise).toBe("the owner denied this")
  })

  it("is refused what the owner denies, and at once what the owner blocks", { timeout: 60_000 }, async () => {
    const app = await asking()
    const denied = refusal(app.signer.signEvent(template("a")))
    const [first] = await waiting()
    expect((await run("deny", first!.id)).stdout).toMatch(/\nDenied\.\n$/)
    expect(await denied).toBe("the owner denied this")
    const blocked = refusal(app.signer.signEvent(template("b")))
    const [second] = await waiting()
    await run("deny", second!.id, "--block")
    expect(await blocked).toBe("the owner denied this")
    expect(await refusal(app.signer.signEvent(template("c")))).toContain("the owner denies signing kind 1")
    expect(await list()).toEqual([])
  })

  it("is asked for no more once the owner said always, and what waits goes with it", { timeout: 60_000 }, async () => {
    const app = await asking("")
    const promises = [1, 2, 3].map((n) => app.signer.signEvent(template(`note ${n}`)))
    const requests = await waiting(3)
    expect(requests).toMatchObject([{ count: 3 }])
    const { stdout } = await run("approve", requests[0]!.id, "--always")
    expect(stdout).toMatch(/\nApproved\.\nFrom now on it may sign notes \(kind 1\)\.\n$/)
    expect((await Promise.all(promises)).every((event) => verifyEvent(event as Event))).toBe(true)
    await app.signer.signEvent(template("note 4"))
    const other = getPublicKey(app.secretKey)
    const sealed = refusal(app.signer.nip44Encrypt(other, "x"))
    // Its own key is nobody to write to, whoever decides.
    expect(await sealed).toContain("a transport key is not somebody to write to")
  })

  it("is shown with what it would change of the last one of its kind", { timeout: 60_000 }, async () => {
    const app = await asking()
    const at = Math.floor(Date.now() / 1000)
    const follows = Array.from({ length: 40 }, (_, n) => ["p", `follow-${n}`])
    const profile = (fields: object) => template(JSON.stringify(fields), { kind: 0 })
    const signed = async (event: ReturnType<typeof template>): Promise<void> => {
      const promise = app.signer.signEvent(event)
      const [request] = await waiting()
      const { stdout } = await run("approve", request!.id)
      expect(stdout).not.toContain("replaces")
      await promise
    }
    await signed(profile({ name: "canary-of-a-profile", lud16: "ann@bank.example", about: "hello" }))
    await signed(template("", { kind: 3, tags: follows, created_at: at - 60 }))

    const other = refusal(
      app.signer.signEvent(profile({ about: "hello", name: "canary-of-a-profile", lud16: "eve@bank.example" })),
    )
    const [request] = await waiting()
    const { stdout } = await run("show", request!.id)
    expect(stdout).toMatch(/\nreplaces {8}the one dated .*, the last that was signed here\n/)
    expect(stdout).toContain("\nchanges         changes the content\n")
    expect(stdout).toContain('\n  - content     |   "lud16": "ann@bank.example",\n')
    expect(stdout).toContain('\n  + content     |   "lud16": "eve@bank.example",\n')
    // The whole of what would be signed comes after it, as ever.
    expect(stdout).toMatch(
      /\ncontent {9}\| \{"about":"hello","name":"canary-of-a-profile","lud16":"eve@bank\.example"\}\n$/,
    )
    const { asks } = await runJson<RequestDetail>(folders, ["requests", "show", request!.id])
    expect(asks).toMatchObject({ previous: { tags: [], content: expect.stringContaining("ann@bank.example") } })
    await run("deny", request!.id)
    expect(await other).toBe("the owner denied this")

    const fewer = refusal(app.signer.signEvent(template("", { kind: 3, tags: [...follows.slice(38), ["p", "new"]] })))
    const [unfollow] = await waiting()
    const shown = await run("show", unfollow!.id)
    expect(shown.stdout).toContain("\nchanges         removes 38 of 40 tags, adds 1 tag\n")
    expect(shown.stdout).toContain('\n  - tag         "p" "follow-0"\n')
    expect(shown.stdout).toContain("\n                and 18 more; --json has all of it\n")
    expect(shown.stdout).toContain('\n  + tag         "p" "new"\n')
    expect(shown.stdout).toMatch(
      /\ntag {13}"p" "follow-38"\ntag {13}"p" "follow-39"\ntag {13}"p" "new"\ncontent {9}\(empty\)\n$/,
    )
    await run("deny", unfollow!.id)
    await fewer

    // What was signed lies in the record, and not to be read there.
    const needles = textNeedles("profile", "canary-of-a-profile")
    expect(findNeedles(filesOf(folders.data), needles)).toEqual([])
  })

  it.skipIf(!LINUX.isHere)(titled("waits through the death of keyd", LINUX), { timeout: 60_000 }, async () => {
    const app = await asking()
    const promise = app.signer.signEvent(template("through a restart"))
    const [request] = await waiting()
    kill(pidOf(bunker.process, "keyd") as number)
    await until(async () => (await run("approve", request!.id)).code === 0)
    expect(verifyEvent((await promise) as Event)).toBe(true)
  })
})
