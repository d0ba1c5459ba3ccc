import { once } from "node:events"
import { afterEach, describe, expect, it } from "vitest"
import { WebSocket } from "ws"
import { kill, makeFolders, pidOf, processesNaming, startBunker, until } from "./support/bunker.js"
import { callOwner } from "./support/owner.js"
import { RawClient, template } from "./support/raw-client.js"

/** What the README promises of a stop. */
const STOP_MS = 5_000
const APPS = 4
/** So seldom that a slow machine, without a fast curve, has answered all that was taken within the time of a stop. */
const EVERY_MS = 40

const isLinux = process.platform === "linux"
const cleanups: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** Goes on asking, each thing once, whatever happens. */
function keepAsking(app: RawClient): void {
  let n = 0
  const timer = setInterval(() => {
    const id = `ask ${n++}`
    app.publish(app.seal(JSON.stringify({ id, method: "sign_event", params: [template(id)] }), id))
  }, EVERY_MS)
  cleanups.push(() => clearInterval(timer))
}

/** The HTTP status of an upgrade that was refused. */
async function statusOfUpgrade(url: string): Promise<number | undefined> {
  const socket = new WebSocket(url)
  cleanups.push(() => socket.terminate())
  socket.on("error", () => undefined)
  const [, response] = await once(socket, "unexpected-response")
  return response.statusCode
}

describe.skipIf(!isLinux)(isLinux ? "a stop" : "skipped, it reads /proc: a stop", () => {
  it("answers every request that the built-in relay took, and takes none that nobody would answer", async () => {
    const folders = makeFolders()
    cleanups.push(() => {
      for (const pid of processesNaming(folders.data)) kill(pid)
      folders.remove()
    })
    const bunker = await startBunker(folders)
    const [relay] = bunker.ready.relays
    const tokens = [bunker.ready.bunker]
    while (tokens.length < APPS) tokens.push((await callOwner(folders, "connections.offer", { ttl: 60 })).uri)
    const apps = tokens.map((token) => new RawClient(token))
    for (const app of apps) cleanups.push(() => app.close())
    for (const app of apps) expect(await app.connect()).toEqual({ result: "ack" })
    for (const app of apps) keepAsking(app)
    await until(() => apps.every(({ replies }) => replies.size > 5))

    // While keyd stands still the gateway cannot finish, so what it says meanwhile can be seen.
    const keyd = pidOf(bunker.process, "keyd") as number
    process.kill(keyd, "SIGSTOP")
    const toldAt = Date.now()
    const exited = bunker.stop()
    await until(() => apps.every(({ refused }) => refused.size > 5), { deadlineMs: 2_000, what: "a refusal" })
    const takenBefore = apps.map(({ taken }) => taken.size)
    expect(await statusOfUpgrade(relay as string)).toBe(503)
    process.kill(keyd, "SIGCONT")
    expect(await exited).toBe(0)
    expect(Date.now() - toldAt).toBeLessThan(STOP_MS)

    expect(apps.map(({ taken }) => taken.size)).toEqual(takenBefore)
    for (const { sent, taken, refused, replies } of apps) {
      expect(taken.size).toBeGreaterThan(5)
      expect(new Set(refused.values())).toEqual(new Set(["error: shutting down"]))
      for (const id of taken) {
        const { requestId = "" } = sent.get(id) ?? {}
        expect([requestId, replies.get(requestId)?.length]).toEqual([requestId, 1])
      }
    }
  })
})
