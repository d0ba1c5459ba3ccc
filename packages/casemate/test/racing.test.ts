import { afterAll, beforeAll, expect, it } from "vitest"
import { type Bunker, type Folders, makeFolders, startBunker } from "./support/bunker.js"
import { callOwner } from "./support/owner.js"
import { RawClient } from "./support/raw-client.js"
import { readAudit, select, verifyAudit } from "./support/record.js"

const TOKENS = 5
/** Below the strangers' share of a connection, so that each of them is told. */
const RACERS = 40

let folders: Folders
let bunker: Bunker
let stopped: Promise<number | null> | undefined
const clients: RawClient[] = []

beforeAll(async () => {
  folders = makeFolders()
  bunker = await startBunker(folders)
})

afterAll(async () => {
  for (const client of clients) client.close()
  await (stopped ?? bunker.stop())
  folders.remove()
})

it(`invariant 3: of ${RACERS} clients that race for one secret, one gets it; ${TOKENS} times (N46-BUNKER-5)`, {
  timeout: 60_000,
}, async () => {
  const winners = new Map<string, string>()
  for (let n = 0; n < TOKENS; n++) {
    const { id, uri } = await callOwner(folders, "connections.offer", { ttl: 600 })
    const racers = Array.from({ length: RACERS }, () => new RawClient(uri))
    clients.push(...racers)
    await Promise.all(racers.map((racer) => racer.ready()))
    // Signed first, sent at once.
    const connects = racers.map((racer) =>
      racer.seal(JSON.stringify({ id: "race", method: "connect", params: [racer.remoteSigner, racer.secret] }), "race"),
    )
    for (const [i, racer] of racers.entries()) racer.publish(connects[i])
    const replies = await Promise.all(racers.map((racer) => racer.reply("race")))

    const won = racers.filter((_, i) => replies[i]?.result === "ack")
    expect(won).toHaveLength(1)
    const refusals = replies.filter(({ error }) => error !== undefined)
    expect(refusals).toHaveLength(RACERS - 1)
    for (const { error } of refusals) expect(error).toMatch(/already used by another app/)
    const [winner] = won as [RawClient]
    winners.set(id, winner.pubkey)
    expect((await winner.sign("mine")).result).toContain("mine")
    const loser = racers.find((racer) => racer !== winner) as RawClient
    expect((await loser.request("get_public_key", [])).error).toMatch(/already used/)
    for (const racer of racers) {
      expect(racer.replies.get("race")).toHaveLength(1)
      racer.close()
    }
  }

  stopped = bunker.stop()
  expect(await stopped).toBe(0)
  for (const [id, pubkey] of winners) {
    expect(select(folders, `SELECT state, client_pubkey, secret_hash FROM connection WHERE id = '${id}'`)).toEqual([
      { state: "active", client_pubkey: pubkey, secret_hash: null },
    ])
    const connects = readAudit(folders).filter(
      ({ connection_id, action }) => connection_id === id && action === "connect",
    )
    expect(connects).toEqual([expect.objectContaining({ actor: pubkey, verdict: "allow", why: "the token's secret" })])
  }
  expect(winners.size).toBe(TOKENS)
  expect(await verifyAudit(folders)).toMatchObject({ ok: true })
})
