import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { checkLeaks } from "../../test/support/leaks.js"
import { type Asked, type ScriptedSigner, scriptedSigner } from "../../test/support/scripted-signer.js"
import type { NostrEvent } from "../protocol/event.js"
import { MemoryRelays, type Transport } from "../transport/index.js"
import { type AuthChallenge, type ConnectOptions, RemoteSigner, type RequestStatus, type Warning } from "./index.js"

/** QUIRKS, "A client must cope with signers that": one by one. Switching and pairing have files of their own. */
const RELAY = "wss://one.example"

checkLeaks()

let relays: MemoryRelays
let signer: ScriptedSigner
const open: { close(): void }[] = []

beforeEach(() => {
  relays = new MemoryRelays()
  signer = addSigner()
})
afterEach(() => {
  for (const each of open.splice(0)) each.close()
})

function addSigner(): ScriptedSigner {
  const added = scriptedSigner(relays.open, [RELAY])
  open.push(added)
  return added
}

async function connect(options: ConnectOptions = {}): Promise<RemoteSigner> {
  const remote = await RemoteSigner.connect(signer.token(), { openTransport: relays.open, ...options })
  open.push(remote)
  return remote
}

/** Resolves once the signer was asked this. */
async function askedFor(method: string): Promise<Asked> {
  return vi.waitFor(() => {
    const found = signer.asked.find((asked) => asked.method === method)
    if (found === undefined) throw new Error(`nobody asked ${method}`)
    return found
  })
}

describe("QUIRKS client 2: auth challenges", () => {
  it("shows the page, waits on, and takes the answer with the same id (N46-AUTH-4, N46-AUTH-5, N46-AUTH-6)", async () => {
    signer.on("ping", () => undefined)
    const challenges: AuthChallenge[] = []
    const remote = await connect({ onAuthUrl: (challenge) => challenges.push(challenge) })
    const ping = remote.ping()
    const { answer } = await askedFor("ping")
    await answer({ result: "auth_url", error: "https://signer.example/approve?id=1" })
    await vi.waitFor(() => expect(challenges).toHaveLength(1))
    expect(challenges[0]).toEqual({
      url: "https://signer.example/approve?id=1",
      host: "signer.example",
      verified: true,
      method: "ping",
    })
    await answer({ result: "pong" })
    await ping
  })

  it("a second and a third are harmless: the same page once, another page too, one answer", async () => {
    signer.on("ping", () => undefined)
    const urls: string[] = []
    const remote = await connect({ onAuthUrl: ({ url }) => urls.push(url) })
    const ping = remote.ping()
    const { answer } = await askedFor("ping")
    for (const n of [1, 1, 2, 1, 3]) await answer({ result: "auth_url", error: `https://signer.example/${n}` })
    await vi.waitFor(() => expect(urls).toEqual([1, 2, 3].map((n) => `https://signer.example/${n}`)))
    await answer({ result: "pong" })
    await answer({ result: "error", error: "too late" })
    await ping
    await remote.ping({ timeoutMs: 20 }).catch(() => undefined)
  })

  it("QUIRKS client 8: an open page gives the user more time than the deadline", async () => {
    signer.on("ping", () => undefined)
    const remote = await connect({ timing: { requestMs: 400, approvalMs: 1_200 } })
    const ping = remote.ping({ timeoutMs: 300 })
    ping.catch(() => undefined)
    const { answer } = await askedFor("ping")
    await answer({ result: "auth_url", error: "https://signer.example/1" })
    const late = await Promise.race([
      ping.then(() => "answered").catch(() => "timed out"),
      new Promise((resolve) => setTimeout(resolve, 600, "waits")),
    ])
    expect(late).toBe("waits")
    await answer({ result: "pong" })
    await ping
  })

  it("pages for an id that nobody asked with, or from a stranger, are not shown, nor a stranger's answer taken (N46-RESPONSE-9)", async () => {
    signer.on("ping", () => undefined)
    const stranger = addSigner()
    const urls: string[] = []
    const remote = await connect({ onAuthUrl: ({ url }) => urls.push(url) })
    const ping = remote.ping()
    const { answer } = await askedFor("ping")
    await answer({ id: "invented", result: "auth_url", error: "https://signer.example/invented" })
    await answer({ result: "auth_url", error: "https://evil.example/" }, { from: stranger })
    await answer({ result: "pong" }, { from: stranger })
    await answer({ result: "auth_url", error: "https://signer.example/mine" })
    await answer({ result: "pong" })
    await ping
    expect(urls).toEqual(["https://signer.example/mine"])
  })

  it("of 200 URLs only https reaches the app, and http on this computer", async () => {
    signer.on("ping", () => undefined)
    const urls: string[] = []
    const warnings: Warning[] = []
    const remote = await connect({
      onAuthUrl: ({ url }) => urls.push(url),
      onWarning: (warning) => warnings.push(warning),
    })
    const wrong = [
      "http://signer.example/",
      "javascript:alert(1)",
      "data:text/html,x",
      "file:///etc/passwd",
      "ftp://x.example/",
      "https://user:pass@x.example/",
      "https://",
      "//x.example",
      "x",
      "http://127.0.0.1.evil.example/",
      "http://localhost.evil.example/",
      "blob:https://x.example/1",
      "vbscript:x",
      "intent://x",
      "nostr:x",
      "ws://x.example",
      " javascript:alert(1)",
      "JaVaScRiPt:alert(1)",
      `https://x.example/${"a".repeat(3_000)}`,
    ]
    const ping = remote.ping()
    const { answer } = await askedFor("ping")
    const attempts = Array.from({ length: 200 }, (_, n) => wrong[n % wrong.length] as string)
    for (const url of attempts) await answer({ result: "auth_url", error: url })
    await answer({ result: "auth_url", error: "http://localhost:4646/a" })
    await answer({ result: "auth_url", error: "https://x.example/b" })
    await answer({ result: "pong" })
    await ping
    expect(urls).toEqual(["http://localhost:4646/a", "https://x.example/b"])
    expect(warnings.filter(({ kind }) => kind === "auth_url")).toHaveLength(200)
  })
})

describe("QUIRKS client 3: odd envelopes", () => {
  it.each([
    [{ result: "", error: "no" }],
    [{ result: "error", error: "no" }],
    [{ result: null, error: "no" }],
    [{ error: "no" }],
  ])("an error as %j (N46-RESPONSE-11)", async (response) => {
    signer.on("ping", ({ answer }) => answer(response))
    const remote = await connect()
    await expect(remote.ping()).rejects.toMatchObject({
      code: "REMOTE_ERROR",
      details: { method: "ping", reason: "no" },
    })
  })

  it.each([[{ result: "x", error: "" }], [{ result: "x", error: null }], [{ result: "x" }]])(
    "a result as %j",
    async (response) => {
      signer.on("nip44_decrypt", ({ answer }) => answer(response))
      const remote = await connect()
      expect(await remote.nip44Decrypt("a".repeat(64), "")).toBe("x")
    },
  )
})

describe("QUIRKS client 5: answers by other ways", () => {
  it("twice, late, and over one relay of two", async () => {
    const both = scriptedSigner(relays.open, ["wss://a.example", "wss://b.example"])
    open.push(both)
    const onlyB = relays.open(["wss://b.example"], {})
    open.push(onlyB)
    const remote = await RemoteSigner.connect(both.token(), { openTransport: relays.open })
    open.push(remote)
    both.on("nip44_encrypt", async ({ answer, params }) => {
      for (const transport of [onlyB, onlyB]) await answer({ result: params[1] }, { transport })
    })
    expect(await remote.nip44Encrypt("a".repeat(64), "one")).toBe("one")
    expect(await remote.nip44Encrypt("a".repeat(64), "two")).toBe("two")

    both.on("ping", () => undefined)
    await expect(remote.ping({ timeoutMs: 20 })).rejects.toMatchObject({ code: "TIMEOUT" })
    await both.asked.at(-1)?.answer({ result: "pong" })
    expect(await remote.nip44Encrypt("a".repeat(64), "three")).toBe("three")
  })
})

describe("QUIRKS client 6: another created_at", () => {
  it("is refused, unless the app takes it", async () => {
    signer.on("sign_event", ({ answer, params }) => {
      const template = JSON.parse(params[0] ?? "") as object
      return answer({ result: JSON.stringify(signer.user.sign({ ...template, created_at: 1_700_000_000 })) })
    })
    const strict = await connect()
    await expect(strict.signEvent({ kind: 1, content: "" })).rejects.toMatchObject({
      code: "WRONG_ANSWER",
      details: { field: "created_at" },
    })
    const lenient = await connect({ acceptNewCreatedAt: true })
    expect((await lenient.signEvent({ kind: 1, content: "" })).created_at).toBe(1_700_000_000)
  })
})

describe("QUIRKS client 7: clocks", () => {
  it("a signer whose clock disagrees is told to the app, once", async () => {
    const warnings: Warning[] = []
    const createdAt = Math.floor(Date.now() / 1000) - 120
    signer.on("ping", ({ answer }) => answer({ result: "pong" }, { createdAt }))
    const remote = await connect({ onWarning: (warning) => warnings.push(warning) })
    await remote.ping()
    await remote.ping()
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toMatchObject({ kind: "clock", of: "signer" })
    expect((warnings[0] as { seconds: number }).seconds).toBeLessThan(-110)
  })
})

describe("QUIRKS client 8: signers that wait for a person", () => {
  it("the app hears how far a request has come", async () => {
    signer.on("ping", () => undefined)
    const heard: RequestStatus[] = []
    const remote = await connect({ onStatus: (status) => heard.push(status) })
    const ping = remote.ping()
    const { answer } = await askedFor("ping")
    await answer({ result: "auth_url", error: "https://signer.example/1" })
    await answer({ result: "pong" })
    await ping
    expect(heard.filter(({ method }) => method === "ping")).toEqual([
      { kind: "sent", method: "ping" },
      { kind: "accepted", method: "ping", relay: RELAY },
      { kind: "approval", method: "ping" },
    ])
  })
})

describe("QUIRKS client 8: deadlines by default", () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it.each([
    ["65 s for a request", 65_000, undefined],
    ["10 minutes from an auth challenge on", 600_000, { result: "auth_url", error: "https://signer.example/1" }],
  ])("%s", async (_, ms, first) => {
    const remote = await connect()
    signer.on("ping", ({ answer }) => (first === undefined ? undefined : answer(first)))
    const ended = vi.fn()
    const ping = remote.ping().catch(ended)
    await vi.advanceTimersByTimeAsync(ms - 1)
    expect(signer.asked.at(-1)?.method).toBe("ping")
    expect(ended).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(1)
    await ping
    expect(ended).toHaveBeenCalledWith(expect.objectContaining({ code: "TIMEOUT" }))
  })
})

describe("QUIRKS client 9: garbage", () => {
  it("from the signer and from strangers, it rejects nothing and raises nothing", async () => {
    signer.on("ping", () => undefined)
    const stranger = addSigner()
    const remote = await connect()
    const ping = remote.ping()
    const { answer, client, id } = await askedFor("ping")
    const garbage = ["", "null", "[]", "{", "\u0000", '{"id":null}', "x".repeat(50_000), '{"__proto__":{"id":1}}']
    for (const text of garbage) {
      if (text !== "") await signer.say(client, text)
      await stranger.say(client, text === "" ? `{"id":"${id}","result":"pong"}` : text)
    }
    const event = signer.asked.at(-1)?.event
    if (event === undefined) throw new Error("nothing was asked")
    const tags = [["p", client]]
    for (const content of ["", "AAAA", "not base64", `x?iv=y`]) {
      await signer.transport.publish({ ...event, pubkey: signer.pubkey, tags, content })
      await signer.transport.publish({ ...event, tags, content })
    }
    await answer({ result: "pong" })
    await ping
  })

  it("forged twins of the answer, sent first, do not shut it out", async () => {
    signer.on("ping", () => undefined)
    const remote = await connect()
    const ping = remote.ping()
    const { client, id } = await askedFor("ping")
    const sent: NostrEvent[] = []
    const capture: Transport = {
      ...signer.transport,
      publish: async (event) => {
        sent.push(event)
        return { accepted: true, relays: new Map() }
      },
    }
    await signer.say(client, JSON.stringify({ id, result: "pong" }), { transport: capture })
    const genuine = sent[0]
    if (genuine === undefined) throw new Error("nothing was said")
    for (let n = 0; n < 50; n++) {
      await signer.transport.publish({ ...genuine, sig: `${n % 10}`.repeat(128) })
      await signer.transport.publish({ ...genuine, content: `${genuine.content}${n}` })
    }
    await signer.transport.publish(genuine)
    await ping
  })
})
