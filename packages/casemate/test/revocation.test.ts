import { afterAll, beforeAll, expect, it } from "vitest"
import { type Bunker, type Folders, makeFolders, startBunker } from "./support/bunker.js"
import { callOwner } from "./support/owner.js"
import { RawClient } from "./support/raw-client.js"
import { readAudit } from "./support/record.js"

const ROUNDS = 5
/** Requests under way at any time. */
const IN_FLIGHT = 16

let folders: Folders
let bunker: Bunker

beforeAll(async () => {
  folders = makeFolders()
  bunker = await startBunker(folders)
})

afterAll(async () => {
  expect(await bunker.stop()).toBe(0)
  folders.remove()
})

it(`signs nothing that is asked after a revocation is acknowledged, with ${IN_FLIGHT} requests under way`, {
  timeout: 60_000,
}, async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const { id, uri } = await callOwner(folders, "connections.offer", { ttl: 600 })
    const client = new RawClient(uri)
    try {
      await client.ready()
      await client.connect()
      let revoked = false
      const answers: { askedAfter: boolean; signed: boolean; error: string | undefined }[] = []
      const workers = Array.from({ length: IN_FLIGHT }, async (_, worker) => {
        for (let n = 0; ; n++) {
          const askedAfter = revoked
          const { result, error } = await client.sign(`round ${round}, worker ${worker}, request ${n}`)
          answers.push({ askedAfter, signed: error === undefined && result !== undefined, error })
          if (error !== undefined) return
        }
      })
      // In the middle of the work, not before it.
      while (answers.length < 2 * IN_FLIGHT) await new Promise((resolve) => setImmediate(resolve))
      await callOwner(folders, "apps.revoke", { id })
      revoked = true
      await Promise.all(workers)

      expect(answers.filter(({ signed }) => signed).length).toBeGreaterThanOrEqual(2 * IN_FLIGHT)
      expect(answers.filter(({ askedAfter, signed }) => askedAfter && signed)).toEqual([])
      for (const { signed, error } of answers) if (!signed) expect(error).toMatch(/revoked/)

      const rows = readAudit(folders).filter((row) => row.connection_id === id)
      const revocation = rows.find(({ action }) => action === "owner.revoke")
      expect(revocation).toBeDefined()
      expect(rows.filter(({ seq, actor }) => seq > (revocation?.seq ?? 0) && actor !== "owner")).toEqual([])
    } finally {
      client.close()
    }
  }
})
