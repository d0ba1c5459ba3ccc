import { expect, it } from "vitest"
import { createBench, START } from "../../test/support/signer-bench.js"
import { parseBunkerToken } from "../protocol/connection-token.js"

it("every token has its own signer key, its own secret of 128 bits, and never the user key (N46-BUNKER-1)", async () => {
  const bench = createBench()
  const offers = await Promise.all(Array.from({ length: 20 }, () => bench.offer()))
  const tokens = offers.map(({ token }) => parseBunkerToken(token))
  expect(new Set(tokens.map(({ remoteSignerPubkey }) => remoteSignerPubkey)).size).toBe(20)
  expect(new Set(tokens.map(({ secret }) => secret)).size).toBe(20)
  for (const { remoteSignerPubkey, secret, relays } of tokens) {
    expect(remoteSignerPubkey).not.toBe(bench.userPubkey)
    expect(secret).toMatch(/^[0-9a-f]{32}$/)
    expect(relays).toEqual(["wss://one.example", "wss://two.example"])
  }
})

it("invariant 9: the record keeps of the secret its hash alone", async () => {
  const bench = createBench()
  const { secret, token } = await bench.offer("sign_event:1")
  const stored = JSON.stringify([await bench.record.connections(), bench.record.audit])
  expect(stored).not.toContain(secret)
  expect(stored).not.toContain(token)
})

it("what is stored is what was granted, from now until the token dies", async () => {
  const bench = createBench()
  const { connection } = await bench.offer("sign_event:1,nip44_encrypt", 60)
  expect(await bench.record.connections()).toEqual([connection])
  expect(connection).toMatchObject({
    state: "offered",
    clientPubkey: undefined,
    userPubkey: bench.userPubkey,
    secretExpiresAt: START + 60,
    grants: [
      { method: "sign_event", param: "1", effect: "allow", usesLeft: undefined, expiresAt: undefined },
      { method: "nip44_encrypt", param: undefined, effect: "allow" },
    ],
  })
})

it("without a relay nothing is made", async () => {
  const bench = createBench()
  const { userPubkey } = bench
  for (const relays of [[], ["https://relay.example"]]) {
    await expect(bench.engine.offer({ userPubkey, permissions: [], relays, ttl: 60 })).rejects.toMatchObject({
      code: "INVALID_TOKEN",
      details: { field: "relay" },
    })
  }
  expect(await bench.record.connections()).toEqual([])
})
