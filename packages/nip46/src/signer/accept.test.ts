import { describe, expect, it } from "vitest"
import {
  type Bench,
  createBench,
  crypto,
  errorOf,
  eventJson,
  ownerDid,
  START,
  signedIn,
  type TestClient,
} from "../../test/support/signer-bench.js"
import { buildNostrconnectToken, type NostrconnectToken, parseNostrconnectToken } from "../protocol/connection-token.js"
import { parsePermissions } from "../protocol/permission.js"
import type { Acceptance, AcceptOptions } from "./accept.js"

const SECRET = "the client's own secret, 0123456789"
const THEIRS = ["wss://theirs.example", "wss://also-theirs.example"]

interface App {
  readonly token: NostrconnectToken
  /** The client, once it knows who answered. */
  at(remoteSignerPubkey: string): TestClient
}

function app(bench: Bench, secret = SECRET, from?: App): App {
  // Its keys are those of whatever client of the bench it is.
  const client = from?.at("") ?? bench.client(crypto.keypair(crypto.generateSecretKey()).pubkey)
  const text = buildNostrconnectToken({
    clientPubkey: client.pubkey,
    relays: THEIRS,
    secret,
    permissions: parsePermissions("sign_event:1,sign_event:4"),
    app: { name: "Notes", url: "https://notes.example" },
  })
  return { token: parseNostrconnectToken(text), at: (pubkey) => (pubkey === "" ? client : client.at(pubkey)) }
}

function accept(bench: Bench, { token }: App, fields: Partial<AcceptOptions> = {}): Promise<Acceptance> {
  const permissions = parsePermissions("sign_event:1")
  const listen = async (): Promise<void> => undefined
  return bench.engine.accept({ token, userPubkey: bench.userPubkey, permissions, listen, ...fields })
}

async function accepted(bench: Bench, fields: Partial<AcceptOptions> = {}) {
  const one = app(bench)
  const acceptance = await accept(bench, one, fields)
  if (acceptance.response === undefined) throw new Error("no response")
  return {
    ...acceptance,
    response: acceptance.response,
    app: one,
    client: one.at(acceptance.connection.remoteSignerPubkey),
  }
}

describe("accepting a nostrconnect:// token", () => {
  it("answers with the exact secret, from a transport key of its own, where the client listens (QUIRKS signer 1; N46-NOSTRCONNECT-7, N46-NOSTRCONNECT-8)", async () => {
    const bench = createBench()
    const { kind, connection, response, client } = await accepted(bench)
    expect(kind).toBe("accepted")
    expect(client.open(response)).toEqual({ id: expect.stringMatching(/^[0-9a-f]{16}$/), result: SECRET })
    expect(response).toMatchObject({ relays: THEIRS, connectionId: connection.id })
    expect(connection.remoteSignerPubkey).not.toBe(bench.userPubkey)
    expect(await bench.record.connections()).toEqual([connection])
    expect(connection).toMatchObject({
      state: "active",
      clientPubkey: client.pubkey,
      app: { name: "Notes", url: "https://notes.example" },
      requestedPerms: "sign_event:1,sign_event:4",
      grants: [{ method: "sign_event", param: "1", effect: "allow" }],
    })
    expect(bench.record.audit).toMatchObject([{ actor: "owner", action: "owner.accept", connectionId: connection.id }])
  })

  it("serves the client at once, within what was granted and not what was requested", async () => {
    const bench = createBench()
    const { client } = await accepted(bench)
    expect(await client.ask("get_public_key")).toMatchObject({ result: bench.userPubkey })
    signedIn(await client.ask("sign_event", [eventJson(1)]))
    expect(errorOf(await client.ask("sign_event", [eventJson(4)]))).toMatch(/kind 4 is not permitted/)
  })

  it("QUIRKS signer 1, QUIRKS signer 2, QUIRKS signer 3: a later connect gets ack, never the secret, whatever its params, and widens nothing", async () => {
    const bench = createBench()
    const { client, connection } = await accepted(bench)
    for (const first of [connection.remoteSignerPubkey, "", client.pubkey, "npub1xyz"]) {
      for (const secret of [SECRET, "", "another"]) {
        expect(await client.ask("connect", [first, secret, "sign_event:4"])).toMatchObject({ result: "ack" })
      }
    }
    expect(errorOf(await client.ask("sign_event", [eventJson(4)]))).toMatch(/kind 4 is not permitted/)
    const stranger = bench.client(connection.remoteSignerPubkey)
    expect(errorOf(await stranger.ask("connect", [connection.remoteSignerPubkey, SECRET]))).toMatch(/already used/)
    expect(errorOf(await stranger.ask("get_public_key"))).toMatch(/already used/)
  })

  it("QUIRKS signer 15: subscribes before anything is recorded or said; when that fails nothing is left", async () => {
    const bench = createBench()
    const seen: unknown[] = []
    await accepted(bench, {
      listen: async ({ remoteSignerPubkey, clientRelays }) => {
        seen.push(remoteSignerPubkey, clientRelays, await bench.record.connections(), [...bench.record.audit])
      },
    })
    expect(seen).toEqual([(await bench.record.connections())[0]?.remoteSignerPubkey, THEIRS, [], []])

    const failing = createBench()
    await expect(
      accepted(failing, { listen: () => Promise.reject(new Error("no relay can be reached")) }),
    ).rejects.toThrow("no relay can be reached")
    expect(await failing.record.connections()).toEqual([])
    expect(failing.record.audit).toEqual([])
    // And the token is still good.
    expect((await accepted(failing)).kind).toBe("accepted")
  })

  it("invariant 9: the record holds the secret encrypted and hashed, and the encrypted one only until it was of use", async () => {
    const bench = createBench()
    const { client, connection } = await accepted(bench)
    expect(connection.connectResponse).toBeDefined()
    expect(JSON.stringify([await bench.record.connections(), bench.record.audit])).not.toContain(SECRET)
    await client.ask("ping")
    expect((await bench.connectionOf(client)).connectResponse).toBeUndefined()
  })

  it("tells other relays of ours on switch_relays, and answers on both until then (N46-SWITCH-3, N46-SWITCH-6)", async () => {
    const bench = createBench()
    const ours = ["wss://ours.example"]
    const { client, response, connection } = await accepted(bench, { relays: ours, guardedRelays: THEIRS })
    expect(connection).toMatchObject({ relays: ours, clientRelays: THEIRS, guardedRelays: THEIRS })
    expect(response.relays).toEqual([...ours, ...THEIRS])
    const outcome = await bench.engine.handle(client.request("switch_relays"))
    if (outcome.kind !== "answered") throw new Error(outcome.kind)
    expect(client.open(outcome.answer)).toMatchObject({ result: JSON.stringify(ours) })
    expect(outcome.answer.relays).toEqual([...ours, ...THEIRS])
    expect(await client.ask("switch_relays")).toMatchObject({ result: "null" })

    const same = createBench()
    expect(await (await accepted(same)).client.ask("switch_relays")).toMatchObject({ result: "null" })
  })
})

describe("the same nostrconnect:// token again", () => {
  it("gives the same connection and its secret again, until the client has asked something", async () => {
    const bench = createBench()
    const { app: one, client, connection } = await accepted(bench)
    const again = await accept(bench, one, { permissions: parsePermissions("sign_event") })
    expect(again).toMatchObject({ kind: "known", connection: { id: connection.id, grants: connection.grants } })
    expect(again.response && client.open(again.response)).toMatchObject({ result: SECRET })
    await client.ask("ping")
    expect(await accept(bench, one)).toMatchObject({ kind: "known", response: undefined })
    expect(await bench.record.connections()).toHaveLength(1)
  })

  it("is refused for another key, and once its connection has ended", async () => {
    const bench = createBench()
    const { app: one, connection } = await accepted(bench)
    const other = bench.keys.addUserKey()
    await expect(accept(bench, one, { userPubkey: other })).rejects.toMatchObject({
      code: "INVALID_TOKEN",
      message: "this nostrconnect:// token was accepted for another key; show a new one in the app",
    })
    await bench.record.setState(connection.id, "revoked", ownerDid)
    await expect(accept(bench, one)).rejects.toThrow(/has ended or is paused; show a new one in the app/)
    expect(await bench.record.connections()).toHaveLength(1)
  })

  it("makes one connection when it is pasted twice at once", async () => {
    const bench = createBench()
    const one = app(bench)
    const results = await Promise.allSettled(Array.from({ length: 5 }, () => accept(bench, one)))
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1)
    expect(await bench.record.connections()).toHaveLength(1)
  })

  it("is another one with another secret: the same client gets a connection of its own", async () => {
    const bench = createBench()
    const { app: one, connection } = await accepted(bench)
    const second = await accept(bench, app(bench, "a second secret of the client", one))
    expect(second.kind).toBe("accepted")
    expect(second.connection.clientPubkey).toBe(connection.clientPubkey)
    expect(second.connection.remoteSignerPubkey).not.toBe(connection.remoteSignerPubkey)
  })
})

describe("the connect response, sent again", () => {
  it("QUIRKS signer 15: is a fresh event with the same words, until the client has asked something", async () => {
    const bench = createBench()
    const { response, client } = await accepted(bench)
    const words = client.open(response)
    const ids = new Set([response.event.id])
    for (let n = 1; n <= 3; n++) {
      bench.advance(2_000)
      const renewed = await bench.engine.renewConnectResponse(response)
      if (renewed === undefined) throw new Error("not renewed")
      expect(client.open(renewed)).toEqual(words)
      expect(renewed.event.created_at).toBe(START + 2 * n)
      expect(renewed.relays).toEqual(THEIRS)
      ids.add(renewed.event.id)
    }
    expect(ids.size).toBe(4)
    expect(errorOf(await client.ask("sign_event", [eventJson(4)]))).toMatch(/not permitted/)
    expect(await bench.engine.renewConnectResponse(response)).toBeUndefined()
  })

  it("is possible from the record after a restart, and not after a revocation", async () => {
    const bench = createBench()
    const { client, connection, response } = await accepted(bench)
    bench.restart()
    const stored = (await bench.connectionOf(client)).connectResponse
    if (stored === undefined) throw new Error("nothing stored")
    const renewed = await bench.engine.renewConnectResponse({ event: stored })
    expect(renewed && client.open(renewed)).toEqual(client.open(response))
    await bench.record.setState(connection.id, "revoked", ownerDid)
    expect(await bench.engine.renewConnectResponse({ event: stored })).toBeUndefined()
  })
})
