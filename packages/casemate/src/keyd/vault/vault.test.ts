import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createNodeBackend } from "@casemate/nip46/crypto/node"
import { createFixtures } from "@casemate/nip46/testing"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { RECORD_FILE } from "../../config/folders.js"
import { openSqliteRecord } from "../record/sqlite-record.js"
import { loadRootKey } from "./root-key.js"
import { Secret } from "./secret.js"
import { Vault, type VaultOptions } from "./vault.js"

const crypto = createNodeBackend()
const invalidKey = { code: "INVALID_KEY" }
const template = { kind: 1, content: "hello", tags: [], created_at: 1_700_000_000 }

function createVault(options: Partial<VaultOptions> & { root?: number } = {}) {
  const stored = new Map<string, Uint8Array>()
  const rootKey = new Secret(new Uint8Array(32).fill(options.root ?? 1))
  const loadUserKey = async (pubkey: string) => stored.get(pubkey)
  const vault = new Vault({ rootKey, vaultId: "00".repeat(16), crypto, loadUserKey, ...options })
  rootKey.wipe()
  return { vault, stored }
}

/** Seals a fresh user key and stores it. */
function addUserKey({ vault, stored }: ReturnType<typeof createVault>): string {
  const secretKey = crypto.generateSecretKey()
  const { pubkey, sealed } = vault.sealUserKey(secretKey)
  secretKey.fill(0)
  stored.set(pubkey, sealed)
  return pubkey
}

const connectionOf = ({ pubkey, sealed }: { pubkey: string; sealed: Uint8Array }) =>
  createFixtures().active({ remoteSignerPubkey: pubkey, sealedTransportKey: sealed })

describe("the vault", () => {
  test("gives handles on user keys that sign as the user", async () => {
    const keys = createVault()
    const pubkey = addUserKey(keys)
    const event = crypto.signEvent(template, await keys.vault.userKey(pubkey))
    expect(event.pubkey).toBe(pubkey)
    expect(crypto.verifyEvent(event)).toBe(true)
    const again = createVault()
    again.stored.set(pubkey, keys.stored.get(pubkey) ?? new Uint8Array())
    expect((await again.vault.userKey(pubkey)).pubkey).toBe(pubkey)
  })

  test("gives transport keys, each another, that open again from what was sealed", async () => {
    const { vault } = createVault()
    const made = [await vault.createTransportKey(), await vault.createTransportKey()]
    expect(made[0]?.pubkey).not.toBe(made[1]?.pubkey)
    const again = createVault().vault
    for (const key of made) expect((await again.transportKey(connectionOf(key))).pubkey).toBe(key.pubkey)
  })

  test("does not open rows that were swapped", async () => {
    const keys = createVault()
    const [one, two] = [addUserKey(keys), addUserKey(keys)]
    const [sealedOne, sealedTwo] = [keys.stored.get(one), keys.stored.get(two)]
    if (sealedOne === undefined || sealedTwo === undefined) throw new Error("both are stored")
    keys.stored.set(one, sealedTwo).set(two, sealedOne)
    for (const pubkey of [one, two]) await expect(keys.vault.userKey(pubkey)).rejects.toMatchObject(invalidKey)

    const transport = [await keys.vault.createTransportKey(), await keys.vault.createTransportKey()] as const
    const fresh = createVault()
    const swapped = connectionOf({ pubkey: transport[0].pubkey, sealed: transport[1].sealed })
    await expect(fresh.vault.transportKey(swapped)).rejects.toMatchObject(invalidKey)
    const asTransport = connectionOf({ pubkey: one, sealed: sealedOne })
    await expect(fresh.vault.transportKey(asTransport)).rejects.toMatchObject(invalidKey)
    fresh.stored.set(transport[0].pubkey, transport[0].sealed)
    await expect(fresh.vault.userKey(transport[0].pubkey)).rejects.toMatchObject(invalidKey)
  })

  test("does not open under another root key, nor in another vault", async () => {
    const keys = createVault()
    const pubkey = addUserKey(keys)
    for (const options of [{ root: 2 }, { vaultId: "11".repeat(16) }]) {
      const other = createVault(options)
      other.stored.set(pubkey, keys.stored.get(pubkey) ?? new Uint8Array())
      await expect(other.vault.userKey(pubkey)).rejects.toMatchObject(invalidKey)
    }
    const head = keys.vault.sealAuditHead("keyd", Uint8Array.of(1))
    expect([...createVault().vault.openAuditHead("keyd", head)]).toEqual([1])
    expect(() => createVault({ root: 2 }).vault.openAuditHead("keyd", head)).toThrow()
    expect(() => keys.vault.openAuditHead("other", head)).toThrow()
  })

  test("lends a user key for the length of a call, and wipes it then", async () => {
    const keys = createVault()
    const secretKey = crypto.generateSecretKey()
    const { pubkey, sealed } = keys.vault.sealUserKey(secretKey)
    keys.stored.set(pubkey, sealed)
    let kept = new Uint8Array()
    const copy = await keys.vault.lendUserKey(pubkey, (bytes) => {
      kept = bytes as Uint8Array<ArrayBuffer>
      return Uint8Array.from(bytes)
    })
    expect(copy).toEqual(secretKey)
    expect(kept).toEqual(new Uint8Array(32))
    await expect(
      keys.vault.lendUserKey(pubkey, (bytes) => {
        kept = bytes as Uint8Array<ArrayBuffer>
        throw new Error("in the middle")
      }),
    ).rejects.toThrow("in the middle")
    expect(kept).toEqual(new Uint8Array(32))
    await expect(keys.vault.lendUserKey("00".repeat(32), () => expect.unreachable())).rejects.toMatchObject(invalidKey)
    keys.stored.set(pubkey, keys.stored.get(addUserKey(keys)) ?? sealed)
    await expect(keys.vault.lendUserKey(pubkey, () => expect.unreachable())).rejects.toMatchObject(invalidKey)
  })

  test("does not know keys that are not here", async () => {
    await expect(createVault().vault.userKey("ab".repeat(32))).rejects.toMatchObject(invalidKey)
    expect(() => createVault().vault.sealUserKey(new Uint8Array(32))).toThrow(expect.objectContaining(invalidKey))
  })

  test("keeps a bounded number of transport handles and wipes the others", async () => {
    const { vault } = createVault({ transportKeys: 2 })
    const made = [await vault.createTransportKey(), await vault.createTransportKey()].map(connectionOf)
    const [first, second] = [await vault.transportKey(made[0]!), await vault.transportKey(made[1]!)]
    expect(await vault.transportKey(made[0]!)).toBe(first)
    await vault.createTransportKey()
    expect(() => crypto.signEvent(template, second)).toThrow(expect.objectContaining(invalidKey))
    expect(crypto.signEvent(template, first).pubkey).toBe(first.pubkey)
    expect(crypto.signEvent(template, await vault.transportKey(made[1]!)).pubkey).toBe(second.pubkey)
  })

  test("gives callers that ask at once the same handle on a user key", async () => {
    const keys = createVault()
    const pubkey = addUserKey(keys)
    const [one, two] = await Promise.all([keys.vault.userKey(pubkey), keys.vault.userKey(pubkey)])
    expect(one).toBe(two)
    expect(crypto.signEvent(template, one).pubkey).toBe(pubkey)
  })

  test("wipes the handles on a key that is forgotten, and all when it closes", async () => {
    const keys = createVault()
    const [one, two] = [addUserKey(keys), addUserKey(keys)]
    const [first, second] = [await keys.vault.userKey(one), await keys.vault.userKey(two)]
    keys.vault.forget(one)
    expect(() => crypto.signEvent(template, first)).toThrow()
    expect(crypto.signEvent(template, second).pubkey).toBe(two)
    keys.vault.close()
    expect(() => crypto.signEvent(template, second)).toThrow()
    await expect(keys.vault.userKey(two)).rejects.toMatchObject(invalidKey)
    await expect(keys.vault.createTransportKey()).rejects.toMatchObject(invalidKey)
    expect(() => keys.vault.auditMac(new Uint8Array(1))).toThrow()
  })

  test("MACs the audit the same after a restart, and otherwise under another root key", () => {
    const bytes = new TextEncoder().encode("row")
    const mac = createVault().vault.auditMac(bytes)
    expect(mac.length).toBe(32)
    expect(createVault().vault.auditMac(bytes)).toEqual(mac)
    expect(createVault({ root: 2 }).vault.auditMac(bytes)).not.toEqual(mac)
  })
})

describe("keys at rest", () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "casemate-vault-"))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  test("no key and no root key is in any file of the data folder, the WAL included", async () => {
    const dataDir = join(folder, "data")
    const configDir = join(folder, "config")
    const randomBytes = (length: number) => crypto.randomBytes(length)
    const { rootKey, vaultId, path } = loadRootKey({ dataDir, configDir, sealedFile: RECORD_FILE, randomBytes })
    const secretKeys = Array.from({ length: 20 }, () => crypto.generateSecretKey())
    const canaries = [...secretKeys.map((key) => Buffer.from(key)), rootKey.use((key) => Buffer.from(key))]

    const vault: Vault = new Vault({
      rootKey,
      vaultId,
      crypto,
      loadUserKey: async (pubkey) => (await record.userKey(pubkey))?.sealed,
    })
    const seal = {
      mac: (bytes: Uint8Array) => vault.auditMac(bytes),
      sealHead: (writer: string, head: Uint8Array) => vault.sealAuditHead(writer, head),
      openHead: (writer: string, sealed: Uint8Array) => vault.openAuditHead(writer, sealed),
    }
    const record = openSqliteRecord(join(dataDir, RECORD_FILE), { seal })
    const { audit, active } = createFixtures()
    const pubkeys: string[] = []
    for (const [i, secretKey] of secretKeys.entries()) {
      const key = vault.sealUserKey(secretKey)
      pubkeys.push(key.pubkey)
      await record.addUserKey({ name: `key ${i}`, ...key, createdAt: 0 }, audit())
      const { pubkey, sealed } = await vault.createTransportKey()
      await record.createConnection(active({ remoteSignerPubkey: pubkey, sealedTransportKey: sealed }), audit())
      expect((await vault.userKey(key.pubkey)).pubkey).toBe(key.pubkey)
    }

    const search = (files: string[]) => {
      const found: string[] = []
      for (const file of files) {
        const content = readFileSync(file)
        for (const canary of canaries) {
          const spellings = [
            canary,
            canary.toString("hex"),
            canary.toString("hex").toUpperCase(),
            canary.toString("base64"),
          ]
          if (spellings.some((spelling) => content.includes(spelling))) found.push(file)
        }
      }
      return found
    }
    const filesOf = (dir: string) => readdirSync(dir).map((name) => join(dir, name))
    expect(readdirSync(dataDir)).toContain("record.db-wal")
    expect(readFileSync(join(dataDir, "record.db-wal")).includes(pubkeys[7] ?? "")).toBe(true)
    expect(search(filesOf(dataDir))).toEqual([])
    await record.close()
    vault.close()
    expect(search(filesOf(dataDir))).toEqual([])
    // The search does find what is there.
    expect(search([path])).toEqual([path])
  })
})
