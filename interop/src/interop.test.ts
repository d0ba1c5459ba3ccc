import { readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { generateSecretKey } from "nostr-tools/pure"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type Bench, PERMS, startBench } from "./bench.js"
import { CELLS, type Cell } from "./cells.js"
import { askCell } from "./client-checks.js"
import type { ClientColumn } from "./client-column.js"
import { FLOWS, type Flow } from "./flow.js"
import { answerOfAnother } from "./getting-in.js"
import { measuredPart, type Outcome, renderMatrix, withMeasuredPart } from "./matrix.js"
import type { ClientPeer } from "./peer.js"
import { applesauce } from "./peers/applesauce.js"
import { casemate } from "./peers/casemate.js"
import { ndk } from "./peers/ndk.js"
import { nostrTools } from "./peers/nostr-tools.js"
import { sendsWhatNobodyAskedFor } from "./probe.js"
import { startCasemateRelay } from "./relays/casemate.js"
import { startNostrRelay } from "./relays/nostr-relay.js"
import { allOrTheFirstError } from "./wait.js"

const PAGE = fileURLToPath(new URL("../../docs/interop.md", import.meta.url))

const PEERS: readonly ClientPeer[] = [nostrTools, ndk, applesauce, casemate]

const RELAYS = {
  "the built-in relay": { start: startCasemateRelay, keepsTags: true },
  "@nostr-relay/core as shipped": { start: () => startNostrRelay({ mended: false }), keepsTags: false },
  "@nostr-relay/core mended": { start: () => startNostrRelay({ mended: true }), keepsTags: true },
} as const

type RelayName = keyof typeof RELAYS
const relayNames = Object.keys(RELAYS) as RelayName[]

/** One column of one table. */
interface Place {
  readonly flow: Flow
  readonly relay: RelayName
  readonly peer: ClientPeer
  readonly title: string
}

const tables = FLOWS.flatMap((flow) => relayNames.map((relay) => ({ flow, relay })))
const places = tables.flatMap((table) =>
  PEERS.map((peer): Place => ({ ...table, peer, title: `${peer.name} by ${table.flow} over ${table.relay}` })),
)

const BEFORE = CELLS.slice(0, CELLS.indexOf("relay restarts"))
const AFTER = CELLS.slice(CELLS.indexOf("logout"))

describe("clients at our bunker", () => {
  const benches = new Map<RelayName, Bench>()
  const columns = new Map<Place, ClientColumn>()
  const outcomes = new Map<Place, Map<Cell, Outcome>>()

  async function fill(place: Place, cell: Cell): Promise<void> {
    const column = columns.get(place) as ClientColumn
    const cells = outcomes.get(place) as Map<Cell, Outcome>
    cells.set(cell, { text: "FAILED" })
    cells.set(cell, await askCell(column, cell))
  }

  beforeAll(async () => {
    await allOrTheFirstError(
      relayNames.map(async (relay) => {
        const bench = await startBench(await RELAYS[relay].start())
        benches.set(relay, bench)
        for (const place of places.filter((each) => each.relay === relay)) {
          const { peer, flow } = place
          const secretKey = generateSecretKey()
          columns.set(place, { peer, bench, flow, secretKey, token: "", uri: undefined, session: undefined })
          outcomes.set(place, new Map())
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

  it("the answer of another signer binds a client that has none yet, so that its row means something", async () => {
    const { relay } = benches.get("@nostr-relay/core mended") as Bench
    const meeting = { relay: relay.url, perms: PERMS, deadlineMs: 10_000, letIn: answerOfAnother }
    const { session } = await applesauce.pair(meeting)
    expect(session.remoteSigner).toMatch(/^[0-9a-f]{64}$/)
    await session.close()
  })

  describe.each(places)("$title", (place) => {
    it.each(BEFORE)("%s", (cell) => fill(place, cell))
  })

  describe.each([
    ["relay restarts", "stopping"],
    ["relay dies", "cutting"],
  ] as const)("%s", (cell, how) => {
    const filled = new Map<Place, Promise<void>>()

    beforeAll(async () => {
      await Promise.all([...benches.values()].map(({ relay }) => relay.restart(how)))
      // All at once, for each has waiting to do; the runner's own concurrency would take them five at a time.
      for (const place of places) {
        const filling = fill(place, cell)
        filling.catch(() => undefined)
        filled.set(place, filling)
      }
    })

    it.each(places)("$title", (place) => filled.get(place), 60_000)
  })

  describe.each(places)("$title, at last", (place) => {
    it.each(AFTER)("%s", (cell) => fill(place, cell))
  })

  it("comes to what docs/interop.md says", () => {
    const measured = renderMatrix(
      tables.map(({ flow, relay }) => ({
        title: `${benches.get(relay)?.relay.name ?? relay}, by ${flow}`,
        columns: new Map(
          places
            .filter((place) => place.flow === flow && place.relay === relay)
            .map((place) => [columnName(place.peer), outcomes.get(place) ?? new Map()]),
        ),
      })),
    )
    console.log(measured)
    expect(measured).not.toMatch(/FAILED|NOT ASKED/)
    const page = readFileSync(PAGE, "utf8")
    if (process.env["CASEMATE_UPDATE_INTEROP"] === "1") writeFileSync(PAGE, withMeasuredPart(page, measured))
    else expect(measured).toBe(measuredPart(page))
  })
})

function columnName({ name, version }: ClientPeer): string {
  return version === undefined ? name : `${name} ${version}`
}
