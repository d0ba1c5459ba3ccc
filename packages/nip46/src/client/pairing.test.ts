import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { checkLeaks } from "../../test/support/leaks.js"
import { type ScriptedSigner, scriptedSigner } from "../../test/support/scripted-signer.js"
import { createCompactBackend, type Keypair } from "../crypto/index.js"
import { type NostrconnectToken, parseNostrconnectToken } from "../protocol/index.js"
import { MemoryRelays, type TransportFactory } from "../transport/index.js"
import { type AuthChallenge, type Pairing, type PairOptions, RemoteSigner, type Session } from "./index.js"

const RELAY = "wss://one.example"

checkLeaks()

let relays: MemoryRelays
let signer: ScriptedSigner
const open: { close(): void }[] = []

beforeEach(() => {
  relays = new MemoryRelays()
  signer = scriptedSigner(relays.open, [RELAY])
  open.push(signer)
})
afterEach(() => {
  for (const each of open.splice(0)) each.close()
})

async function pair(options: PairOptions = {}): Promise<{ pairing: Pairing; token: NostrconnectToken }> {
  const pairing = await RemoteSigner.pair({ relays: [RELAY], openTransport: relays.open, ...options })
  open.push(pairing)
  return { pairing, token: parseNostrconnectToken(pairing.uri) }
}

async function connected(pairing: Pairing): Promise<RemoteSigner> {
  const remote = await pairing.connected()
  open.push(remote)
  return remote
}

describe("pair", () => {
  it("says in its token who asks for what, and where (N46-NOSTRCONNECT-1, N46-NOSTRCONNECT-2, N46-NOSTRCONNECT-3)", async () => {
    const { token } = await pair({ app: { name: "Notes", url: "https://notes.example" }, perms: "sign_event:1" })
    expect(token).toEqual({
      clientPubkey: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      relays: [RELAY],
      secret: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
      perms: "sign_event:1",
      app: { name: "Notes", url: "https://notes.example" },
    })
  })

  it("gives the token out once a relay listens, not before (N46-NOSTRCONNECT-4)", async () => {
    const live: (() => void)[] = []
    const slow: TransportFactory = (urls, options) => {
      const transport = relays.open(urls, options)
      return {
        ...transport,
        subscribe: (filters, handlers) =>
          transport.subscribe(filters, {
            ...handlers,
            onLive: (relay) => live.push(() => handlers.onLive?.(relay)),
          }),
      }
    }
    let isOut = false
    const pairing = pair({ openTransport: slow }).then((given) => {
      isOut = true
      return given
    })
    await vi.waitFor(() => expect(live).toHaveLength(1))
    expect(isOut).toBe(false)
    live[0]?.()
    await pairing
  })

  it("binds whoever answers with the secret, asks for the user's key, and keeps the session (N46-NOSTRCONNECT-9, N46-CHANGES-2)", async () => {
    const sessions: (Session | undefined)[] = []
    const { pairing, token } = await pair({ onSession: (session) => sessions.push(session) })
    await signer.say(token.clientPubkey, JSON.stringify({ id: "any", result: token.secret }))
    const remote = await connected(pairing)
    expect(remote.remoteSignerPubkey).toBe(signer.pubkey)
    expect(await remote.getPublicKey()).toBe(signer.user.pubkey)
    expect((await remote.signEvent({ kind: 1, content: "x" })).pubkey).toBe(signer.user.pubkey)
    expect(sessions.at(-1)).toEqual(remote.session)
    expect(signer.asked.map(({ method }) => method)).not.toContain("connect")
    // The secret comes again until the first request does.
    await signer.say(token.clientPubkey, JSON.stringify({ id: "any", result: token.secret }))
    await remote.ping()
  })

  it("QUIRKS client 1: only the exact secret binds, never ack (N46-NOSTRCONNECT-10)", async () => {
    const { pairing, token } = await pair()
    const { secret, clientPubkey } = token
    const wrong = ["ack", "", secret.toUpperCase(), `${secret} `, secret.slice(1), `${secret}0`, null, [secret], 1]
    for (const result of wrong) await signer.say(clientPubkey, JSON.stringify({ id: "1", result }))
    await signer.say(clientPubkey, JSON.stringify({ id: "1", result: secret, error: "no" }))
    await signer.say(clientPubkey, JSON.stringify({ id: "1", method: "connect", params: [clientPubkey, secret] }))
    await expect(pairing.connected({ timeoutMs: 30 })).rejects.toMatchObject({ code: "TIMEOUT" })
    expect(signer.asked).toEqual([])
    await signer.say(clientPubkey, JSON.stringify({ id: "1", result: secret }))
    expect((await connected(pairing)).remoteSignerPubkey).toBe(signer.pubkey)
  })

  it("QUIRKS client 1: 1,000 false signers race: none is bound, the true one is", async () => {
    const { pairing, token } = await pair()
    const { clientPubkey, secret } = token
    for (let n = 0; n < 1_000; n++) {
      const fake = scriptedSigner(relays.open, [RELAY])
      const guess = n % 2 === 0 ? "ack" : n.toString(16).padStart(32, "0")
      await fake.say(clientPubkey, JSON.stringify({ id: `${n}`, result: guess }))
      fake.close()
      if (n === 500) await signer.say(clientPubkey, JSON.stringify({ id: "x", result: secret }))
    }
    const remote = await connected(pairing)
    expect(remote.remoteSignerPubkey).toBe(signer.pubkey)
  }, 120_000)

  it("QUIRKS client 2: an auth challenge before the secret is shown when it is https, marked as from nobody known", async () => {
    const challenges: AuthChallenge[] = []
    const { pairing, token } = await pair({ onAuthUrl: (challenge) => challenges.push(challenge) })
    const { clientPubkey, secret } = token
    const say = (url: string): Promise<void> =>
      signer.say(clientPubkey, JSON.stringify({ id: "1", result: "auth_url", error: url }))
    for (const url of ["http://localhost/x", "javascript:x", "http://x.example"]) await say(url)
    for (const n of [1, 1, 2]) await say(`https://signer.example/${n}`)
    await vi.waitFor(() => expect(challenges).toHaveLength(2))
    expect(challenges[0]).toEqual({
      url: "https://signer.example/1",
      host: "signer.example",
      verified: false,
      method: undefined,
    })
    for (let n = 0; n < 50; n++) await say(`https://flood.example/${n}`)
    await signer.say(clientPubkey, JSON.stringify({ id: "1", result: secret }))
    await connected(pairing)
    expect(challenges).toHaveLength(5)
  })

  it("ends by close, by its signal, and by its deadline", async () => {
    const closed = (await pair()).pairing
    const waiting = closed.connected()
    closed.close()
    await expect(waiting).rejects.toMatchObject({ code: "CLOSED" })
    await expect(closed.connected()).rejects.toMatchObject({ code: "CLOSED" })

    const aborted = (await pair()).pairing
    const controller = new AbortController()
    const wait = aborted.connected({ signal: controller.signal })
    controller.abort()
    await expect(wait).rejects.toMatchObject({ code: "CLOSED" })

    const late = (await pair({ timing: { pairingMs: 20 } })).pairing
    await expect(late.connected()).rejects.toMatchObject({ code: "TIMEOUT" })
  })

  it("that comes to nothing wipes the key that it made", async () => {
    const backend = createCompactBackend()
    const made: Keypair[] = []
    const crypto = {
      ...backend,
      keypair: (secretKey: Uint8Array) => {
        const keypair = backend.keypair(secretKey)
        made.push(keypair)
        return keypair
      },
    }
    const { pairing } = await pair({ crypto })
    pairing.close()
    expect(made).toHaveLength(1)
    const template = { kind: 1, content: "", tags: [], created_at: 1 }
    expect(() => backend.signEvent(template, made[0] as Keypair)).toThrow("wiped")
  })

  it("a pairing that nobody waits for raises nothing", async () => {
    const { pairing } = await pair({ timing: { pairingMs: 5 } })
    await expect(pairing.connected()).rejects.toMatchObject({ code: "TIMEOUT" })
    await pair({ timing: { pairingMs: 5 } })
  })

  it("closing the pairing leaves the signer that it brought", async () => {
    const { pairing, token } = await pair()
    await signer.say(token.clientPubkey, JSON.stringify({ id: "1", result: token.secret }))
    const remote = await connected(pairing)
    pairing.close()
    await remote.ping()
  })

  it("fails with the signer's words when the user's key is refused", async () => {
    signer.on("get_public_key", ({ answer }) => answer({ error: "not today" }))
    const { pairing, token } = await pair()
    await signer.say(token.clientPubkey, JSON.stringify({ id: "1", result: token.secret }))
    await expect(pairing.connected()).rejects.toMatchObject({ code: "REMOTE_ERROR", details: { reason: "not today" } })
  })

  it("says what is missing when there is nowhere to meet", async () => {
    await expect(pair({ relays: [] })).rejects.toMatchObject({ code: "INVALID_RELAY" })
    await expect(pair({ relays: ["https://x.example"] })).rejects.toMatchObject({ code: "INVALID_RELAY" })
    const silent: TransportFactory = (urls, options) => ({
      ...relays.open(urls, options),
      subscribe: () => ({ id: "x", update: () => undefined, close: () => undefined }),
      failure: () => "socket error: refused",
    })
    await expect(pair({ openTransport: silent, timing: { relayMs: 20 } })).rejects.toMatchObject({
      code: "RELAYS_UNREACHABLE",
      details: { relays: { [RELAY]: "socket error: refused" } },
    })
    const aborted = pair({ openTransport: silent, signal: AbortSignal.abort() })
    await expect(aborted).rejects.toMatchObject({ code: "CLOSED" })
  })
})
