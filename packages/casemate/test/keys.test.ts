import { existsSync } from "node:fs"
import { join } from "node:path"
import { nsecEncode } from "nostr-tools/nip19"
import { decrypt, encrypt } from "nostr-tools/nip49"
import { generateSecretKey, getPublicKey } from "nostr-tools/pure"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type Bunker, type Folders, makeFolders, startBunker } from "./support/bunker.js"
import { callOwner } from "./support/owner.js"
import { RawClient } from "./support/raw-client.js"
import { readAudit } from "./support/record.js"

const PASSPHRASE = "correct horse battery"
const IN_FLIGHT = 16

describe("keys of a bunker that runs", () => {
  let folders: Folders
  let bunker: Bunker
  const clients: RawClient[] = []
  beforeAll(async () => {
    folders = makeFolders()
    bunker = await startBunker(folders)
  })
  afterAll(async () => {
    for (const client of clients) client.close()
    expect(await bunker.stop()).toBe(0)
    folders.remove()
  })

  async function pairWith(key: string): Promise<{ id: string; client: RawClient }> {
    const { id, uri } = await callOwner(folders, "connections.offer", { key, ttl: 600 })
    const client = new RawClient(uri)
    clients.push(client)
    await client.ready()
    expect(await client.connect()).toEqual({ result: "ack" })
    return { id, client }
  }

  const auditOf = (pubkey: string): string[] =>
    readAudit(folders)
      .filter(({ param }) => param === pubkey)
      .map(({ action }) => action)

  it("a key comes in from an ncryptsec, goes out under another passphrase, and the audit tells", async () => {
    const secretKey = generateSecretKey()
    const args = { name: "abroad", secretKey: encrypt(secretKey, "short", 16), passphrase: "short" }
    const { pubkey } = await callOwner(folders, "keys.add", args)
    expect(pubkey).toBe(getPublicKey(secretKey))
    const { ncryptsec } = await callOwner(folders, "keys.export", { key: "abroad", passphrase: PASSPHRASE, logN: 16 })
    expect(decrypt(ncryptsec, PASSPHRASE)).toEqual(secretKey)
    const plain = await callOwner(folders, "keys.exportPlain", { key: "abroad", confirm: "abroad" })
    expect(plain.nsec).toBe(nsecEncode(secretKey))
    expect(auditOf(pubkey)).toEqual(["owner.add_key", "owner.key.exported", "owner.key.exported"])
  })

  it("nothing leaves, and nothing is noted, for a wrong confirmation or a passphrase that is too short", async () => {
    const { pubkey } = await callOwner(folders, "keys.generate", { name: "careful" })
    for (const confirm of ["", "Careful", pubkey])
      await expect(callOwner(folders, "keys.exportPlain", { key: "careful", confirm })).rejects.toThrow(
        "that is not the name of the key",
      )
    // Eleven letters, of which one is written in two pieces.
    for (const passphrase of ["", "elevenchars", "e\u0301levenchars"])
      await expect(callOwner(folders, "keys.export", { key: "careful", passphrase })).rejects.toThrow("at least 12")
    for (const logN of [15, 23, 16.5])
      await expect(callOwner(folders, "keys.export", { key: "careful", passphrase: PASSPHRASE, logN })).rejects.toThrow(
        /log_n/,
      )
    expect(auditOf(pubkey)).toEqual(["owner.add_key"])
  })

  it("requests and other owners' calls are answered while an export with log_n 20 runs", async () => {
    const { client } = await pairWith("default")
    let isDone = false
    const exporting = callOwner(folders, "keys.export", { key: "default", passphrase: PASSPHRASE, logN: 20 }).finally(
      () => {
        isDone = true
      },
    )
    let pings = 0
    let slowest = 0
    while (!isDone) {
      const began = performance.now()
      expect(await client.request("ping", [])).toEqual({ result: "pong" })
      await callOwner(folders, "keys.list", {})
      slowest = Math.max(slowest, performance.now() - began)
      pings += 1
    }
    const { ncryptsec } = await exporting
    expect(ncryptsec).toMatch(/^ncryptsec1/)
    // One that waited for the export would be the only one, and take as long: seconds.
    expect(pings).toBeGreaterThan(5)
    expect(slowest).toBeLessThan(1_500)
  }, 60_000)

  it("an app goes on under a key's new name", async () => {
    await callOwner(folders, "keys.generate", { name: "before" })
    const { id, client } = await pairWith("before")
    const { pubkey } = await callOwner(folders, "keys.rename", { key: "before", name: "after" })
    expect(await client.request("get_public_key", [])).toEqual({ result: pubkey })
    expect(await callOwner(folders, "apps.show", { id })).toMatchObject({ key: "after" })
    expect(auditOf(pubkey)).toEqual(["owner.add_key", "owner.key.renamed"])
  })

  it(`a removed key signs nothing any more, with ${IN_FLIGHT} requests under way; apps of other keys go on`, async () => {
    const { pubkey } = await callOwner(folders, "keys.generate", { name: "doomed" })
    const { id, client } = await pairWith("doomed")
    await callOwner(folders, "connections.offer", { key: "doomed", ttl: 600 })
    const other = await pairWith("default")
    expect(await callOwner(folders, "keys.uses", { key: "doomed" })).toMatchObject({
      apps: 1,
      tokens: 1,
      isLast: false,
    })

    let removed = false
    const answers: { askedAfter: boolean; signed: boolean; error: string | undefined }[] = []
    const workers = Array.from({ length: IN_FLIGHT }, async (_, worker) => {
      for (let n = 0; ; n++) {
        const askedAfter = removed
        const { result, error } = await client.sign(`worker ${worker}, request ${n}`)
        answers.push({ askedAfter, signed: error === undefined && result !== undefined, error })
        if (error !== undefined) return
      }
    })
    while (answers.length < 2 * IN_FLIGHT) await new Promise((resolve) => setImmediate(resolve))
    expect(await callOwner(folders, "keys.remove", { key: "doomed" })).toMatchObject({ pubkey, revoked: 2 })
    removed = true
    await Promise.all(workers)

    expect(answers.filter(({ askedAfter, signed }) => askedAfter && signed)).toEqual([])
    // What was committed before was signed: nobody is told of a key that is missing.
    for (const { signed, error } of answers) if (!signed) expect(error).toMatch(/revoked/)
    expect((await other.client.sign("still here")).result).toContain("still here")
    expect((await callOwner(folders, "keys.list", {})).map(({ name }) => name)).not.toContain("doomed")
    expect(await callOwner(folders, "apps.show", { id })).toMatchObject({ status: "revoked", key: "" })
    for (const call of ["keys.uses", "keys.remove"] as const)
      await expect(callOwner(folders, call, { key: "doomed" })).rejects.toThrow('there is no key named "doomed"')
    expect(auditOf(pubkey)).toEqual(["owner.add_key", "owner.key.removed"])
  }, 60_000)

  it("an owner who waits for an app is told when the key goes", async () => {
    await callOwner(folders, "keys.generate", { name: "waited" })
    const { id } = await callOwner(folders, "connections.offer", { key: "waited", ttl: 600 })
    const waiting = callOwner(folders, "connections.wait", { id })
    waiting.catch(() => undefined)
    await callOwner(folders, "keys.remove", { key: "waited" })
    await expect(waiting).rejects.toThrow("this token was revoked before an app connected")
  })

  it("a token that is made while its key goes is of no use", async () => {
    for (let round = 0; round < 10; round++) {
      const { pubkey } = await callOwner(folders, "keys.generate", { name: "fleeting" })
      const [offer] = await Promise.allSettled([
        callOwner(folders, "connections.offer", { key: "fleeting", ttl: 600 }),
        callOwner(folders, "keys.remove", { key: "fleeting" }),
      ])
      if (offer.status === "rejected") expect((offer.reason as Error).message).toMatch(/removed meanwhile|no key named/)
      const apps = await callOwner(folders, "apps.list", {})
      const states = apps.filter(({ userPubkey }) => userPubkey === pubkey).map(({ status }) => status)
      expect(states.filter((status) => status !== "revoked")).toEqual([])
    }
  })
})

it("a bunker whose last key was removed in its first run keeps its record and its audit", async () => {
  const folders = makeFolders()
  try {
    const first = await startBunker(folders)
    await callOwner(folders, "keys.remove", { key: "default" })
    expect(await first.stop()).toBe(0)
    expect(existsSync(join(folders.data, "record.db"))).toBe(true)
    const second = await startBunker(folders)
    expect(second.ready.userPubkey).not.toBe(first.ready.userPubkey)
    expect(readAudit(folders).map(({ action }) => action)).toContain("owner.key.removed")
    expect(await second.stop()).toBe(0)
  } finally {
    folders.remove()
  }
})

it("a bunker stops in order while an export runs", async () => {
  const folders = makeFolders()
  try {
    const bunker = await startBunker(folders)
    const exporting = callOwner(folders, "keys.export", { key: "default", passphrase: PASSPHRASE, logN: 20 })
    exporting.catch(() => undefined)
    // Answered after it on the same door, so that the export is under way.
    await callOwner(folders, "keys.list", {})
    expect(await bunker.stop()).toBe(0)
    await expect(exporting).rejects.toThrow("keyd went away")
    const again = await startBunker(folders)
    expect(again.ready.userPubkey).toBe(bunker.ready.userPubkey)
    expect(await again.stop()).toBe(0)
  } finally {
    folders.remove()
  }
}, 60_000)
