import { createHmac } from "node:crypto"
import { createNodeBackend } from "@casemate/nip46/crypto/node"
import { describe, expect, test } from "vitest"
import { Secret } from "./secret.js"
import { Vault } from "./vault.js"

/** What the vault does for owners. */

const crypto = createNodeBackend()
const invalidKey = expect.objectContaining({ code: "INVALID_KEY" })
const [one, two] = ["1".repeat(32), "2".repeat(32)]
const bytes = new TextEncoder().encode("twenty bytes of them")

function createVault({ root = 1, vaultId = "00".repeat(16) } = {}): Vault {
  const rootKey = new Secret(new Uint8Array(32).fill(root))
  const vault = new Vault({ rootKey, vaultId, crypto, loadUserKey: async () => undefined })
  rootKey.wipe()
  return vault
}

const others = () => [createVault({ root: 2 }), createVault({ vaultId: "11".repeat(16) })]

describe("sealed for owners", () => {
  test("the secret of an app opens after a restart, for its owner alone", () => {
    const vault = createVault()
    const sealed = vault.sealTotp(one, bytes)
    expect(createVault().openTotp(one, sealed)).toEqual(bytes)
    expect(vault.sealTotp(one, bytes)).not.toEqual(sealed)
    expect(() => vault.openTotp(two, sealed)).toThrow(invalidKey)
    for (const other of others()) expect(() => other.openTotp(one, sealed)).toThrow(invalidKey)
  })

  test("what was signed last opens after a restart, in its slot alone", () => {
    const vault = createVault()
    const slot = vault.signedSlot("ab".repeat(32), 0)
    const sealed = vault.sealSigned(slot, bytes)
    expect(createVault().openSigned(slot, sealed)).toEqual(bytes)
    expect(() => vault.openSigned(vault.signedSlot("ab".repeat(32), 3), sealed)).toThrow(invalidKey)
    for (const other of others()) expect(() => other.openSigned(slot, sealed)).toThrow(invalidKey)
  })

  test("neither opens as the other, nor as the head of the audit, and a head as neither", () => {
    const vault = createVault()
    const [totp, signed] = [vault.sealTotp(one, bytes), vault.sealSigned(one, bytes)]
    expect(() => vault.openSigned(one, totp)).toThrow(invalidKey)
    expect(() => vault.openTotp(one, signed)).toThrow(invalidKey)
    for (const sealed of [totp, signed]) expect(() => vault.openAuditHead(one, sealed)).toThrow(invalidKey)
    const head = vault.sealAuditHead(one, bytes)
    for (const open of [() => vault.openTotp(one, head), () => vault.openSigned(one, head)])
      expect(open).toThrow(invalidKey)
  })
})

describe("hashed for owners", () => {
  test("a text is the same after a restart, another for another purpose, text or root key, and says nothing", () => {
    const vault = createVault()
    const hash = vault.ownerHash("session", "cookie.token")
    expect(hash).toMatch(/^[0-9a-f]{64}$/)
    expect(createVault().ownerHash("session", "cookie.token")).toBe(hash)
    const different = [
      hash,
      vault.ownerHash("invitation", "cookie.token"),
      vault.ownerHash("recovery-code", "cookie.token"),
      vault.ownerHash("session", "cookie.token2"),
      vault.ownerHash("session", ""),
      createVault({ root: 2 }).ownerHash("session", "cookie.token"),
    ]
    expect(new Set(different).size).toBe(different.length)
  })

  test("a slot is of one user, one kind and one d", () => {
    const vault = createVault()
    const [alice, bob] = ["ab".repeat(32), "cd".repeat(32)]
    const slot = vault.signedSlot(alice, 30_078, "settings")
    expect(slot).toMatch(/^[0-9a-f]{64}$/)
    expect(createVault().signedSlot(alice, 30_078, "settings")).toBe(slot)
    expect(vault.signedSlot(alice, 30_078)).toBe(vault.signedSlot(alice, 30_078, ""))
    const different = [
      slot,
      vault.signedSlot(bob, 30_078, "settings"),
      vault.signedSlot(alice, 30_079, "settings"),
      vault.signedSlot(alice, 30_078, "settings2"),
      vault.signedSlot(alice, 30_078),
      vault.signedSlot(alice, 3, "0078"),
      vault.signedSlot(alice, 30_078, "8:settings"),
      vault.ownerHash("session", "settings"),
      createVault({ root: 2 }).signedSlot(alice, 30_078, "settings"),
    ]
    expect(new Set(different).size).toBe(different.length)
  })
})

describe("the pepper of passwords", () => {
  test("is lent until the borrower is done, also one that fails, and wiped then", async () => {
    const vault = createVault()
    let kept = new Uint8Array()
    let finish: (hash: string) => void = () => expect.unreachable()
    const lent = vault.lendPepper((pepper) => {
      kept = pepper as Uint8Array<ArrayBuffer>
      return new Promise<string>((resolve) => (finish = resolve))
    })
    const copy = Uint8Array.from(kept)
    expect(copy.length).toBe(32)
    expect(copy).not.toEqual(new Uint8Array(32))
    // Who has borrowed it keeps it, whatever becomes of the vault.
    vault.close()
    expect(kept).toEqual(copy)
    finish("hashed")
    expect(await lent).toBe("hashed")
    expect(kept).toEqual(new Uint8Array(32))

    const again = createVault()
    await expect(
      again.lendPepper((pepper) => {
        kept = pepper as Uint8Array<ArrayBuffer>
        expect(kept).toEqual(copy)
        throw new Error("out of memory")
      }),
    ).rejects.toThrow("out of memory")
    expect(kept).toEqual(new Uint8Array(32))
  })
})

describe("notices", () => {
  test("are signed with the key that the webhook secret tells, as Standard Webhooks writes it", () => {
    const vault = createVault()
    const [prefix, key = ""] = vault.webhookSecret().split("_")
    expect(prefix).toBe("whsec")
    expect(Buffer.from(key, "base64").length).toBe(32)
    const expected = createHmac("sha256", Buffer.from(key, "base64")).update(bytes).digest()
    expect(vault.signNotice(bytes)).toEqual(new Uint8Array(expected))
    expect(createVault().webhookSecret()).toBe(vault.webhookSecret())
    expect(createVault({ root: 2 }).webhookSecret()).not.toBe(vault.webhookSecret())
  })
})

test("a vault that is closed does nothing for owners", async () => {
  const vault = createVault()
  const [totp, signed] = [vault.sealTotp(one, bytes), vault.sealSigned(one, bytes)]
  vault.close()
  for (const use of [
    () => vault.sealTotp(one, bytes),
    () => vault.openTotp(one, totp),
    () => vault.sealSigned(one, bytes),
    () => vault.openSigned(one, signed),
    () => vault.ownerHash("session", ""),
    () => vault.signedSlot(one, 0),
    () => vault.signNotice(bytes),
    () => vault.webhookSecret(),
  ])
    expect(use).toThrow(invalidKey)
  await expect(vault.lendPepper(() => expect.unreachable())).rejects.toEqual(invalidKey)
})
