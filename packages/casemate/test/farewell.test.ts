import { join } from "node:path"
import BetterSqlite from "better-sqlite3"
import { afterEach, expect, it } from "vitest"
import { RECORD_FILE } from "../src/config/folders.js"
import { type Bunker, type Folders, makeFolders, startBunker, until } from "./support/bunker.js"
import { callOwner } from "./support/owner.js"
import { RawClient } from "./support/raw-client.js"

const HOUR = 3_600

const cleanups: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** A bunker that is where it was after each of its restarts. */
class Restartable {
  readonly folders: Folders
  #bunker: Bunker | undefined
  #port = "0"

  constructor() {
    this.folders = makeFolders()
    cleanups.push(() => this.folders.remove())
  }

  async start(): Promise<void> {
    const bunker = await startBunker(this.folders, ["--http", `localhost:${this.#port}`])
    cleanups.push(() => bunker.stop())
    this.#bunker = bunker
    this.#port = new URL(bunker.ready.http).port
  }

  async stop(): Promise<void> {
    expect(await this.#bunker?.stop()).toBe(0)
  }

  /** Hours go by while it is stopped. */
  async sleep(hours: number): Promise<void> {
    await this.stop()
    const db = new BetterSqlite(join(this.folders.data, RECORD_FILE))
    for (const column of ["created_at", "last_used_at", "ended_at", "secret_expires_at"])
      db.prepare(`UPDATE connection SET ${column} = ${column} - ?`).run(hours * HOUR)
    db.close()
    await this.start()
  }

  async pair(ttl: number): Promise<RawClient> {
    const app = new RawClient((await callOwner(this.folders, "connections.offer", { ttl })).uri)
    cleanups.push(() => app.close())
    return app
  }
}

/** Nothing comes for a request that the relay had taken before another app was answered: the pipe keeps the order. */
async function expectSilence(bunker: Restartable, app: RawClient): Promise<void> {
  await app.ready()
  const event = app.seal(JSON.stringify({ id: "late", method: "ping", params: [] }), "late")
  app.publish(event)
  await until(() => app.taken.has(event.id))
  const other = await bunker.pair(600)
  expect(await other.connect()).toEqual({ result: "ack" })
  expect(app.replies.get("late")).toBeUndefined()
}

it("an app with an expired token is told so for a day, restarts or not", { timeout: 60_000 }, async () => {
  const bunker = new Restartable()
  await bunker.start()
  const app = await bunker.pair(HOUR)
  const told = { error: expect.stringMatching(/^this connection token has expired/) }
  await bunker.sleep(2)
  expect(await app.connect()).toEqual(told)
  await bunker.sleep(22)
  expect(await app.connect()).toEqual(told)
  await bunker.sleep(2)
  await expectSilence(bunker, app)
})

it("an app that was revoked is told so for a day from then on, however long it was away", {
  timeout: 60_000,
}, async () => {
  const bunker = new Restartable()
  await bunker.start()
  const app = await bunker.pair(HOUR)
  expect(await app.connect()).toEqual({ result: "ack" })
  await bunker.sleep(30 * 24)
  const [connection] = (await callOwner(bunker.folders, "apps.list", {})).filter(({ status }) => status === "active")
  await callOwner(bunker.folders, "apps.revoke", { id: connection?.id ?? "" })
  const told = { error: expect.stringMatching(/^this connection was revoked/) }
  expect(await app.request("ping", [])).toEqual(told)
  await bunker.sleep(23)
  expect(await app.request("ping", [])).toEqual(told)
  await bunker.sleep(2)
  await expectSilence(bunker, app)
})
