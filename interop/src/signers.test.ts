import { readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { measuredPart, type Outcome, renderMatrix, withMeasuredPart } from "./matrix.js"
import { applesauceProvider } from "./peers/applesauce-provider.js"
import { ndkBackend } from "./peers/ndk-backend.js"
import type { RelayUnderTest } from "./relay.js"
import { RELAYS, type RelayName, relayNames } from "./relays/all.js"
import { SIGNER_CELLS, type SignerCell } from "./signer-cells.js"
import { askSignerCell } from "./signer-checks.js"
import { SignerColumn } from "./signer-column.js"
import type { SignerPeer } from "./signer-peer.js"
import { allOrTheFirstError } from "./wait.js"
import { hangUp } from "./wire.js"

const PAGE = fileURLToPath(new URL("../../docs/interop.md", import.meta.url))

const PEERS: readonly SignerPeer[] = [
  ndkBackend("bunker"),
  ndkBackend("nostrconnect"),
  applesauceProvider("bunker"),
  applesauceProvider("nostrconnect"),
]

const titleOf = ({ name, version, flow }: SignerPeer): string => `${name} ${version}, ${flow}://`
const places = relayNames.flatMap((relay) => PEERS.map((peer) => ({ relay, peer, title: titleOf(peer) })))

const BEFORE = SIGNER_CELLS.slice(0, SIGNER_CELLS.indexOf("relay restarts"))

describe("our client at other people's signers", () => {
  /** Where they meet first; the second is where a signer can send our client. */
  const relays = new Map<RelayName, readonly [RelayUnderTest, RelayUnderTest]>()
  const columns = new Map<string, SignerColumn>()
  const outcomes = new Map<string, Map<SignerCell, Outcome>>()
  const keyOf = (relay: RelayName, peer: SignerPeer): string => `${relay}, ${titleOf(peer)}`

  async function fill(relay: RelayName, peer: SignerPeer, cell: SignerCell): Promise<void> {
    const key = keyOf(relay, peer)
    const cells = outcomes.get(key) as Map<SignerCell, Outcome>
    cells.set(cell, { text: "FAILED" })
    cells.set(cell, await askSignerCell(columns.get(key) as SignerColumn, cell))
  }

  beforeAll(async () => {
    await allOrTheFirstError(
      relayNames.map(async (name) => {
        const { start, saysGoodbye } = RELAYS[name]
        const [relay, other] = [await start(), await start()]
        relays.set(name, [relay, other])
        for (const peer of PEERS) {
          const place = { url: relay.url, other: other.url, saysGoodbye }
          columns.set(keyOf(name, peer), new SignerColumn(peer, place))
          outcomes.set(keyOf(name, peer), new Map())
        }
      }),
    )
  }, 60_000)

  afterAll(async () => {
    await allOrTheFirstError([...columns.values()].map((column) => column.close()))
    hangUp()
    await allOrTheFirstError([...relays.values()].flat().map((relay) => relay.close()))
  })

  describe.each(places)("$title over $relay", ({ relay, peer }) => {
    it.each(BEFORE)("%s", (cell) => fill(relay, peer, cell))
  })

  describe.each([
    ["relay restarts", "stopping"],
    ["relay dies", "cutting"],
  ] as const)("%s", (cell, how) => {
    beforeAll(() => Promise.all([...relays.values()].map(([relay]) => relay.restart(how))))

    it.concurrent.each(places)("$title over $relay", ({ relay, peer }) => fill(relay, peer, cell), 60_000)
  })

  describe("logout", () => {
    it.concurrent.each(places)("$title over $relay", ({ relay, peer }) => fill(relay, peer, "logout"))
  })

  it("comes to what docs/interop.md says", () => {
    const tables = relayNames.map((name) => ({
      title: relays.get(name)?.[0].name ?? name,
      columns: new Map(PEERS.map((peer) => [titleOf(peer), outcomes.get(keyOf(name, peer)) ?? new Map()])),
    }))
    const measured = renderMatrix(tables, SIGNER_CELLS)
    console.log(measured)
    expect(measured).not.toMatch(/FAILED|NOT ASKED/)
    const page = readFileSync(PAGE, "utf8")
    if (process.env["CASEMATE_UPDATE_INTEROP"] === "1") {
      writeFileSync(PAGE, withMeasuredPart(page, measured, "signers measured"))
    } else expect(measured).toBe(measuredPart(page, "signers measured"))
  })
})
