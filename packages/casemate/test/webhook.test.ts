import { readFileSync } from "node:fs"
import { afterEach, describe, expect, it } from "vitest"
import {
  type Bunker,
  type Folders,
  makeFolders,
  processesOf,
  runCli,
  runJson,
  startBunker,
  until,
} from "./support/bunker.js"
import { LINUX } from "./support/needs.js"
import { callOwner } from "./support/owner.js"
import { RawClient } from "./support/raw-client.js"
import { isGenuine, type Receiver, startReceiver } from "./support/receiver.js"

const TOKEN = "hush-2f6d1c"
const CONTENT = "canary-of-content-9c1b"
const NAME = "Canary Notes"

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

interface Setup {
  readonly folders: Folders
  readonly bunker: Bunker
  readonly receiver: Receiver
  readonly secret: string
  run(...args: string[]): ReturnType<typeof runCli>
}

async function setUp(...args: string[]): Promise<Setup> {
  const folders = makeFolders()
  cleanups.push(() => folders.remove())
  const receiver = await startReceiver(`/${TOKEN}?auth=${TOKEN}`)
  cleanups.push(() => receiver.close())
  const env = { ...folders.env, CASEMATE_WEBHOOK: receiver.url }
  const bunker = await startBunker({ ...folders, env }, ["--http", "localhost:0", ...args])
  cleanups.push(async () => expect(await bunker.stop()).toBe(0))
  const { secret } = await runJson<{ secret: string }>(folders, ["webhook", "secret"])
  const run = (...given: string[]) => runCli(folders, [...given, "--data-dir", folders.data])
  return { folders, bunker, receiver, secret, run }
}

/** An app that says its name, and whose owner is asked. */
async function openApp({ folders, bunker }: Pick<Setup, "folders" | "bunker">, style?: "hold"): Promise<RawClient> {
  const { uri, relays } = await callOwner(folders, "connections.offer", {
    ttl: 600,
    perms: "",
    ...(style && { style }),
  })
  // A relay at a public URL is this machine's, behind a web server that is not here.
  const here = `${bunker.ready.http.replace("http", "ws")}/relay`
  const app = new RawClient(
    relays.reduce((text, url) => text.replace(encodeURIComponent(url), encodeURIComponent(here)), uri),
  )
  cleanups.push(() => app.close())
  const metadata = JSON.stringify({ name: NAME })
  expect(await app.request("connect", [app.remoteSigner, app.secret, "", metadata])).toEqual({ result: "ack" })
  return app
}

const dataOf = (receiver: Receiver, n: number) =>
  (JSON.parse(receiver.notices[n]?.text ?? "{}") as { data: Record<string, unknown> }).data

describe("a webhook", () => {
  it("tells the owner that something waits, signed, and not what", { timeout: 60_000 }, async () => {
    const { folders, bunker, receiver, secret, run } = await setUp()
    const app = await openApp({ folders, bunker }, "hold")
    const answer = app.sign(CONTENT, { retryMs: 60_000 })
    await until(() => receiver.notices.length > 0)
    const [notice] = receiver.notices
    expect(notice?.path).toBe(`/${TOKEN}?auth=${TOKEN}`)
    expect(notice?.headers["content-type"]).toBe("application/json")
    expect(isGenuine(notice!, secret)).toBe(true)
    expect(isGenuine({ ...notice!, text: `${notice!.text} ` }, secret)).toBe(false)
    const { requests } = await callOwner(folders, "requests.list", {})
    expect(dataOf(receiver, 0)).toEqual({
      title: "A request waits for you",
      message: "Your bunker asks for a decision: casemate requests list",
      requestId: requests[0]?.id,
    })
    expect(notice?.text).not.toContain(CONTENT)
    expect(notice?.text).not.toContain(NAME)
    expect(notice?.text).not.toContain(app.pubkey)

    // Equal requests make no notice more, and one that is decided makes none.
    const again = app.sign(`${CONTENT} again`, { retryMs: 60_000 })
    await until(async () => (await callOwner(folders, "requests.list", {})).requests[0]?.count === 2)
    expect((await run("requests", "approve", requests[0]!.id, "--always")).code).toBe(0)
    expect(JSON.parse((await answer).result ?? "")).toMatchObject({ content: CONTENT })
    expect(JSON.parse((await again).result ?? "")).toMatchObject({ content: `${CONTENT} again` })

    expect(await run("webhook", "test")).toMatchObject({ code: 0, stdout: "The webhook took it.\n" })
    expect(receiver.notices).toHaveLength(2)
    expect(isGenuine(receiver.notices[1]!, secret)).toBe(true)
    expect(JSON.parse(receiver.notices[1]!.text)).toMatchObject({ type: "webhook.test" })

    receiver.status = 403
    const refused = await run("webhook", "test")
    expect([refused.code, refused.stdout]).toEqual([1, ""])
    expect(refused.stderr).toBe(
      `casemate: the webhook failed: ${new URL(receiver.url).host} did not take it: it answered 403\n`,
    )
    expect(bunker.log()).toContain("the webhook did not take a notice")
    expect(bunker.log()).not.toContain(TOKEN)
    if (!LINUX.isHere) return
    const lines = processesOf(bunker.process).map((pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8"))
    expect(lines).toHaveLength(3)
    expect(lines.join("\n")).not.toContain(TOKEN)
  })

  it("names the app and what it asks for where its owner wants that, and leads to the page", {
    timeout: 60_000,
  }, async () => {
    const { folders, bunker, receiver, secret } = await setUp(
      "--webhook-details",
      "--public-url",
      "https://bunker.example",
    )
    // Nobody chose its style: with a page that all can reach, it is sent there.
    const app = await openApp({ folders, bunker })
    const { url } = await challengeOf(app)
    await until(() => receiver.notices.length > 0)
    expect(isGenuine(receiver.notices[0]!, secret)).toBe(true)
    expect(dataOf(receiver, 0)).toMatchObject({ message: `“${NAME}” wants to sign notes (kind 1)`, url })
    expect(receiver.notices[0]?.text).not.toContain(CONTENT)
  })

  it("is none unless one is set, and says so", async () => {
    const folders = makeFolders()
    cleanups.push(() => folders.remove())
    const bunker = await startBunker(folders)
    cleanups.push(async () => expect(await bunker.stop()).toBe(0))
    const { code, stderr } = await runCli(folders, ["webhook", "test", "--data-dir", folders.data])
    expect([code, stderr]).toEqual([
      1,
      "casemate: no webhook is set; start the bunker with `casemate start --webhook` and a URL\n",
    ])
    // Without a public page an app whose style nobody chose is refused at once.
    const app = await openApp({ folders, bunker })
    expect((await app.sign(CONTENT)).error).toMatch(/not permitted/)
  })
})

/** The page to which an app is sent with what it asks for. */
async function challengeOf(app: RawClient): Promise<{ url: string }> {
  const { result, error = "" } = await app.sign(CONTENT, { retryMs: 60_000 })
  expect(result).toBeUndefined()
  expect(error).toMatch(/^https:\/\/bunker\.example\/requests\/[0-9a-f]{32}$/)
  return { url: error }
}
