import { describe, expect, it } from "vitest"
import { createBench, errorOf, eventJson, RELAYS, signedIn } from "../../test/support/signer-bench.js"

describe("connect with a bunker:// token", () => {
  it("the answer is ack, never the secret (QUIRKS signer 1; N46-CONNECT-3)", async () => {
    const bench = createBench()
    const { connection, secret } = await bench.offer("sign_event:1")
    const client = bench.client(connection.remoteSignerPubkey)
    expect(await client.ask("connect", [connection.remoteSignerPubkey, secret], { id: "abc" })).toEqual({
      id: "abc",
      result: "ack",
    })
    expect(await client.ask("get_public_key")).toMatchObject({ result: bench.userPubkey })
    signedIn(await client.ask("sign_event", [eventJson(1)]))
  })

  it("the first param authorizes nobody and stops nobody (QUIRKS signer 2)", async () => {
    const bench = createBench()
    const npub = "npub1sn0wdenkukak0d9dfczzeacvhkrgz92ak56egt7vdgzn8pv2wfqqhrjdv9"
    for (const given of ["", npub, "the client's own", bench.userPubkey, null, 7]) {
      const { connection, secret } = await bench.offer()
      const client = bench.client(connection.remoteSignerPubkey)
      const first = given === "the client's own" ? client.pubkey : given
      expect(errorOf(await client.ask("connect", [first]))).toMatch(/secret is not that of this connection token/)
      expect(await client.ask("connect", [first, secret])).toMatchObject({ result: "ack" })
    }
  })

  it("QUIRKS signer 2: the secret of one token opens no other, whichever is named", async () => {
    const bench = createBench()
    const [one, two] = [await bench.offer("sign_event:1"), await bench.offer()]
    const client = bench.client(one.connection.remoteSignerPubkey)
    expect(errorOf(await client.ask("connect", ["", two.secret]))).toMatch(/secret is not that/)
    const named = client.ask("connect", [two.connection.remoteSignerPubkey, two.secret])
    expect(errorOf(await named)).toMatch(/secret is not that/)
  })

  it.each<[string, unknown[]]>([
    ["none", []],
    ["an empty one", [""]],
    ["null", [null]],
    ["a shorter one", ["0123"]],
    ["the hash of it", ["HASH"]],
    ["it in upper case", ["UPPER"]],
    ["it with a space", ["SPACE"]],
  ])("with %s for the secret nobody connects, and the token still works", async (_, [given]) => {
    const bench = createBench()
    const { connection, secret } = await bench.offer("sign_event:1")
    const forms: Record<string, unknown> = {
      HASH: connection.secretHash,
      UPPER: /[a-f]/.test(secret) ? secret.toUpperCase() : `0${secret}`,
      SPACE: `${secret} `,
    }
    const wrong = typeof given === "string" ? (forms[given] ?? given) : given
    const params = given === undefined ? [""] : ["", wrong]
    const client = bench.client(connection.remoteSignerPubkey)
    expect(errorOf(await client.ask("connect", params))).toMatch(/secret is not that/)
    expect(errorOf(await client.ask("get_public_key"))).toMatch(/not connected/)
    expect((await bench.record.connections())[0]).toEqual(connection)
    expect(await client.ask("connect", ["", secret])).toMatchObject({ result: "ack" })
  })

  it("what the client says of itself and asks for is shown, not granted (NIP-46 §Client metadata; N46-CONNECT-2, N46-METADATA-4)", async () => {
    const bench = createBench()
    const { connection, secret } = await bench.offer("sign_event:1")
    const client = bench.client(connection.remoteSignerPubkey)
    const metadata = JSON.stringify({ name: "Notes", url: "https://notes.example", icon: "https://i", admin: true })
    await client.ask("connect", ["", secret, "sign_event,nip44_decrypt", metadata])
    expect(await bench.connectionOf(client)).toMatchObject({
      state: "active",
      app: { name: "Notes", url: "https://notes.example", image: "https://i" },
      requestedPerms: "sign_event,nip44_decrypt",
      grants: connection.grants,
    })
    signedIn(await client.ask("sign_event", [eventJson(1)]))
    expect(errorOf(await client.ask("sign_event", [eventJson(2)]))).toMatch(/signing kind 2 is not permitted/)
    expect(errorOf(await client.ask("nip44_decrypt", [bench.userPubkey, "x"]))).toMatch(/not permitted/)
  })

  it("whatever the client says of itself, the same is permitted and refused (N46-METADATA-5)", async () => {
    const bench = createBench()
    const trusted = await bench.offer("sign_event,nip44_decrypt")
    await bench
      .client(trusted.connection.remoteSignerPubkey)
      .ask("connect", ["", trusted.secret, "", '{"name":"Trusted","url":"https://trusted.example"}'])
    const outcomes = new Set<string>()
    for (const metadata of [
      undefined,
      '{"name":"Notes"}',
      '{"name":"Trusted","url":"https://trusted.example"}',
      '{"name":"Casemate","perms":"sign_event,nip44_decrypt","role":"owner"}',
      '{"grants":[{"method":"sign_event","effect":"allow"}],"state":"revoked"}',
      '{"name":""}',
      "not JSON",
    ]) {
      const { connection, secret } = await bench.offer("sign_event:1")
      const client = bench.client(connection.remoteSignerPubkey)
      await client.ask("connect", ["", secret, "", ...(metadata === undefined ? [] : [metadata])])
      signedIn(await client.ask("sign_event", [eventJson(1)]))
      const refused = [
        await client.ask("sign_event", [eventJson(2)]),
        await client.ask("nip44_decrypt", [bench.userPubkey, "x"]),
      ]
      outcomes.add(JSON.stringify([refused.map(errorOf), await client.ask("get_public_key", [], { id: "k" })]))
    }
    expect(outcomes.size).toBe(1)
  })

  it.each<[string, unknown[], { app: object; requestedPerms: string }]>([
    ["metadata after empty perms", ["", { name: "Notes" }], { app: { name: "Notes" }, requestedPerms: "" }],
    ["perms alone", ["sign_event:1"], { app: {}, requestedPerms: "sign_event:1" }],
    ["neither", [], { app: {}, requestedPerms: "" }],
    ["metadata that is none", ["", "[[[["], { app: {}, requestedPerms: "" }],
    ["perms without end", ["p".repeat(20_000)], { app: {}, requestedPerms: "p".repeat(1_024) }],
  ])("connect with %s (N46-METADATA-3)", async (_, rest, expected) => {
    const bench = createBench()
    const { connection, secret } = await bench.offer()
    const client = bench.client(connection.remoteSignerPubkey)
    expect(await client.ask("connect", ["", secret, ...rest])).toMatchObject({ result: "ack" })
    expect(await bench.connectionOf(client)).toMatchObject(expected)
  })

  it("a token that died is told so", async () => {
    const bench = createBench()
    const { connection, secret } = await bench.offer("", 60)
    bench.advance(60_000)
    const client = bench.client(connection.remoteSignerPubkey)
    expect(errorOf(await client.ask("connect", ["", secret]))).toMatch(/token has expired; make a new one/)
    expect((await bench.record.connections())[0]).toEqual(connection)
  })

  it("a token lives to its last second", async () => {
    const bench = createBench()
    const { connection, secret } = await bench.offer("", 60)
    bench.advance(59_999)
    const client = bench.client(connection.remoteSignerPubkey)
    expect(await client.ask("connect", ["", secret])).toMatchObject({ result: "ack" })
  })

  it("a token that was revoked before anyone used it opens nothing", async () => {
    const bench = createBench()
    const { connection, secret } = await bench.offer("")
    const audit = bench.record.audit[0]!
    expect(await bench.record.setState(connection.id, "revoked", audit)).toBe(true)
    const client = bench.client(connection.remoteSignerPubkey)
    expect(errorOf(await client.ask("connect", ["", secret]))).toMatch(/was revoked/)
  })
})

describe("invariant 4: a client that never connected gets nothing, not even a public key", () => {
  it("every method but connect, at an offered and at a used connection", async () => {
    const bench = createBench()
    const everything = "sign_event,nip04_encrypt,nip04_decrypt,nip44_encrypt,nip44_decrypt"
    const { connection } = await bench.offer(everything)
    const used = await bench.connected(everything)
    const { remoteSignerPubkey } = await bench.connectionOf(used)
    const methods: [string, unknown[]][] = [
      ["ping", []],
      ["get_public_key", []],
      ["switch_relays", []],
      ["logout", []],
      ["sign_event", [eventJson(1)]],
      ["nip04_encrypt", [bench.userPubkey, "x"]],
      ["nip04_decrypt", [bench.userPubkey, "x"]],
      ["nip44_encrypt", [bench.userPubkey, "x"]],
      ["nip44_decrypt", [bench.userPubkey, "x"]],
      ["get_relays", []],
    ]
    const stranger = bench.client(connection.remoteSignerPubkey)
    const before = [await bench.record.connections(), [...bench.record.audit]]
    for (const [method, params] of methods) {
      for (const client of [stranger, stranger.at(remoteSignerPubkey)]) {
        const reading = await client.ask(method, params)
        expect(errorOf(reading)).toMatch(/not connected|already used by another app/)
        expect(JSON.stringify(reading)).not.toContain(bench.userPubkey)
      }
    }
    expect([await bench.record.connections(), [...bench.record.audit]]).toEqual(before)
  })
})

describe("invariant 5: a second connect never widens a grant", () => {
  it("a connected client gets its ack with any secret or none (QUIRKS signer 3)", async () => {
    const bench = createBench()
    const { connection, secret } = await bench.offer("sign_event:1")
    const client = bench.client(connection.remoteSignerPubkey)
    await client.ask("connect", ["", secret, "sign_event:1", '{"name":"Notes"}'])
    const before = await bench.connectionOf(client)
    for (const params of [
      [],
      [""],
      ["", secret],
      ["", "wrong"],
      ["", secret, "sign_event,nip44_decrypt", '{"name":"Evil"}'],
    ]) {
      expect(await client.ask("connect", params)).toMatchObject({ result: "ack" })
    }
    expect(await bench.connectionOf(client)).toEqual(before)
    expect(errorOf(await client.ask("sign_event", [eventJson(2)]))).toMatch(/not permitted/)
  })

  it("another client with the used secret is told that it was used, and the first stays connected (QUIRKS signer 3; N46-BUNKER-6)", async () => {
    const bench = createBench()
    const { connection, secret } = await bench.offer("sign_event:1")
    const [first, second] = [bench.client(connection.remoteSignerPubkey), bench.client(connection.remoteSignerPubkey)]
    await first.ask("connect", ["", secret])
    const refusal = errorOf(await second.ask("connect", ["", secret]))
    expect(refusal).toMatch(/already used by another app; make a new one/)
    expect(errorOf(await second.ask("sign_event", [eventJson(1)]))).toMatch(/already used/)
    signedIn(await first.ask("sign_event", [eventJson(1)]))
  })

  it("a revoked connection stays revoked, whatever its client sends (N46-LOGOUT-7)", async () => {
    const bench = createBench()
    const { connection, secret } = await bench.offer("sign_event:1")
    const client = bench.client(connection.remoteSignerPubkey)
    await client.ask("connect", ["", secret])
    await bench.record.setState(connection.id, "revoked", bench.record.audit[0]!)
    expect(await bench.record.setState(connection.id, "active", bench.record.audit[0]!)).toBe(false)
    for (const [method, params] of [
      ["connect", ["", secret]],
      ["ping", []],
      ["sign_event", [eventJson(1)]],
    ] as const) {
      expect(errorOf(await client.ask(method, params))).toMatch(/was revoked/)
    }
    expect((await bench.record.connections())[0]?.state).toBe("revoked")
  })
})

describe("invariant 3: a secret is redeemed at most once", () => {
  it("of 40 who race for one secret, one gets the ack and 39 an error that says why (N46-BUNKER-5)", async () => {
    const bench = createBench()
    const { connection, secret } = await bench.offer("sign_event:1")
    const racers = Array.from({ length: 40 }, () => bench.client(connection.remoteSignerPubkey))
    const readings = await Promise.all(racers.map((racer) => racer.ask("connect", ["", secret])))
    const acks = readings.flatMap((reading, i) => ("result" in reading && reading.result === "ack" ? [racers[i]!] : []))
    expect(acks).toHaveLength(1)
    expect(readings.filter((reading) => "error" in reading && /already used/.test(errorOf(reading)))).toHaveLength(39)
    expect((await bench.connectionOf(acks[0]!)).id).toBe(connection.id)
  })

  it("one client that connects twice at once is acked twice and bound once", async () => {
    const bench = createBench()
    const { connection, secret } = await bench.offer()
    const client = bench.client(connection.remoteSignerPubkey)
    const readings = await Promise.all([client.ask("connect", ["", secret]), client.ask("connect", ["", secret])])
    for (const reading of readings) expect(reading).toMatchObject({ result: "ack" })
    expect((await bench.connectionOf(client)).revision).toBe(1)
  })
})

describe("paused, resumed, expired", () => {
  it("a paused client is told so on every method, connect included, and served again afterwards", async () => {
    const bench = createBench()
    const client = await bench.connected("sign_event:1")
    const { id } = await bench.connectionOf(client)
    await bench.record.setState(id, "paused", bench.record.audit[0]!)
    for (const [method, params] of [
      ["connect", []],
      ["ping", []],
      ["get_public_key", []],
      ["sign_event", [eventJson()]],
    ] as const) {
      expect(errorOf(await client.ask(method, params))).toBe("the owner has paused this app")
    }
    await bench.record.setState(id, "active", bench.record.audit[0]!)
    signedIn(await client.ask("sign_event", [eventJson()]))
  })

  it("a paused client may leave, and nothing else", async () => {
    const bench = createBench()
    const client = await bench.connected("sign_event:1")
    const { id } = await bench.connectionOf(client)
    await bench.record.setState(id, "paused", bench.record.audit[0]!)
    expect(await client.ask("logout")).toMatchObject({ result: "ack" })
    expect((await bench.connectionOf(client)).state).toBe("logged_out")
  })

  it("a session that expired is told so and gets nothing (N46-LOGOUT-7)", async () => {
    const bench = createBench()
    const client = await bench.connected("sign_event:1", { expiresAt: bench.now() + 10 })
    signedIn(await client.ask("sign_event", [eventJson()]))
    bench.advance(10_000)
    expect(errorOf(await client.ask("sign_event", [eventJson()]))).toMatch(/connection has expired/)
    expect(errorOf(await client.ask("connect"))).toMatch(/connection has expired/)
  })
})

describe("logout (NIP-46 §Ending a session)", () => {
  it("is acked, and whatever comes after it is an error (N46-LOGOUT-3, N46-LOGOUT-4, N46-LOGOUT-5)", async () => {
    const bench = createBench()
    const client = await bench.connected("sign_event:1")
    expect(await client.ask("logout")).toMatchObject({ result: "ack" })
    for (const [method, params] of [
      ["connect", []],
      ["ping", []],
      ["sign_event", [eventJson()]],
    ] as const) {
      expect(errorOf(await client.ask(method, params))).toMatch(/logged out; connect again with a new token/)
    }
    expect(errorOf(await client.ask("logout"))).toMatch(/already logged out/)
    expect((await bench.connectionOf(client)).state).toBe("logged_out")
  })

  it("a retry gets the ack that was lost: in a new event, and in the same one", async () => {
    const bench = createBench()
    const client = await bench.connected()
    const event = client.request("logout", [], { id: "bye" })
    expect(await client.send(event)).toEqual({ id: "bye", result: "ack" })
    expect(await client.send(event)).toEqual({ ignored: "duplicate" })
    expect(await client.ask("logout", [], { id: "bye" })).toEqual({ id: "bye", result: "ack" })
    bench.advance(2_000)
    expect(await client.send(event)).toEqual({ id: "bye", result: "ack" })
    expect(bench.record.audit.filter(({ action }) => action === "logout")).toHaveLength(1)
  })

  it("after it the strangers' bucket counts: errors while it lasts, then silence", async () => {
    const bench = createBench({ signer: { strangerRate: { capacity: 2, perSecond: 0 } } })
    const client = await bench.connected()
    await client.ask("logout")
    errorOf(await client.ask("ping"))
    errorOf(await client.ask("ping"))
    expect(await client.ask("ping")).toEqual({ ignored: "strangers_limit" })
  })

  it("a new token is a new session for the same client key (N46-LOGOUT-4)", async () => {
    const bench = createBench()
    const former = await bench.connected()
    await former.ask("logout")
    const { connection, secret } = await bench.offer("sign_event:1")
    const client = former.at(connection.remoteSignerPubkey)
    expect(await client.ask("connect", ["", secret])).toMatchObject({ result: "ack" })
    signedIn(await client.ask("sign_event", [eventJson()]))
    expect(errorOf(await former.ask("ping"))).toMatch(/logged out/)
  })
})

it("an answer goes to every relay of the connection", async () => {
  const bench = createBench()
  const client = await bench.connected()
  const outcome = await bench.engine.handle(client.request("ping"))
  expect(outcome).toMatchObject({
    kind: "answered",
    answer: { relays: RELAYS, connectionId: (await bench.connectionOf(client)).id },
  })
})
