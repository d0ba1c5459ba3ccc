import { readFileSync } from "node:fs"
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js"
import { describe, expect, it } from "vitest"
import { ALL_CURVES } from "../../test/support/curves.js"
import type { Curve } from "./backend.js"
import { createCompactBackend } from "./compact.js"
import { createNodeBackend } from "./node/index.js"
import { createPortableBackend } from "./portable.js"

const ROWS = readFileSync(new URL("../../../../vectors/bip340.test-vectors.csv", import.meta.url), "utf8")
  .trim()
  .split(/\r?\n/)
  .slice(1)
  .map((line) => {
    const [index, secretKey, pubkey, aux, message, sig, result, comment] = line.toLowerCase().split(",")
    return { index, secretKey, pubkey: pubkey!, aux, message: message!, sig: sig!, valid: result === "true", comment }
  })
/** Nostr signs ids, and an id is 32 bytes. */
const USED = ROWS.filter((row) => row.message.length === 64)

it("uses 15 of BIP-340's 19 rows, good and bad", () => {
  expect(ROWS).toHaveLength(19)
  expect(USED).toHaveLength(15)
  expect(USED.filter((row) => row.valid)).toHaveLength(5)
})

describe.each(ALL_CURVES)("BIP-340 on $title", ({ curve: found }) => {
  if (found === undefined) {
    it.skip("cannot be tried", () => undefined)
    return
  }
  const curve: Curve = found

  it.each(USED)("row $index verifies as $valid $comment", ({ pubkey, message, sig, valid }) => {
    expect(curve.verify(hexToBytes(sig), hexToBytes(message), hexToBytes(pubkey))).toBe(valid)
  })

  const withSecret = USED.filter((row) => row.secretKey)
  it.each(withSecret)("row $index signs to the published bytes", ({ secretKey, pubkey, aux, message, sig }) => {
    const secret = hexToBytes(secretKey!)
    expect(curve.isSecretKey(secret)).toBe(true)
    expect(bytesToHex(curve.publicKey(secret))).toBe(pubkey)
    expect(bytesToHex(curve.sign(hexToBytes(message), secret, hexToBytes(aux!)))).toBe(sig)
  })

  it("has rows to sign", () => {
    expect(withSecret).toHaveLength(4)
  })

  it("knows an x off the curve and an x above p for what they are (rows 5 and 14)", () => {
    const offCurve = USED.filter((row) => row.comment?.startsWith("public key"))
    expect(offCurve.map((row) => row.index)).toEqual(["5", "14"])
    for (const row of USED) expect(curve.isPublicKey(hexToBytes(row.pubkey))).toBe(!offCurve.includes(row))
    for (const row of offCurve) {
      expect(() => curve.ecdh(hexToBytes(withSecret[0]!.secretKey!), hexToBytes(row.pubkey))).toThrow()
    }
  })

  it.each([
    ["zero", "0".repeat(64), false],
    ["one", `${"0".repeat(63)}1`, true],
    ["n - 1", "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140", true],
    ["n", "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", false],
    ["all ones", "f".repeat(64), false],
  ])("a secret key of %s", (_, hex, valid) => {
    expect(curve.isSecretKey(hexToBytes(hex))).toBe(valid)
  })

  it("verify answers false, and does not throw, for arguments of a wrong length", () => {
    const { sig, message, pubkey } = USED[0]!
    const args = [sig, message, pubkey].map(hexToBytes) as [Uint8Array, Uint8Array, Uint8Array]
    expect(curve.verify(...args)).toBe(true)
    for (let i = 0; i < 3; i++) {
      const cut = args.map((arg, j) => (i === j ? arg.subarray(1) : arg)) as typeof args
      expect(curve.verify(...cut)).toBe(false)
    }
  })
})

describe.each([createPortableBackend(), createCompactBackend(), createNodeBackend()])(
  "BIP-340 through $name",
  (crypto) => {
    it.each(USED)("row $index verifies as $valid $comment", ({ pubkey, message, sig, valid }) => {
      const event = { id: message, pubkey, sig, kind: 1, created_at: 0, content: "", tags: [] }
      expect(crypto.verifyEventSignature(event, message)).toBe(valid)
    })
  },
)
