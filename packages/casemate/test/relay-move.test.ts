import { RemoteSigner, type Session } from "@casemate/nip46/client"
import { afterEach, expect, it } from "vitest"
import { WebSocket } from "ws"
import { type Bunker, type Folders, makeFolders, runJson, startBunker, until } from "./support/bunker.js"
import { type NaiveRelay, startNaiveRelay } from "./support/naive-relay.js"

/** An app that was paired over its own relay, and is told of the bunker's: served at both until it is seen there. */
const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const webSocket = (url: string): WebSocket => new WebSocket(url)

interface Paired {
  readonly theirs: NaiveRelay
  readonly folders: Folders
  readonly bunker: Bunker
  readonly signer: RemoteSigner
  readonly sessions: (Session | undefined)[]
}

/** @param reach whether the app can reach the bunker's relay */
async function pair(reach: boolean): Promise<Paired> {
  const folders = makeFolders()
  cleanups.push(() => folders.remove())
  const theirs = await startNaiveRelay()
  cleanups.push(() => theirs.close())
  const bunker = await startBunker(folders)
  const own = bunker.ready.relays[0] as string
  const sessions: (Session | undefined)[] = []
  const pairing = await RemoteSigner.pair({
    relays: [theirs.url],
    onSession: (session) => sessions.push(session),
    timing: { switchMs: 500 },
    webSocket(url) {
      if (!reach && url === own) throw new Error("out of reach")
      return webSocket(url)
    },
  })
  cleanups.push(() => pairing.close())
  await runJson(folders, ["pair", pairing.uri, "--yes", "--perms", "sign_event:1", "--relay", own, "--no-wait"])
  const signer = await pairing.connected()
  cleanups.push(() => signer.close())
  return { theirs, folders, bunker, signer, sessions }
}

async function restart({ folders, bunker }: Paired): Promise<void> {
  const { port } = new URL(bunker.ready.http)
  await bunker.stop()
  const again = await startBunker(folders, ["--http", `localhost:${port}`])
  cleanups.push(() => again.stop())
}

it("an app that came to the bunker's relay is listened for there alone from the next start on", async () => {
  const paired = await pair(true)
  const { theirs, signer, sessions } = paired
  const own = paired.bunker.ready.relays[0]
  await until(() => sessions.at(-1)?.relays[0] === own, { what: "the app has moved" })
  expect(theirs.listeners(signer.remoteSignerPubkey)).toBeGreaterThan(0)
  await signer.signEvent({ kind: 1, content: "at the new place" })
  await restart(paired)
  await signer.signEvent({ kind: 1, content: "after the start" })
  expect(theirs.listeners(signer.remoteSignerPubkey)).toBe(0)
}, 60_000)

it("an app that was told and did not come is served where it is, whatever starts anew", async () => {
  const paired = await pair(false)
  const { theirs, signer, sessions } = paired
  expect(await signer.switchRelays()).toEqual([theirs.url])
  await restart(paired)
  await until(() => theirs.listeners(signer.remoteSignerPubkey) > 0, { what: "the bunker listens" })
  await signer.signEvent({ kind: 1, content: "still here" })
  expect(sessions.at(-1)?.relays).toEqual([theirs.url])
}, 60_000)
