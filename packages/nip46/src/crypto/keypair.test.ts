import { Console } from "node:console"
import { Writable } from "node:stream"
import { inspect } from "node:util"
import { bytesToHex } from "@noble/hashes/utils.js"
import { describe, expect, it } from "vitest"
import type { Keypair } from "./backend.js"
import { createKeypair, secretOf, whenWiped } from "./keypair.js"
import { createPortableBackend } from "./portable.js"

const SECRET = Uint8Array.from({ length: 32 }, (_, i) => 0xa1 + i)
const keypair = createPortableBackend().keypair(SECRET)

/** The key in every spelling in which printing bytes could show it: hex, base64, lists of numbers. */
const SPELLINGS = [
  bytesToHex(SECRET),
  Buffer.from(SECRET).toString("hex", 0, 8),
  Buffer.from(SECRET).toString("base64"),
  [...SECRET.subarray(0, 4)].join(", "),
  [...SECRET.subarray(0, 4)].join(","),
  JSON.stringify(SECRET).slice(1, 24),
  "Uint8Array",
]

function printed(value: unknown): string {
  let text = ""
  const sink = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk)
      done()
    },
  })
  const console = new Console(sink)
  console.log(value)
  console.log("%o %O %j %s", value, value, value, value)
  console.dir(value, { showHidden: true, depth: null })
  return text
}

describe("a keypair handle", () => {
  it.each<[string, (k: Keypair) => string]>([
    ["JSON.stringify", (k) => JSON.stringify(k)],
    ["String", (k) => String(k as unknown)],
    ["util.inspect", (k) => inspect(k)],
    [
      "util.inspect with everything shown",
      (k) => inspect(k, { showHidden: true, depth: null, getters: true, showProxy: true, maxArrayLength: null }),
    ],
    ["console", printed],
    ["an Error's cause", (k) => inspect(new Error("failed", { cause: { keypair: k } }), { depth: null })],
    ["own properties", (k) => inspect(Object.getOwnPropertyDescriptors(k), { showHidden: true, depth: null })],
    ["the source of its functions", (k) => k.wipe.toString()],
  ])("shows no key to %s", (_, show) => {
    const text = show(keypair)
    expect(text.length).toBeGreaterThan(0)
    for (const spelling of SPELLINGS) expect(text).not.toContain(spelling)
  })

  it("is a test that would see a key", () => {
    const leaky = { pubkey: keypair.pubkey, secret: SECRET }
    for (const show of [JSON.stringify, inspect, printed] as ((value: unknown) => string)[]) {
      expect(SPELLINGS.some((spelling) => show(leaky).includes(spelling))).toBe(true)
    }
  })

  it("prints as its pubkey", () => {
    expect(JSON.parse(JSON.stringify(keypair))).toEqual({ pubkey: keypair.pubkey })
  })

  it("cannot be given another pubkey", () => {
    expect(() => {
      ;(keypair as { pubkey: string }).pubkey = "a".repeat(64)
    }).toThrow(TypeError)
  })

  it("cannot be posted to another thread", () => {
    expect(() => structuredClone(keypair)).toThrow(/could not be cloned/)
  })

  it("wipe zeroes the bytes that it held", () => {
    const handle = createKeypair(SECRET, keypair.pubkey)
    const held = secretOf(handle)
    expect(held).toEqual(SECRET)
    handle.wipe()
    expect(held).toEqual(new Uint8Array(32))
    expect(SECRET[0]).toBe(0xa1)
    expect(() => secretOf(handle)).toThrow(expect.objectContaining({ code: "INVALID_KEY" }))
  })
})

it("tells once for all whoever keeps something of a secret that it is wiped, however often it was kept", () => {
  const handle = createKeypair(SECRET, keypair.pubkey)
  const secret = secretOf(handle)
  const told: Uint8Array[] = []
  const forget = (wiped: Uint8Array): number => told.push(wiped)
  for (let n = 0; n < 3; n++) whenWiped(secret, forget)
  handle.wipe()
  handle.wipe()
  expect(told).toEqual([secret])
})
