import { expect, it } from "vitest"
import { createPortableBackend } from "../crypto/portable.js"
import { SignerEngine } from "./engine.js"
import { createMemoryKeys } from "./memory-keys.js"
import { createMemoryRecord } from "./memory-record.js"
import type { Connection } from "./ports.js"

const crypto = createPortableBackend()
const invalidKey = expect.objectContaining({ code: "INVALID_KEY" })
const connectionOf = ({ pubkey, sealed }: { pubkey: string; sealed: Uint8Array }) =>
  ({ remoteSignerPubkey: pubkey, sealedTransportKey: sealed }) as Connection

it("gives back each transport key to its own connection only", async () => {
  const keys = createMemoryKeys(crypto)
  const [one, two] = [await keys.createTransportKey(), await keys.createTransportKey()]
  expect((await keys.transportKey(connectionOf(one))).pubkey).toBe(one.pubkey)
  expect((await keys.transportKey(connectionOf(two))).pubkey).toBe(two.pubkey)
  for (const sealed of [two.sealed, new Uint8Array(), Uint8Array.of(255, 255, 255, 255)]) {
    await expect(keys.transportKey(connectionOf({ pubkey: one.pubkey, sealed }))).rejects.toThrow(invalidKey)
  }
})

it("takes a user key, or makes one, and leaves the caller's bytes alone", async () => {
  const keys = createMemoryKeys(crypto)
  const secretKey = new Uint8Array(32).fill(7)
  const pubkey = keys.addUserKey(secretKey)
  expect(secretKey).toEqual(new Uint8Array(32).fill(7))
  expect((await keys.userKey(pubkey)).pubkey).toBe(crypto.keypair(secretKey).pubkey)
  expect(keys.addUserKey()).not.toBe(keys.addUserKey())
  await expect(keys.userKey("00".repeat(32))).rejects.toThrow(invalidKey)
  expect(() => keys.addUserKey(new Uint8Array(32))).toThrow(invalidKey)
})

it("close wipes what it gave", async () => {
  const keys = createMemoryKeys(crypto)
  const pubkey = keys.addUserKey()
  const keypair = await keys.userKey(pubkey)
  keys.close()
  await expect(keys.userKey(pubkey)).rejects.toThrow(invalidKey)
  expect(() => crypto.signEvent({ kind: 1, content: "", tags: [], created_at: 0 }, keypair)).toThrow(invalidKey)
})

it("the example in the docs", async () => {
  const keys = createMemoryKeys(crypto)
  const engine = new SignerEngine({ record: createMemoryRecord(), keys, crypto })
  const userPubkey = keys.addUserKey()
  const offered = await engine.offer({ userPubkey, permissions: [], relays: ["wss://relay.example"], ttl: 600 })
  expect(offered.token).toMatch(/^bunker:\/\/[0-9a-f]{64}\?relay=wss%3A%2F%2Frelay\.example&secret=[0-9a-f]{32}$/)
})
