import { randomBytes } from "node:crypto"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { deriveSubkeys, type SealContext, seal, unseal } from "./seal.js"
import { Secret } from "./secret.js"

const subkeysOf = (byte: number) => deriveSubkeys(new Secret(new Uint8Array(32).fill(byte)))
const key = subkeysOf(1).seal
const context: SealContext = { purpose: "user-key", id: "vault", of: "ab".repeat(32) }
const plaintext = Uint8Array.from({ length: 32 }, (_, i) => i)
const invalidKey = expect.objectContaining({ code: "INVALID_KEY" })

describe("sealed bytes", () => {
  test("open again, and carry a version and a fresh nonce", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const sealed = seal(key, context, bytes, randomBytes)
        expect(sealed[0]).toBe(1)
        expect(sealed.length).toBe(1 + 24 + bytes.length + 16)
        expect(unseal(key, context, sealed)).toEqual(bytes)
      }),
    )
    expect(seal(key, context, plaintext, randomBytes)).not.toEqual(seal(key, context, plaintext, randomBytes))
  })

  test("have the bytes of the first release", () => {
    const sealed = seal(key, context, plaintext, (length) => new Uint8Array(length).fill(7))
    expect(Buffer.from(sealed).toString("hex")).toMatchInlineSnapshot(
      `"010707070707070707070707070707070707070707070707078e215188895c4adbe627f85b5f2c4d22d7da94dccfa3f7fb73f02e407ee795881976d2bfddcda3fa5628ebcf7ef8b103"`,
    )
  })

  test("do not open in another place, for another purpose or under another key", () => {
    const sealed = seal(key, context, plaintext, randomBytes)
    const elsewhere: SealContext[] = [
      { ...context, purpose: "transport-key" },
      { ...context, purpose: "audit-head" },
      { ...context, purpose: "owner-totp" },
      { ...context, purpose: "last-signed" },
      { ...context, id: "vault2" },
      { ...context, of: "cd".repeat(32) },
      { ...context, id: `vault${context.of}`, of: "" },
    ]
    for (const other of elsewhere) expect(() => unseal(key, other, sealed)).toThrow(invalidKey)
    const { seal: same, ...others } = subkeysOf(1)
    expect(unseal(same, context, sealed)).toEqual(plaintext)
    for (const other of [subkeysOf(2).seal, ...Object.values(others)]) {
      expect(() => unseal(other, context, sealed)).toThrow(invalidKey)
    }
  })

  test("do not open with any byte changed, cut or added", () => {
    const sealed = seal(key, context, plaintext, randomBytes)
    for (let i = 0; i < sealed.length; i++) {
      const changed = Uint8Array.from(sealed)
      changed[i] = (changed[i] ?? 0) ^ 1
      expect(() => unseal(key, context, changed)).toThrow(invalidKey)
      expect(() => unseal(key, context, sealed.subarray(0, i))).toThrow(invalidKey)
    }
    expect(() => unseal(key, context, Uint8Array.of(...sealed, 0))).toThrow(invalidKey)
  })

  test("fail with words that hold neither plaintext nor key", () => {
    const sealed = seal(key, context, plaintext, randomBytes)
    try {
      unseal(subkeysOf(2).seal, context, sealed)
      expect.unreachable()
    } catch (error) {
      const told = `${(error as Error).stack} ${JSON.stringify(error)}`
      expect(told).toContain("another root key")
      for (const bytes of [plaintext, sealed]) expect(told).not.toContain(Buffer.from(bytes).toString("hex"))
    }
  })
})

describe("subkeys", () => {
  const hexOf = (secret: Secret) => secret.use((bytes) => Buffer.from(bytes).toString("hex"))

  test("differ from each other and from the root key", () => {
    const root = new Secret(new Uint8Array(32).fill(1))
    const all = [root, ...Object.values(deriveSubkeys(root))].map(hexOf)
    expect(all.length).toBe(10)
    expect(new Set(all).size).toBe(all.length)
  })

  test("are what they were when something was first sealed, hashed or signed under them", () => {
    const beginnings = Object.entries(subkeysOf(1)).map(([name, key]) => [name, hexOf(key).slice(0, 16)])
    expect(Object.fromEntries(beginnings)).toMatchInlineSnapshot(`
      {
        "auditHead": "fb5dad7ab88d4b81",
        "auditMac": "aa1d16b2ffe87cae",
        "ownerHash": "64662eef6132cb4f",
        "pepper": "29995c7ef4b15be1",
        "seal": "eb47b33e5b5a4fbf",
        "signed": "0344b014eb1d0955",
        "signedSlot": "527205134be40e9e",
        "totp": "95fbc35f68e99d83",
        "webhook": "ab6252496906562c",
      }
    `)
  })
})
