import { readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { generateSecretKey } from "nostr-tools/pure"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type Bench, startBench } from "./bench.js"
import { CELLS, type Cell } from "./cells.js"
import { askCell, type ClientColumn } from "./client-checks.js"
import { measuredPart, type Outcome, renderMatrix, withMeasuredPart } from "./matrix.js"
import type { ClientPeer } from "./peer.js"
import { applesauce } from "./peers/applesauce.js"
import { ndk } from "./peers/ndk.js"
import { nostrTools } from "./peers/nostr-tools.js"
import { sendsWhatNobodyAskedFor } from "./probe.js"
import { startCasemateRelay } from "./relays/casemate.js"
import { startNostrRelay } from "./relays/nostr-relay.js"
import { allOrTheFirstError } from "./wait.js"

const PAGE = fileURLToPath(new URL("../../docs/interop.md", import.meta.url))

const PEERS: readonly ClientPeer[] = [nostrTools, ndk, applesauce]

const RELAYS = {
  "the built-in relay": { start: startCasemateRelay, keepsTags: true },
  "@nostr-relay/core as shipped": { start: () => startNostrRelay({ mended: false }), keepsTags: false },
  "@nostr-relay/core mended": { start: () => startNostrRelay({ mended: true }), keepsTags: true },
} as const

type RelayName = keyof typeof RELAYS
const relayNames = Object.keys(RELAYS) as RelayName[]
const places = relayNames.flatMap((relay) => PEERS.map((peer) => ({ relay, peer, title: peer.name })))

const BEFORE = CELLS.slice(0, CELLS.indexOf("relay restarts"))
const AFTER = CELLS.slice(CELLS.indexOf("logout"))

describe("other people's clients at our bunker", () => {
  const benches = new Map<RelayName, Bench>()
  const columns = new Map<string, ClientColumn>()
  const outcomes = new Map<string, Map<Cell, Outcome>>()
  const keyOf = (relay: RelayName, peer: ClientPeer): string => `${relay}, ${peer.name}`

  async function fill(relay: RelayName, peer: ClientPeer, cell: Cell): Promise<void> {
    const key = keyOf(relay, peer)
    const column = columns.get(key) as ClientColumn
    const cells = outcomes.get(key) as Map<Cell, Outcome>
    cells.set(cell, { text: "FAILED" })
    cells.set(cell, await askCell(column, cell))
  }

  beforeAll(async () => {
    await allOrTheFirstError(
      relayNames.map(async (relay) => {
        const bench = await startBench(await RELAYS[relay].start())
        benches.set(relay, bench)
        for (const peer of PEERS) {
          const column: ClientColumn = { peer, bench, secretKey: generateSecretKey(), token: "", session: undefined }
          columns.set(keyOf(relay, peer), column)
          outcomes.set(keyOf(relay, peer), new Map())
        }
      }),
    )
  }, 60_000)

  afterAll(async () => {
    await allOrTheFirstError([...columns.values()].map(async ({ session }) => session?.close()))
    await allOrTheFirstError([...benches.values()].map((bench) => bench.close()))
  })

  it.each(relayNames)("%s: the tag filters of live events are kept, or not, as its title says", async (name) => {
    const { relay } = benches.get(name) as Bench
    expect(await sendsWhatNobodyAskedFor(relay.url)).toBe(!RELAYS[name].keepsTags)
  })

  describe.each(places)("$title over $relay", ({ relay, peer }) => {
    it.each(BEFORE)("%s", (cell) => fill(relay, peer, cell))
  })

  describe.each([
    ["relay restarts", "closing"],
    ["relay dies", "cutting"],
  ] as const)("%s", (cell, how) => {
    beforeAll(() => Promise.all([...benches.values()].map(({ relay }) => relay.restart(how))))

    it.concurrent.each(places)("$title over $relay", ({ relay, peer }) => fill(relay, peer, cell), 60_000)
  })

  describe.each(places)("$title over $relay, at last", ({ relay, peer }) => {
    it.each(AFTER)("%s", (cell) => fill(relay, peer, cell))
  })

  it("comes to what docs/interop.md says", () => {
    const tables = relayNames.map((name) => ({
      title: benches.get(name)?.relay.name ?? name,
      columns: new Map(
        PEERS.map((peer) => [`${peer.name} ${peer.version}`, outcomes.get(keyOf(name, peer)) ?? new Map()]),
      ),
    }))
    const measured = renderMatrix(tables)
    console.log(measured)
    expect(measured).not.toMatch(/FAILED|NOT ASKED/)
    const page = readFileSync(PAGE, "utf8")
    if (process.env["CASEMATE_UPDATE_INTEROP"] === "1") writeFileSync(PAGE, withMeasuredPart(page, measured))
    else expect(measured).toBe(measuredPart(page))
  })
})
