import { afterEach, expect, it } from "vitest"
import { makeFolders, runCli, startBunker } from "./support/bunker.js"
import { startNaiveRelay } from "./support/naive-relay.js"

/** A token is given out once somebody listens for who uses it: nobody keeps what an app says before. */
const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const signerOf = (token: string): string => new URL(token).host

async function start(relay: string) {
  const folders = makeFolders()
  cleanups.push(() => folders.remove())
  const bunker = await startBunker(folders, ["--http", "localhost:0", "--relay", relay])
  cleanups.push(() => bunker.stop())
  return { folders, bunker }
}

it("when start says ready, the relay has the bunker's subscription; when pair prints a token, too", async () => {
  const relay = await startNaiveRelay()
  cleanups.push(() => relay.close())
  const { folders, bunker } = await start(relay.url)
  expect(relay.listeners(signerOf(bunker.ready.bunker))).toBeGreaterThan(0)
  expect(bunker.ready).not.toHaveProperty("unreachable")
  const { stdout } = await runCli(folders, ["pair", "--no-wait", "--json", "--data-dir", folders.data])
  const { uri, ...rest } = JSON.parse(stdout) as { uri: string }
  expect(relay.listeners(signerOf(uri))).toBeGreaterThan(0)
  expect(rest).not.toHaveProperty("unreachable")
})

it("a token whose relays cannot be reached is given out with the reason", async () => {
  const { folders, bunker } = await start("ws://127.0.0.1:1")
  expect(bunker.ready).toMatchObject({
    unreachable: { "ws://127.0.0.1:1": expect.stringContaining("ECONNREFUSED") as string },
  })
  const { code, stdout } = await runCli(folders, ["pair", "--no-wait", "--data-dir", folders.data])
  expect(code).toBe(0)
  expect(stdout).toMatch(
    / {2}no relay of it can be reached now \(ws:\/\/127\.0\.0\.1:1: .+\); apps can connect once one can\n/,
  )
})
