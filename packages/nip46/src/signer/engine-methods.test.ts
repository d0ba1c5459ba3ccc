import * as nip44 from "nostr-tools/nip44"
import { finalizeEvent, generateSecretKey, getPublicKey, verifyEvent } from "nostr-tools/pure"
import { describe, expect, it } from "vitest"
import {
  createBench,
  crypto,
  errorOf,
  eventJson,
  grant,
  RELAYS,
  START,
  signedIn,
} from "../../test/support/signer-bench.js"
import { MAX_EVENT_BYTES } from "../protocol/limits.js"

const resultOf = (reading: object): string => {
  if ("error" in reading || !("result" in reading)) throw new Error(JSON.stringify(reading))
  return String(reading.result)
}

describe("a request as NIP-46 writes it, made by other hands (N46-REQUEST-7, N46-REQUEST-8)", () => {
  async function exchange() {
    const bench = createBench()
    const secretKey = generateSecretKey()
    const clientPubkey = getPublicKey(secretKey)
    await bench.connected([], { clientPubkey })
    const { remoteSignerPubkey } = (await bench.record.connections())[0]!
    const conversation = nip44.getConversationKey(secretKey, remoteSignerPubkey)
    const content = nip44.encrypt('{"id":"3f9a","method":"get_public_key","params":[]}', conversation)
    const template = { kind: 24133, content, tags: [["p", remoteSignerPubkey]], created_at: START }
    const outcome = await bench.engine.handle(finalizeEvent(template, secretKey))
    if (outcome.kind !== "answered") throw new Error(outcome.kind)
    const { userPubkey } = bench
    return { response: outcome.answer.event, clientPubkey, remoteSignerPubkey, conversation, userPubkey }
  }

  it("gets an event of the remote-signer's for the client (N46-RESPONSE-1, N46-RESPONSE-2, N46-RESPONSE-3, N46-RESPONSE-5)", async () => {
    const { response, clientPubkey, remoteSignerPubkey } = await exchange()
    expect(verifyEvent({ ...response })).toBe(true)
    expect(response).toMatchObject({ kind: 24133, pubkey: remoteSignerPubkey, created_at: START })
    expect(response.tags).toEqual([["p", clientPubkey]])
  })

  it("whose content opens with NIP-44, with the request's id (N46-RESPONSE-4, N46-RESPONSE-6, N46-RESPONSE-8)", async () => {
    const { response, conversation, userPubkey } = await exchange()
    expect(JSON.parse(nip44.decrypt(response.content, conversation))).toEqual({ id: "3f9a", result: userPubkey })
  })
})

describe("the methods of NIP-46", () => {
  it("ping, get_public_key, connect: free for a connected client (N46-PING-2, N46-PUBKEY-2)", async () => {
    const bench = createBench()
    const client = await bench.connected()
    expect(await client.ask("ping", [], { id: "1" })).toEqual({ id: "1", result: "pong" })
    expect(await client.ask("get_public_key", [], { id: "2" })).toEqual({ id: "2", result: bench.userPubkey })
    expect(await client.ask("connect", [], { id: "3" })).toEqual({ id: "3", result: "ack" })
  })

  it("sign_event gives the whole event as a JSON string, and alters nothing (QUIRKS signer 5; N46-SIGN-2, N46-SIGN-3, N46-SIGN-4)", async () => {
    const bench = createBench()
    const client = await bench.connected("sign_event:1")
    const template = { kind: 1, content: "\ufeff\u0000 é😀 \u202e", tags: [["t", "", "x"], []], created_at: 5 }
    const event = signedIn(await client.ask("sign_event", [JSON.stringify(template)]))
    expect(event).toEqual({ ...template, pubkey: bench.userPubkey, id: expect.any(String), sig: expect.any(String) })
  })

  it("QUIRKS signer 5: params that are left out are none, and an id is answered as it came, errors too", async () => {
    const bench = createBench()
    const client = await bench.connected()
    const ask = (plaintext: string) => client.ask("", [], { plaintext })
    expect(await ask('{"id":7,"method":"ping"}')).toEqual({ id: 7, result: "pong" })
    expect(await ask('{"id":"7","method":"ping","params":null}')).toEqual({ id: "7", result: "pong" })
    expect(await ask('{"id":0,"method":"get_relays"}')).toMatchObject({ id: 0, result: "error" })
  })

  it("QUIRKS signer 5: sign_event tolerates an object, a numeric id, missing tags and created_at, its own id, sig and pubkey", async () => {
    const bench = createBench()
    const client = await bench.connected("sign_event:1")
    const asObject = await client.ask(
      "sign_event",
      [{ kind: 1, content: "x", id: "", sig: "", pubkey: bench.userPubkey }],
      {
        id: 17,
      },
    )
    expect(asObject).toMatchObject({ id: 17 })
    expect(signedIn(asObject)).toMatchObject({ kind: 1, content: "x", tags: [], created_at: START })
  })

  it.each<[string, unknown[], RegExp]>([
    ["a foreign pubkey", [eventJson(1, "x", { pubkey: "ab".repeat(32) })], /pubkey is not the user's/],
    ["no kind", ['{"content":"x"}'], /kind must be a number/],
    ["no param", [], /needs an event as its first param/],
    ["a kind of NIP-46 itself", [eventJson(24133)], /kind 24133 is never signed/],
    ["a sensitive kind", [eventJson(0)], /signing kind 0 is not permitted for this app; its owner can allow it/],
  ])("QUIRKS signer 5, QUIRKS signer 6: sign_event with %s is an error", async (_, params, message) => {
    const bench = createBench()
    const client = await bench.connected("sign_event,sign_event:24133")
    expect(errorOf(await client.ask("sign_event", params))).toMatch(message)
  })

  it.each(["nip44", "nip04"])(
    "%s with what is no point on the curve is told to the app, and is nobody's fault here",
    async (nip) => {
      const bench = createBench()
      const client = await bench.connected(`${nip}_encrypt`)
      expect(errorOf(await client.ask(`${nip}_encrypt`, ["f".repeat(64), "x"]))).toMatch(/a public key is 64/)
      expect(bench.faults).toEqual([])
    },
  )

  it.each(["nip44", "nip04"])(
    "%s with a third party, both ways, and with oneself (N46-NIP04-2, N46-NIP04-4, N46-NIP44-2, N46-NIP44-4)",
    async (nip) => {
      const bench = createBench()
      const client = await bench.connected(`${nip}_encrypt,${nip}_decrypt`)
      const friend = crypto.keypair(crypto.generateSecretKey())
      const conversation = crypto.conversationKey(friend, bench.userPubkey)
      const text = "Grüße 😀\n"

      const sent = resultOf(await client.ask(`${nip}_encrypt`, [friend.pubkey.toUpperCase(), text]))
      const opened =
        nip === "nip44" ? crypto.nip44Decrypt(sent, conversation) : crypto.nip04Decrypt(sent, friend, bench.userPubkey)
      expect(opened).toBe(text)

      const received =
        nip === "nip44" ? crypto.nip44Encrypt(text, conversation) : crypto.nip04Encrypt(text, friend, bench.userPubkey)
      expect(resultOf(await client.ask(`${nip}_decrypt`, [friend.pubkey, received]))).toBe(text)

      const own = resultOf(await client.ask(`${nip}_encrypt`, [bench.userPubkey, text]))
      expect(resultOf(await client.ask(`${nip}_decrypt`, [bench.userPubkey, own]))).toBe(text)
    },
  )

  it("QUIRKS signer 13: logins, uploads and settings are signed where their kinds are named, and one's own notes opened", async () => {
    const bench = createBench()
    const everyday: [number, string[][]][] = [
      [22242, ["relay wss://relay.example", "challenge x"].map((tag) => tag.split(" "))],
      [27235, ["u https://media.example", "method POST"].map((tag) => tag.split(" "))],
      [24242, [["t", "upload"]]],
      [30078, [["d", "settings"]]],
    ]
    const perms = everyday.map(([kind]) => `sign_event:${kind}`).join()
    const client = await bench.connected(`${perms},nip44_encrypt,nip44_decrypt`)
    for (const [kind, tags] of everyday) {
      for (const content of ["one", "two"]) {
        const param = eventJson(kind, content, { tags })
        expect(signedIn(await client.ask("sign_event", [param]))).toMatchObject({ kind, content, tags })
      }
    }
    const sealed = resultOf(await client.ask("nip44_encrypt", [bench.userPubkey, '[["p","x"]]']))
    expect(resultOf(await client.ask("nip44_decrypt", [bench.userPubkey, sealed]))).toBe('[["p","x"]]')
    const another = await bench.connected("sign_event")
    for (const [kind, tags] of everyday) {
      expect(errorOf(await another.ask("sign_event", [eventJson(kind, "", { tags })]))).toMatch(/not permitted/)
    }
  })

  it("the empty plaintext is a result where NIP-04 carries one (QUIRKS signer 14; N46-NIP04-4)", async () => {
    const bench = createBench()
    const client = await bench.connected("nip04_encrypt,nip04_decrypt")
    const sealed = resultOf(await client.ask("nip04_encrypt", [bench.userPubkey, ""]))
    expect(await client.ask("nip04_decrypt", [bench.userPubkey, sealed], { id: "e" })).toEqual({ id: "e", result: "" })
  })

  it("what does not open is one error, whatever was wrong with it", async () => {
    const bench = createBench()
    const client = await bench.connected("nip04_encrypt,nip04_decrypt")
    const sealed = resultOf(await client.ask("nip04_encrypt", [bench.userPubkey, "x".repeat(40)]))
    const broken = [sealed.replace(/^./, (c) => (c === "A" ? "B" : "A")), sealed.replace(/.iv=.*/, ""), "", "x?iv=y"]
    const errors = await Promise.all(broken.map((text) => client.ask("nip04_decrypt", [bench.userPubkey, text])))
    expect(new Set(errors.map(errorOf)).size).toBe(1)
  })

  it("the client's and the signer's own keys are refused as third parties", async () => {
    const bench = createBench()
    const client = await bench.connected("nip04_encrypt,nip04_decrypt,nip44_encrypt,nip44_decrypt")
    const { remoteSignerPubkey } = await bench.connectionOf(client)
    for (const method of ["nip04_encrypt", "nip04_decrypt", "nip44_encrypt", "nip44_decrypt"]) {
      for (const peer of [client.pubkey, remoteSignerPubkey, remoteSignerPubkey.toUpperCase()]) {
        expect(errorOf(await client.ask(method, [peer, "x"]))).toMatch(/transport key is not somebody to write to/)
      }
    }
  })

  it("a third party that is on no curve is an error", async () => {
    const bench = createBench()
    const client = await bench.connected("nip44_encrypt")
    expect(errorOf(await client.ask("nip44_encrypt", ["ff".repeat(32), "x"]))).toMatch(/public key/)
  })

  it("unknown methods are answered with an error, always (QUIRKS signer 12; N46-ERROR-1)", async () => {
    const bench = createBench()
    const client = await bench.connected()
    for (const method of [
      "get_relays",
      "create_account",
      "describe",
      "__proto__",
      "toString",
      "PING",
      "m".repeat(64),
    ]) {
      expect(errorOf(await client.ask(method))).toMatch(/^unknown method; this signer knows connect,/)
    }
    expect(errorOf(await client.ask("m".repeat(65)))).toMatch(/names no method/)
    expect(errorOf(await client.ask("ping", Array(17).fill("")))).toMatch(/at most 16/)
    expect(errorOf(await client.ask("", [], { plaintext: '{"id":"x"}' }))).toMatch(/names no method/)
  })
})

describe("QUIRKS relays 6: answers that no relay would carry", () => {
  it("are an error that says so", async () => {
    const bench = createBench()
    const client = await bench.connected("nip44_encrypt,nip44_decrypt")
    const sealed = await client.ask("nip44_encrypt", [bench.userPubkey, "x".repeat(36_000)])
    expect(errorOf(sealed)).toBe("the answer is longer than 40960 bytes, which no relay would carry")
    // 21,000 quotes fit, but not once each is escaped in the message.
    const user = await bench.keys.userKey(bench.userPubkey)
    const quotes = crypto.nip44Encrypt('"'.repeat(21_000), crypto.conversationKey(user, bench.userPubkey))
    expect(errorOf(await client.ask("nip44_decrypt", [bench.userPubkey, quotes]))).toMatch(/longer than 40960 bytes/)
  })

  it("whatever is sent fits an event of 64 KiB", async () => {
    const bench = createBench()
    const client = await bench.connected("nip44_decrypt")
    const conversation = crypto.conversationKey(await bench.keys.userKey(bench.userPubkey), bench.userPubkey)
    for (const text of ['"'.repeat(15_000), "x".repeat(24_000), "\u0001".repeat(8_000), "é".repeat(12_000)]) {
      const event = client.request("nip44_decrypt", [bench.userPubkey, crypto.nip44Encrypt(text, conversation)])
      const outcome = await bench.engine.handle(event)
      if (outcome.kind !== "answered") throw new Error(outcome.kind)
      expect(JSON.stringify(outcome.answer.event).length).toBeLessThan(MAX_EVENT_BYTES)
    }
  })
})

describe("switch_relays (QUIRKS signer 7)", () => {
  it("no change is the string null (N46-SWITCH-3)", async () => {
    const bench = createBench()
    const client = await bench.connected([], { clientRelays: [...RELAYS].reverse() })
    expect(await client.ask("switch_relays", [], { id: "s" })).toEqual({ id: "s", result: "null" })
  })

  it("a list that differs is told once, as a JSON string, where the client still listens and where it will (N46-SWITCH-3, N46-SWITCH-6)", async () => {
    const bench = createBench()
    const old = ["wss://old.example", RELAYS[0]!]
    const client = await bench.connected([], { clientRelays: old })
    const outcome = await bench.engine.handle(client.request("switch_relays", [], { id: "s" }))
    if (outcome.kind !== "answered") throw new Error(outcome.kind)
    expect(client.open(outcome.answer)).toEqual({ id: "s", result: JSON.stringify(RELAYS) })
    expect(outcome.answer.relays).toEqual([...RELAYS, "wss://old.example"])
    expect(await client.ask("switch_relays")).toMatchObject({ result: "null" })
    expect((await bench.connectionOf(client)).clientRelays).toEqual(RELAYS)
  })

  it("a client that never asks is answered where it listens", async () => {
    const bench = createBench()
    const client = await bench.connected([], { clientRelays: ["wss://old.example"] })
    const outcome = await bench.engine.handle(client.request("ping"))
    expect(outcome).toMatchObject({ answer: { relays: [...RELAYS, "wss://old.example"] } })
  })

  it("serves a client at its old relays until it is seen at a new one: an answer can be lost", async () => {
    const bench = createBench()
    const old = ["wss://old.example"]
    const client = await bench.connected([], { clientRelays: old })
    const ask = async (method: string, via: string) => {
      const outcome = await bench.engine.handle(client.request(method), [via])
      if (outcome.kind !== "answered") throw new Error(outcome.kind)
      return { result: client.open(outcome.answer), relays: outcome.answer.relays }
    }
    for (let n = 0; n < 2; n++) {
      expect(await ask("switch_relays", "wss://old.example")).toMatchObject({
        result: { result: JSON.stringify(RELAYS) },
        relays: [...RELAYS, ...old],
      })
    }
    expect((await ask("ping", "wss://old.example")).relays).toEqual([...RELAYS, ...old])
    expect((await bench.connectionOf(client)).clientRelays).toEqual(old)

    await ask("ping", RELAYS[1] as string)
    expect((await bench.connectionOf(client)).clientRelays).toEqual(RELAYS)
    const moved = await ask("switch_relays", RELAYS[1] as string)
    expect(moved).toMatchObject({ result: { result: "null" }, relays: RELAYS })
  })

  it("says nothing new to a client that asks at a new relay, though nobody saw it there before", async () => {
    const bench = createBench()
    const client = await bench.connected([], { clientRelays: ["wss://old.example"] })
    const outcome = await bench.engine.handle(client.request("switch_relays", [], { id: "s" }), [RELAYS[0] as string])
    if (outcome.kind !== "answered") throw new Error(outcome.kind)
    expect(client.open(outcome.answer)).toEqual({ id: "s", result: "null" })
  })

  it("takes its word where fewer relays are served than before: no relay would tell", async () => {
    const bench = createBench()
    const client = await bench.connected([], { clientRelays: [...RELAYS, "wss://old.example"] })
    await bench.engine.handle(client.request("switch_relays"), [RELAYS[0] as string])
    expect((await bench.connectionOf(client)).clientRelays).toEqual(RELAYS)
  })
})

describe("grants that end", () => {
  it("uses are exact under concurrency, and every request is answered", async () => {
    const bench = createBench()
    const client = await bench.connected([grant("sign_event", "1", { usesLeft: 7 })])
    const readings = await Promise.all(Array.from({ length: 30 }, () => client.ask("sign_event", [eventJson()])))
    expect(readings.filter((reading) => !("error" in reading)).map(signedIn)).toHaveLength(7)
    expect(readings.filter((reading) => "error" in reading && /not permitted/.test(errorOf(reading)))).toHaveLength(23)
    expect((await bench.connectionOf(client)).grants[0]?.usesLeft).toBe(0)
  })

  it("one use is one use, over duplicates and repeats of the request", async () => {
    const bench = createBench()
    const client = await bench.connected([grant("sign_event", "1", { usesLeft: 2 })])
    for (let i = 0; i < 5; i++) {
      signedIn(await client.ask("sign_event", [eventJson()], { id: "same" }))
      bench.advance(3_000)
    }
    expect((await bench.connectionOf(client)).grants[0]?.usesLeft).toBe(1)
  })

  it("a grant expires by the signer's clock", async () => {
    const bench = createBench()
    const client = await bench.connected([grant("sign_event", "1", { expiresAt: START + 60 })])
    bench.advance(59_000)
    signedIn(await client.ask("sign_event", [eventJson()]))
    bench.advance(1_000)
    expect(errorOf(await client.ask("sign_event", [eventJson()]))).toMatch(/not permitted/)
  })

  it("deny wins", async () => {
    const bench = createBench()
    const client = await bench.connected([grant("sign_event"), grant("sign_event", "1", { effect: "deny" })])
    expect(errorOf(await client.ask("sign_event", [eventJson(1)]))).toBe("the owner denies signing kind 1 to this app")
    signedIn(await client.ask("sign_event", [eventJson(2)]))
  })
})
