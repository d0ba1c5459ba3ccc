import { expand } from "@noble/hashes/hkdf.js"
import { sha256 } from "@noble/hashes/sha2.js"
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { nodePrimitives } from "./node/index.js"
import { portablePrimitives } from "./portable.js"

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const data = fc.oneof(fc.uint8Array({ maxLength: 80 }), fc.uint8Array({ minLength: 4_000, maxLength: 9_000 }))
const ascii = (text: string) => new TextEncoder().encode(text)

describe.each([portablePrimitives, nodePrimitives])("primitives of $name", (primitives) => {
  it("SHA-256 of FIPS 180-4's example", () => {
    expect(bytesToHex(primitives.sha256(ascii("abc")))).toBe(
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    )
  })

  it("HMAC-SHA256 of RFC 4231 test case 2, in one part and in three", () => {
    const mac = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    const parts = ["what do ya want ", "", "for nothing?"].map(ascii)
    expect(bytesToHex(primitives.hmacSha256(ascii("Jefe"), ascii("what do ya want for nothing?")))).toBe(mac)
    expect(bytesToHex(primitives.hmacSha256(ascii("Jefe"), ...parts))).toBe(mac)
  })

  it("HKDF-expand of RFC 5869 test case 1", () => {
    const prk = hexToBytes("077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5")
    expect(bytesToHex(primitives.hkdfExpand(prk, hexToBytes("f0f1f2f3f4f5f6f7f8f9"), 42))).toBe(
      "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    )
  })

  it("ChaCha20 of RFC 8439 A.1 test vector 1: the counter starts at 0", () => {
    const keystream = primitives.chacha20(new Uint8Array(32), new Uint8Array(12), new Uint8Array(64))
    expect(bytesToHex(keystream)).toBe(
      "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7" +
        "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586",
    )
  })

  it("AES-256-CBC of NIST SP 800-38A F.2.5, and PKCS#7 after it", () => {
    const key = hexToBytes("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4")
    const iv = hexToBytes("000102030405060708090a0b0c0d0e0f")
    const plaintext = hexToBytes("6bc1bee22e409f96e93d7e117393172a")
    const ciphertext = primitives.aes256CbcEncrypt(key, iv, plaintext)
    expect(ciphertext).toHaveLength(32)
    expect(bytesToHex(ciphertext.subarray(0, 16))).toBe("f58c4c04d6e5f1ba779eabfb5f7bfbd6")
    expect(primitives.aes256CbcDecrypt(key, iv, ciphertext)).toEqual(plaintext)
  })

  it.each(["", "Zg==", "Zm8=", "Zm9v", "+/+/"])("base64 takes %j there and back", (text) => {
    expect(primitives.base64Encode(primitives.base64Decode(text))).toBe(text)
  })

  it.each(["Zg", "Zg=", "Zh==", "Zm9=", "Zm9v\n", " Zm9v", "Zm 9v", "Zm9v====", "-_-_", "Zg==Zg==", "====", "Zm9vé"])(
    "base64 refuses %j, which is not canonical",
    (text) => {
      expect(() => primitives.base64Decode(text)).toThrow()
    },
  )

  it("base64 takes a mebibyte there and back", () => {
    const data = Uint8Array.from({ length: 1024 * 1024 + 1 }, (_, i) => i % 251)
    const text = primitives.base64Encode(data)
    expect(text === Buffer.from(data).toString("base64")).toBe(true)
    expect(Buffer.compare(primitives.base64Decode(text), data)).toBe(0)
  })

  it("returns plain arrays in memory of their own", () => {
    const key = new Uint8Array(32)
    const iv = new Uint8Array(16)
    const results = [
      primitives.randomBytes(32),
      primitives.sha256(key),
      primitives.hmacSha256(key, key),
      primitives.hkdfExpand(key, key, 76),
      primitives.chacha20(key, new Uint8Array(12), key),
      primitives.aes256CbcEncrypt(key, iv, key),
      primitives.aes256CbcDecrypt(key, iv, primitives.aes256CbcEncrypt(key, iv, key)),
      primitives.base64Decode("Zm9v"),
    ]
    for (const result of results) {
      expect(Object.getPrototypeOf(result)).toBe(Uint8Array.prototype)
      // Node's pool of small Buffers is 8 KiB.
      expect(result.buffer.byteLength).toBeLessThan(1_024)
    }
  })

  it("draws random bytes of the length asked for, never the same twice", () => {
    const draws = Array.from({ length: 50 }, () => primitives.randomBytes(32))
    expect(draws.every((draw) => draw.length === 32)).toBe(true)
    expect(new Set(draws.map(bytesToHex)).size).toBe(50)
  })
})

describe("node:crypto and noble give the same bytes", () => {
  const [a, b] = [nodePrimitives, portablePrimitives]

  it("sha256", () => {
    fc.assert(
      fc.property(data, (d) => {
        expect(a.sha256(d)).toEqual(b.sha256(d))
      }),
    )
  })

  it("hmacSha256, keys longer than a block included", () => {
    const key = fc.uint8Array({ maxLength: 100 })
    const parts = fc.array(fc.uint8Array({ maxLength: 80 }), { maxLength: 4 })
    fc.assert(
      fc.property(key, parts, (k, p) => {
        expect(a.hmacSha256(k, ...p)).toEqual(b.hmacSha256(k, ...p))
      }),
    )
  })

  it("hkdfExpand, to RFC 5869's 255 blocks and not beyond", () => {
    const length = fc.oneof(fc.integer({ min: 1, max: 200 }), fc.constant(8_160))
    fc.assert(
      fc.property(bytes(32), fc.uint8Array({ maxLength: 80 }), length, (prk, info, l) => {
        // The two share their loop, so the library's own is the judge of it.
        const expected = expand(sha256, prk, info, l)
        for (const p of [a, b]) expect(p.hkdfExpand(prk, info, l)).toEqual(expected)
      }),
    )
    for (const p of [a, b]) {
      expect(() => p.hkdfExpand(new Uint8Array(32), new Uint8Array(0), 8_161)).toThrow("8160")
      expect(() => p.hkdfExpand(new Uint8Array(31), new Uint8Array(0), 32)).toThrow("32 or more")
    }
  })

  it("chacha20, and back, over views into larger buffers too", () => {
    fc.assert(
      fc.property(bytes(32), bytes(12), data, fc.nat({ max: 7 }), (key, nonce, d, offset) => {
        const view = d.subarray(Math.min(offset, d.length))
        const ciphertext = a.chacha20(key, nonce, view)
        expect(ciphertext).toEqual(b.chacha20(key, nonce, view))
        expect(b.chacha20(key, nonce, ciphertext)).toEqual(view)
      }),
    )
  })

  it("aes256Cbc, and back", () => {
    fc.assert(
      fc.property(bytes(32), bytes(16), data, (key, iv, d) => {
        const ciphertext = a.aes256CbcEncrypt(key, iv, d)
        expect(ciphertext).toEqual(b.aes256CbcEncrypt(key, iv, d))
        expect(b.aes256CbcDecrypt(key, iv, ciphertext)).toEqual(d)
        expect(a.aes256CbcDecrypt(key, iv, ciphertext)).toEqual(d)
      }),
    )
  })

  it("aes256CbcDecrypt of noise: both refuse or both give the same", () => {
    const attempt = (p: typeof a, ...args: [Uint8Array, Uint8Array, Uint8Array]) => {
      try {
        return bytesToHex(p.aes256CbcDecrypt(...args))
      } catch {
        return "refused"
      }
    }
    const outcomes = new Set<string>()
    fc.assert(
      fc.property(bytes(32), bytes(16), bytes(16), (key, iv, noise) => {
        const outcome = attempt(a, key, iv, noise)
        outcomes.add(outcome === "refused" ? "refused" : "opened")
        expect(outcome).toBe(attempt(b, key, iv, noise))
      }),
      { numRuns: 3_000, seed: 1 },
    )
    // One noise block in 256 has padding that holds by chance; both outcomes were compared.
    expect([...outcomes].sort()).toEqual(["opened", "refused"])
  })

  it("base64, and the same verdict on any text", () => {
    const attempt = (p: typeof a, text: string) => {
      try {
        return bytesToHex(p.base64Decode(text))
      } catch {
        return "refused"
      }
    }
    fc.assert(
      fc.property(data, (d) => {
        expect(a.base64Encode(d)).toBe(b.base64Encode(d))
      }),
    )
    const nearly = fc.string({ unit: fc.constantFrom(..."AQgwZz09+/-_= \n".split("")), maxLength: 12 })
    fc.assert(
      fc.property(nearly, (text) => {
        expect(attempt(a, text)).toBe(attempt(b, text))
      }),
      { numRuns: 2_000 },
    )
  })

  it("chacha20 refuses a nonce that is not 12 bytes", () => {
    for (const p of [a, b]) {
      for (const length of [0, 8, 11, 13, 16]) {
        expect(() => p.chacha20(new Uint8Array(32), new Uint8Array(length), new Uint8Array(1))).toThrow()
      }
    }
  })
})
