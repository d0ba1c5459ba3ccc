import { parseBunkerToken } from "@casemate/nip46/protocol"
import { afterEach, describe, expect, it } from "vitest"
import { makeFolders, startBunker, until } from "./support/bunker.js"
import { startNaiveRelay } from "./support/naive-relay.js"
import { RawClient } from "./support/raw-client.js"

const HOUR = 3_600
/** Long enough that no second try is made. */
const PATIENT = { retryMs: 60_000 }

const cleanups: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** A client that is paired, with its clock right. */
async function pair(way: string): Promise<RawClient> {
  const folders = makeFolders()
  cleanups.push(() => folders.remove())
  const relay = way === "an outside relay" ? await startNaiveRelay({ appliesSince: true }) : undefined
  if (relay !== undefined) cleanups.push(() => relay.close())
  const bunker = await startBunker(folders, [
    "--http",
    "localhost:0",
    ...(relay === undefined ? [] : ["--relay", relay.url]),
  ])
  cleanups.push(() => bunker.stop())
  const { remoteSignerPubkey } = parseBunkerToken(bunker.ready.bunker)
  // No second try is made: the bunker has to listen by then.
  if (relay !== undefined) await until(() => relay.listeners(remoteSignerPubkey) > 0, { what: "the bunker listens" })
  const app = new RawClient(bunker.ready.bunker)
  cleanups.push(() => app.close())
  return app
}

describe.each(["the built-in relay", "an outside relay"])("over %s", (way) => {
  it.each([
    ["behind", -HOUR],
    ["ahead of", HOUR],
  ])("an app whose clock is an hour %s the signer's is told so, and is served once it is set", async (side, off) => {
    const app = await pair(way)
    const told = { error: expect.stringMatching(new RegExp(`^your clock is 3[56]\\d\\d s ${side} the signer's`)) }
    app.clockOff = off
    expect(await app.connect(PATIENT)).toEqual(told)
    app.clockOff = 0
    expect(await app.connect()).toEqual({ result: "ack" })
    app.clockOff = off
    expect(await app.sign("in the wrong hour", PATIENT)).toEqual(told)
    app.clockOff = 0
    expect((await app.sign("in time")).result).toContain("in time")
  })
})
