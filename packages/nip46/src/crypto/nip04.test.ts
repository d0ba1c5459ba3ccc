import fc from "fast-check"
import * as theirs from "nostr-tools/nip04"
import { describe, expect, it } from "vitest"
import { Nip46Error } from "../protocol/errors.js"
import { nip04Decrypt, nip04Encrypt } from "./nip04.js"
import { createNodeBackend, nodePrimitives } from "./node/index.js"
import { createPortableBackend, portablePrimitives } from "./portable.js"

const KEY = Uint8Array.from({ length: 32 }, (_, i) => i + 1)
const IV = Uint8Array.from({ length: 16 }, (_, i) => i + 1)
const ALICE = new Uint8Array(32).fill(1)
const BOB = new Uint8Array(32).fill(2)

function outcome(open: () => string): string {
  try {
    return `opened: ${open()}`
  } catch (e) {
    return e instanceof Nip46Error ? `${e.code}: ${e.message}; ${String(e.cause)}` : `not ours: ${String(e)}`
  }
}
const CLOSED = "DECRYPTION_FAILED: the NIP-04 payload does not open; undefined"

describe.each([
  { primitives: portablePrimitives, crypto: createPortableBackend() },
  { primitives: nodePrimitives, crypto: createNodeBackend() },
])("NIP-04 through $crypto.name", ({ primitives, crypto }) => {
  const alice = crypto.keypair(ALICE)
  const bob = crypto.keypair(BOB)

  it.each(["", "a", "fifteen bytes..", "sixteen bytes...", "é😀", "\ufeff", "\ufeffBOM first"])(
    "goes from alice to bob: %j",
    (plaintext) => {
      const payload = crypto.nip04Encrypt(plaintext, alice, bob.pubkey)
      expect(payload).toMatch(/^[A-Za-z0-9+/]+=*\?iv=[A-Za-z0-9+/]{22}==$/)
      expect(crypto.nip04Decrypt(payload, bob, alice.pubkey)).toBe(plaintext)
    },
  )

  it("draws a fresh IV each time", () => {
    expect(crypto.nip04Encrypt("a", alice, bob.pubkey)).not.toBe(crypto.nip04Encrypt("a", alice, bob.pubkey))
  })

  it.each(["\ud800", "a\udfff"])("a lone surrogate is refused, not replaced: %j", (plaintext) => {
    expect(() => crypto.nip04Encrypt(plaintext, alice, bob.pubkey)).toThrow(
      expect.objectContaining({ code: "ENCRYPTION_FAILED", message: expect.stringContaining("surrogate") }),
    )
  })

  it("every flipped bit of ciphertext and IV that does not open fails with one error, one message, no cause", () => {
    const payload = nip04Encrypt(primitives, "é".repeat(30), KEY, IV)
    const [ciphertext, iv] = payload.split("?iv=").map((part) => primitives.base64Decode(part)) as [
      Uint8Array,
      Uint8Array,
    ]
    const failures = new Map<string, number>()
    for (let bit = 0; bit < (ciphertext.length + iv.length) * 8; bit++) {
      const bytes = Uint8Array.from([...ciphertext, ...iv])
      bytes[bit >> 3]! ^= 1 << (bit & 7)
      const flipped = [bytes.subarray(0, ciphertext.length), bytes.subarray(ciphertext.length)]
      const result = outcome(() =>
        nip04Decrypt(primitives, flipped.map((part) => primitives.base64Encode(part)).join("?iv="), KEY),
      )
      // Without a MAC some flips open, to another text: that is NIP-04.
      if (!result.startsWith("opened")) failures.set(result, (failures.get(result) ?? 0) + 1)
    }
    expect([...failures.keys()]).toEqual([CLOSED])
    // Bad padding, and padding that holds over bad UTF-8.
    expect(failures.get(CLOSED)).toBeGreaterThan(500)
  })

  it("every flipped bit of the text of a payload does so too", () => {
    const payload = nip04Encrypt(primitives, "é".repeat(30), KEY, IV)
    const failures = new Set<string>()
    for (let i = 0; i < payload.length * 7; i++) {
      const at = Math.floor(i / 7)
      const char = String.fromCharCode(payload.charCodeAt(at) ^ (1 << (i % 7)))
      const result = outcome(() => nip04Decrypt(primitives, payload.slice(0, at) + char + payload.slice(at + 1), KEY))
      if (!result.startsWith("opened")) failures.add(result)
    }
    expect([...failures]).toEqual([CLOSED])
  })

  it("padding that does not hold and text that is not UTF-8 cannot be told apart", () => {
    const seal = (bytes: Uint8Array) =>
      `${primitives.base64Encode(primitives.aes256CbcEncrypt(KEY, IV, bytes))}?iv=${primitives.base64Encode(IV)}`
    expect(nip04Decrypt(primitives, seal(Uint8Array.of(0x61)), KEY)).toBe("a")
    expect(outcome(() => nip04Decrypt(primitives, seal(Uint8Array.of(0xff)), KEY))).toBe(CLOSED)
    // The block before the padding is cut off, so what remains ends in something else.
    const [ciphertext] = seal(new Uint8Array(31))
      .split("?iv=")
      .map((part) => primitives.base64Decode(part)) as [Uint8Array]
    const cut = `${primitives.base64Encode(ciphertext.subarray(0, 16))}?iv=${primitives.base64Encode(IV)}`
    expect(outcome(() => nip04Decrypt(primitives, cut, KEY))).toBe(CLOSED)
  })

  it.each([
    ["empty", ""],
    ["no iv", "AAAAAAAAAAAAAAAAAAAAAA=="],
    ["no ciphertext", "?iv=AAAAAAAAAAAAAAAAAAAAAA=="],
    ["iv of 15 bytes", "AAAAAAAAAAAAAAAAAAAAAA==?iv=AAAAAAAAAAAAAAAAAAAA"],
    ["iv of 17 bytes", "AAAAAAAAAAAAAAAAAAAAAA==?iv=AAAAAAAAAAAAAAAAAAAAAAA="],
    ["iv of 18 bytes", "AAAAAAAAAAAAAAAAAAAAAA==?iv=AAAAAAAAAAAAAAAAAAAAAAAA"],
    ["half a block", "AAAAAAAAAAA=?iv=AAAAAAAAAAAAAAAAAAAAAA=="],
    ["two ivs", "AAAAAAAAAAAAAAAAAAAAAA==?iv=AAAAAAAAAAAAAAAAAAAAAA==?iv=AAAAAAAAAAAAAAAAAAAAAA=="],
    ["white space", " AAAAAAAAAAAAAAAAAAAAAA==?iv=AAAAAAAAAAAAAAAAAAAAAA=="],
    ["no padding", "AAAAAAAAAAAAAAAAAAAAAA?iv=AAAAAAAAAAAAAAAAAAAAAA=="],
    ["not a string", undefined as unknown as string],
  ])("a malformed payload fails with the same error: %s", (_, payload) => {
    expect(outcome(() => nip04Decrypt(primitives, payload, KEY))).toBe(CLOSED)
    expect(outcome(() => crypto.nip04Decrypt(payload, alice, bob.pubkey))).toBe(CLOSED)
  })

  it("one separator and no other stands between ciphertext and IV", () => {
    const payload = nip04Encrypt(primitives, "a", KEY, IV)
    expect(nip04Decrypt(primitives, payload, KEY)).toBe("a")
    for (const separator of ["?IV=", "&iv=", "????", "?iv=?iv=", "", "?iv= "]) {
      expect(outcome(() => nip04Decrypt(primitives, payload.replace("?iv=", separator), KEY))).toBe(CLOSED)
    }
  })

  it("a payload longer than the cap is not opened, and none is made", () => {
    const payload = nip04Encrypt(primitives, "sixteen bytes...", KEY, IV)
    expect(nip04Encrypt(primitives, "sixteen bytes...", KEY, IV, payload.length)).toBe(payload)
    expect(nip04Decrypt(primitives, payload, KEY, payload.length)).toBe("sixteen bytes...")
    expect(outcome(() => nip04Decrypt(primitives, payload, KEY, payload.length - 1))).toBe(CLOSED)
    const tooLong = expect.objectContaining({ code: "ENCRYPTION_FAILED", message: expect.stringContaining("too long") })
    expect(() => nip04Encrypt(primitives, "sixteen bytes...", KEY, IV, payload.length - 1)).toThrow(tooLong)
    expect(() => nip04Encrypt(primitives, "a".repeat(200), KEY, IV, 150)).toThrow(tooLong)
  })

  it("agrees with nostr-tools, both ways", () => {
    const text = fc.string({ unit: "binary", maxLength: 300 }).filter((t) => !t.startsWith("\ufeff"))
    fc.assert(
      fc.property(text, (plaintext) => {
        const ours = crypto.nip04Encrypt(plaintext, alice, bob.pubkey)
        expect(theirs.decrypt(BOB, alice.pubkey, ours)).toBe(plaintext)
        expect(crypto.nip04Decrypt(theirs.encrypt(ALICE, bob.pubkey, plaintext), bob, alice.pubkey)).toBe(plaintext)
      }),
      { numRuns: 15 },
    )
  })
})

describe("NIP-04 over node:crypto and noble", () => {
  it("gives the same payload for the same IV, and each opens the other's", () => {
    const bytes = (n: number) => fc.uint8Array({ minLength: n, maxLength: n })
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 1_000 }), bytes(32), bytes(16), (plaintext, key, iv) => {
        const payload = nip04Encrypt(nodePrimitives, plaintext, key, iv)
        expect(nip04Encrypt(portablePrimitives, plaintext, key, iv)).toBe(payload)
        expect(nip04Decrypt(portablePrimitives, payload, key)).toBe(plaintext)
        expect(nip04Decrypt(nodePrimitives, payload, key)).toBe(plaintext)
      }),
    )
  })

  it("gives the same outcome for noise", () => {
    const noise = fc.uint8Array({ minLength: 16, maxLength: 16 })
    fc.assert(
      fc.property(noise, noise, (block, iv) => {
        const payload = [block, iv].map((part) => portablePrimitives.base64Encode(part)).join("?iv=")
        expect(outcome(() => nip04Decrypt(nodePrimitives, payload, KEY))).toBe(
          outcome(() => nip04Decrypt(portablePrimitives, payload, KEY)),
        )
      }),
      { numRuns: 1_000 },
    )
  })
})
