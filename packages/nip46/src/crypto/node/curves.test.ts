import { describe, expect, it } from "vitest"
import { ALL_CURVES, CURVES } from "../../../test/support/curves.js"
import type { Curve } from "../backend.js"
import { createBackend } from "../create-backend.js"
import { chooseCurve, createNodeBackend, nodePrimitives } from "./index.js"

const ROUNDS = 10_000
const { randomBytes } = nodePrimitives
const N = BigInt("0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141")
const P = BigInt("0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f")

/** What a call comes to, so that curves can be compared: bytes, a verdict, or that it throws. */
function outcome(call: () => Uint8Array | boolean): string {
  try {
    const value = call()
    return typeof value === "boolean" ? String(value) : Buffer.from(value).toString("hex")
  } catch {
    return "throws"
  }
}

const IN_JAVASCRIPT: readonly string[] = ["portable", "compact"]
const bytesOf = (value: bigint): Uint8Array => Buffer.from(value.toString(16).padStart(64, "0"), "hex")
describe.each(ALL_CURVES)("$title", ({ kind, curve: found }) => {
  if (found === undefined) {
    it.skip("cannot be tried", () => undefined)
    return
  }
  const curve: Curve = found
  // The fastest of the others: curves in JavaScript are a hundred times slower, and two of them would take minutes.
  const reference = ALL_CURVES.find((other) => other.kind !== kind && other.curve !== undefined)?.curve as Curve
  const same = (call: (curve: Curve) => Uint8Array | boolean): void => {
    expect(outcome(() => call(curve))).toBe(outcome(() => call(reference)))
  }

  it(`agrees with ${reference.name} on ${ROUNDS} random inputs`, { timeout: 300_000 }, () => {
    let secret = randomBytes(32)
    let pubkey = reference.publicKey(secret)
    for (let round = 0; round < ROUNDS; round++) {
      const [message, aux] = [randomBytes(32), randomBytes(32)]
      const signature = reference.sign(message, secret, aux)
      if (round % 2 === 0) same((each) => each.sign(message, secret, aux))
      else if (!curve.verify(signature, message, pubkey)) throw new Error(`round ${round}: it does not verify`)
      if (round % 10 !== 0) continue
      const peer = pubkey
      secret = randomBytes(32)
      pubkey = reference.publicKey(secret)
      same((each) => each.publicKey(secret))
      same((each) => each.ecdh(secret, peer))
    }
  })

  it(`agrees with ${reference.name} on ${ROUNDS} malformed inputs`, { timeout: 300_000 }, () => {
    const secret = randomBytes(32)
    const pubkey = reference.publicKey(secret)
    const message = randomBytes(32)
    const signature = reference.sign(message, secret, randomBytes(32))
    const edges = [0n, 1n, N - 1n, N, N + 1n, P - 1n, P, P + 1n, 2n ** 256n - 1n].map(bytesOf)
    for (let round = 0; round < ROUNDS; round++) {
      const flip = (bytes: Uint8Array): Uint8Array => {
        const flipped = Uint8Array.from(bytes)
        const at = Math.floor(Math.random() * flipped.length)
        flipped[at] = (flipped[at] ?? 0) ^ (1 << Math.floor(Math.random() * 8))
        return flipped
      }
      const edge = edges[round % edges.length] as Uint8Array
      const x = round % 2 === 0 ? edge : round % 4 === 1 ? flip(pubkey) : randomBytes(32)
      same((each) => each.isPublicKey(x))
      same((each) => each.isSecretKey(edge))
      const [s, m, k] = [
        [flip(signature), message, pubkey],
        [signature, flip(message), pubkey],
        [signature, message, x],
        [Uint8Array.from([...signature.slice(0, 32), ...edge]), message, pubkey],
        [Uint8Array.from([...edge, ...signature.slice(32)]), message, pubkey],
      ][round % 5] as [Uint8Array, Uint8Array, Uint8Array]
      expect(curve.verify(s, m, k)).toBe(false)
      expect(reference.verify(s, m, k)).toBe(false)
      if (round % 20 !== 0) continue
      same((each) => each.publicKey(edge))
      same((each) => each.ecdh(edge, pubkey))
      same((each) => each.ecdh(secret, x))
    }
  })

  it("a fuzz of lengths never ends the process, and never counts as genuine", { timeout: 120_000 }, () => {
    const secret = randomBytes(32)
    const length = (): number => Math.floor(Math.random() * 140)
    for (let round = 0; round < ROUNDS; round++) {
      const [a, b, c] = [randomBytes(length()), randomBytes(length()), randomBytes(length())]
      expect(curve.verify(a, b, c)).toBe(false)
      if (a.length !== 32) {
        expect(curve.isSecretKey(a)).toBe(false)
        expect(curve.isPublicKey(a)).toBe(false)
        expect(outcome(() => curve.publicKey(a))).toBe("throws")
        // BIP-340 itself signs messages of any length, and the curves in JavaScript are all of it.
        if (!IN_JAVASCRIPT.includes(kind)) expect(outcome(() => curve.sign(a, secret, b))).toBe("throws")
        expect(outcome(() => curve.sign(b, a, c))).toBe("throws")
        expect(outcome(() => curve.ecdh(a, secret))).toBe("throws")
        expect(outcome(() => curve.ecdh(secret, a))).toBe("throws")
      }
    }
  })

  it("signs with a key no more once its handle is wiped", () => {
    const backend = createBackend(nodePrimitives, curve)
    const keypair = backend.keypair(backend.generateSecretKey())
    const template = { kind: 1, content: "", tags: [], created_at: 1 }
    expect(backend.verifyEvent(backend.signEvent(template, keypair))).toBe(true)
    keypair.wipe()
    expect(() => backend.signEvent(template, keypair)).toThrow("wiped")
  })
})

describe("chooseCurve", () => {
  it("takes the fastest that is here, and says what the faster ones lack", () => {
    const fastest = CURVES.findIndex(({ curve }) => curve !== undefined)
    const { kind, missing } = chooseCurve()
    expect(kind).toBe(CURVES[fastest]?.kind)
    expect(missing).toHaveLength(fastest)
  })

  it("gives the one that is asked for", () => {
    expect(chooseCurve("portable")).toMatchObject({ kind: "portable", missing: [] })
    expect(createNodeBackend({ curve: "portable" }).name).toBe("noble + node:crypto")
  })

  it.each(CURVES.filter(({ curve }) => curve === undefined))(
    "says what $kind needs where it is not here",
    ({ kind }) => {
      expect(() => chooseCurve(kind)).toThrow(/cannot be used \(.+\); it needs the npm package/)
    },
  )
})
