import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { checkLeaks } from "../../test/support/leaks.js"
import { type ScriptedSigner, scriptedSigner } from "../../test/support/scripted-signer.js"
import type { ErrorCode } from "../protocol/errors.js"
import { MemoryRelays } from "../transport/index.js"
import { type ConnectOptions, Nip46Error, RemoteSigner, type Session } from "./index.js"

const RELAYS = ["wss://one.example", "wss://two.example"]

checkLeaks()

let relays: MemoryRelays
let signer: ScriptedSigner
const open: { close(): void }[] = []

beforeEach(() => {
  relays = new MemoryRelays()
  signer = scriptedSigner(relays.open, RELAYS)
  open.push(signer)
})
afterEach(() => {
  for (const each of open.splice(0)) each.close()
})

async function connect(options: ConnectOptions = {}, token = signer.token("s3cret")): Promise<RemoteSigner> {
  const remote = await RemoteSigner.connect(token, { openTransport: relays.open, ...options })
  open.push(remote)
  return remote
}

async function codeOf(promise: Promise<unknown>): Promise<ErrorCode | undefined> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  return error instanceof Nip46Error ? error.code : undefined
}

const methods = (): string[] => signer.asked.map(({ method }) => method)

describe("connect", () => {
  it("sends the remote-signer's key, the secret, the perms and the metadata, each in its place (N46-BUNKER-3, N46-BUNKER-4, N46-CONNECT-1, N46-METADATA-1)", async () => {
    await connect({ app: { name: "Notes", url: "https://notes.example" }, perms: "sign_event:1, nip44_encrypt" })
    expect(signer.asked[0]?.params).toEqual([
      signer.pubkey,
      "s3cret",
      "sign_event:1,nip44_encrypt",
      '{"name":"Notes","url":"https://notes.example"}',
    ])
  })

  it("keeps the metadata in the fourth place when there are no perms, and leaves out what is not there (N46-METADATA-2)", async () => {
    await connect({ app: { name: "Notes" } }, signer.token())
    expect(signer.asked[0]?.params).toEqual([signer.pubkey, "", "", '{"name":"Notes"}'])
    await connect({}, signer.token())
    expect(signer.asked.filter(({ method }) => method === "connect")[1]?.params).toEqual([signer.pubkey])
  })

  it("asks for the user's key at once, and never takes the remote-signer's for it (N46-CHANGES-1, N46-CHANGES-2)", async () => {
    const remote = await connect()
    expect(methods().slice(0, 2)).toEqual(["connect", "get_public_key"])
    expect(await remote.getPublicKey()).toBe(signer.user.pubkey)
    expect(await remote.getPublicKey()).not.toBe(remote.remoteSignerPubkey)
    expect(methods().filter((method) => method === "get_public_key")).toHaveLength(1)
  })

  it("asks where to meet once it is connected (N46-SWITCH-1)", async () => {
    await connect()
    await vi.waitFor(() => expect(methods()).toContain("switch_relays"))
  })

  it("QUIRKS client 1: takes ack and the secret for an answer, and nothing else (N46-CONNECT-4)", async () => {
    await connect()
    signer.on("connect", ({ answer }) => answer({ result: "s3cret" }))
    await connect()
    for (const result of ["", "nack", "S3CRET", null]) {
      signer.on("connect", ({ answer }) => answer({ result }))
      expect(await codeOf(connect())).toBe("WRONG_ANSWER")
    }
  })

  it("says what the signer said when it refuses", async () => {
    signer.on("connect", ({ answer }) => answer({ result: "error", error: "this secret\u001b[2J was used" }))
    const failed = connect()
    await expect(failed).rejects.toThrow("the remote signer refused connect: this secret [2J was used")
    expect(await codeOf(failed)).toBe("REMOTE_ERROR")
  })

  it("refuses a token or perms that cannot be read before it dials anything", async () => {
    expect(await codeOf(connect({}, "bunker://nonsense"))).toBe("INVALID_TOKEN")
    // 64 hex digits that are no point of the curve.
    expect(await codeOf(connect({}, `bunker://${"f".repeat(64)}?relay=wss%3A%2F%2Fone.example`))).toBe("INVALID_TOKEN")
    expect(await codeOf(connect({ perms: "fly" }))).toBe("INVALID_PERMISSION")
    expect(signer.asked).toEqual([])
  })

  it("repeats a connect whose answer was lost with the same client key", async () => {
    const clientSecretKey = new Uint8Array(32).fill(7)
    signer.on("connect", () => undefined)
    expect(await codeOf(connect({ clientSecretKey, timing: { requestMs: 50 } }))).toBe("TIMEOUT")
    signer.on("connect", ({ answer }) => answer({ result: "ack" }))
    await connect({ clientSecretKey })
    const clients = signer.asked.filter(({ method }) => method === "connect").map(({ client }) => client)
    expect(clients).toHaveLength(2)
    expect(clients[0]).toBe(clients[1])
    expect(clientSecretKey).toEqual(new Uint8Array(32).fill(7))
  })
})

describe("calls", () => {
  it("has all ten methods, and any other by its name (N46-NIP04-1, N46-NIP04-3, N46-NIP44-1, N46-NIP44-3)", async () => {
    const peer = "a".repeat(64)
    for (const method of ["nip04_encrypt", "nip04_decrypt", "nip44_encrypt", "nip44_decrypt"]) {
      signer.on(method, ({ answer, params }) => answer({ result: `${method}(${params.join()})` }))
    }
    signer.on("get_relays", ({ answer }) => answer({ result: { "wss://x": { read: true } } }))
    const remote = await connect()
    expect(await remote.nip04Encrypt(peer, "x")).toBe(`nip04_encrypt(${peer},x)`)
    expect(await remote.nip04Decrypt(peer, "x")).toBe(`nip04_decrypt(${peer},x)`)
    expect(await remote.nip44Encrypt(peer, "x")).toBe(`nip44_encrypt(${peer},x)`)
    expect(await remote.nip44Decrypt(peer, "x")).toBe(`nip44_decrypt(${peer},x)`)
    expect(await remote.ping()).toBeUndefined()
    expect(await remote.switchRelays()).toEqual(RELAYS)
    expect(await remote.call("get_relays")).toBe('{"wss://x":{"read":true}}')
    expect(await codeOf(remote.call("create_account"))).toBe("REMOTE_ERROR")
    expect(await remote.logout()).toBe(true)
  })

  it("sends no params with methods that have none (N46-PING-1, N46-PUBKEY-1, N46-SWITCH-2, N46-LOGOUT-2)", async () => {
    const remote = await connect()
    await remote.ping()
    await remote.switchRelays()
    await remote.logout()
    const without = signer.asked.filter(({ method }) => method !== "connect")
    expect(new Set(without.map(({ method }) => method))).toEqual(
      new Set(["get_public_key", "switch_relays", "ping", "logout"]),
    )
    for (const { params } of without) expect(params).toEqual([])
  })

  it("asks in an event of kind 24133, by a key of its own, to the remote-signer alone (N46-OVERVIEW-1, N46-REQUEST-1, N46-REQUEST-2, N46-REQUEST-3)", async () => {
    const [one, two] = [await connect(), await connect()]
    await one.ping()
    expect(one.clientPubkey).not.toBe(two.clientPubkey)
    expect([signer.user.pubkey, signer.pubkey]).not.toContain(one.clientPubkey)
    const { event } = signer.asked.at(-1) ?? {}
    expect(event).toMatchObject({ kind: 24133, pubkey: one.clientPubkey, tags: [["p", signer.pubkey]] })
    expect(Math.abs((event?.created_at ?? 0) - Date.now() / 1000)).toBeLessThan(30)
  })

  it("asks in NIP-44, with JSON of id, method and params and nothing else (N46-REQUEST-4, N46-REQUEST-6)", async () => {
    const remote = await connect()
    await remote.ping()
    const { plaintext, event } = signer.asked.at(-1) ?? {}
    expect(event?.content).toMatch(/^A[A-Za-z0-9+/]+=*$/)
    expect(JSON.parse(plaintext ?? "")).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
      method: "ping",
      params: [],
    })
  })

  it("signs with created_at of now and no tags unless they are given (N46-SIGN-1)", async () => {
    const second = Math.floor(Date.now() / 1000) + 30
    const remote = await connect({ now: () => second * 1000 + 500 })
    expect(await remote.signEvent({ kind: 1, content: "hi" })).toMatchObject({
      kind: 1,
      content: "hi",
      tags: [],
      created_at: second,
      pubkey: signer.user.pubkey,
    })
    const given = { kind: 30_078, content: "", tags: [["d", "x"]], created_at: 5, pubkey: signer.user.pubkey }
    expect(await remote.signEvent(given)).toMatchObject(given)
    expect(Object.keys(JSON.parse(signer.asked.at(-1)?.params[0] ?? "{}") as object)).toEqual([
      "kind",
      "content",
      "tags",
      "created_at",
    ])
  })

  it("refuses a template that NIP-01 does not allow, or that is another's, before it asks", async () => {
    const remote = await connect()
    await vi.waitFor(() => expect(methods()).toContain("switch_relays"))
    const asked = signer.asked.length
    for (const wrong of [
      { kind: 1.5 },
      { kind: -1 },
      { created_at: -1 },
      { tags: [[1]] },
      { pubkey: "b".repeat(64) },
    ]) {
      expect(await codeOf(remote.signEvent({ kind: 1, content: "", ...(wrong as object) }))).toBe("INVALID_EVENT")
    }
    expect(signer.asked).toHaveLength(asked)
  })

  it("an empty decrypted text is an empty text, and one that is not text is wrong", async () => {
    const remote = await connect()
    signer.on("nip44_decrypt", ({ answer }) => answer({ result: "" }))
    expect(await remote.nip44Decrypt("a".repeat(64), "x")).toBe("")
    signer.on("nip44_decrypt", ({ answer }) => answer({ result: null }))
    expect(await codeOf(remote.nip44Decrypt("a".repeat(64), "x"))).toBe("WRONG_ANSWER")
  })

  it("keeps answers apart that come in another order (N46-REQUEST-5, N46-RESPONSE-10)", async () => {
    const waiting: (() => unknown)[] = []
    signer.on("nip44_encrypt", ({ answer, params }) => waiting.push(() => answer({ result: `<${params[1]}>` })))
    const remote = await connect()
    const texts = Array.from({ length: 20 }, (_, n) => `text ${n}`)
    const answers = Promise.all(texts.map((text) => remote.nip44Encrypt("a".repeat(64), text)))
    await vi.waitFor(() => expect(waiting).toHaveLength(20))
    for (const say of waiting.reverse()) say()
    expect(await answers).toEqual(texts.map((text) => `<${text}>`))
    expect(new Set(signer.asked.map(({ id }) => id)).size).toBe(signer.asked.length)
  })

  it("QUIRKS relays 6: refuses what no relay would carry, and says so", async () => {
    const remote = await connect()
    expect(await codeOf(remote.nip44Encrypt("a".repeat(64), "x".repeat(70_000)))).toBe("ENCRYPTION_FAILED")
  })
})

describe("invariant 7: every call ends", () => {
  it("by its deadline, with the method named", async () => {
    signer.on("ping", () => undefined)
    const remote = await connect({ timing: { requestMs: 60 } })
    await expect(remote.ping()).rejects.toThrow("did not answer ping within 0 s")
    expect(await codeOf(remote.ping({ timeoutMs: 20 }))).toBe("TIMEOUT")
  })

  it("by one deadline for a call that asks twice", async () => {
    const sessions: (Session | undefined)[] = []
    signer.on("get_public_key", () => undefined)
    await codeOf(connect({ timing: { requestMs: 60 }, onSession: (session) => sessions.push(session) }))
    const restored = RemoteSigner.restore(sessions[0] as Session, { openTransport: relays.open })
    open.push(restored)
    signer.on("get_public_key", async ({ answer }) => {
      await new Promise((resolve) => setTimeout(resolve, 150))
      await answer({ result: signer.user.pubkey })
    })
    signer.on("sign_event", () => undefined)
    const startedAt = performance.now()
    expect(await codeOf(restored.signEvent({ kind: 1, content: "" }, { timeoutMs: 400 }))).toBe("TIMEOUT")
    expect(performance.now() - startedAt).toBeLessThan(540)
  })

  it("by no deadline earlier than it was given, however far off that is", async () => {
    const remote = await connect()
    await remote.ping({ timeoutMs: 2 ** 40 })
  })

  it("by the app's signal, before and after it was sent", async () => {
    signer.on("ping", () => undefined)
    const remote = await connect()
    expect(await codeOf(remote.ping({ signal: AbortSignal.abort() }))).toBe("CLOSED")
    expect(methods()).not.toContain("ping")
    const controller = new AbortController()
    const ping = remote.ping({ signal: controller.signal })
    await vi.waitFor(() => expect(methods()).toContain("ping"))
    controller.abort(new Error("the user left"))
    await expect(ping).rejects.toMatchObject({ code: "CLOSED", cause: new Error("the user left") })
  })

  it("by close, which rejects what waits and everything after", async () => {
    signer.on("ping", () => undefined)
    const remote = await connect()
    const pings = [remote.ping(), remote.ping()]
    remote.close()
    for (const ping of pings) expect(await codeOf(ping)).toBe("CLOSED")
    expect(await codeOf(remote.ping())).toBe("CLOSED")
    expect(await codeOf(remote.signEvent({ kind: 1, content: "" }))).toBe("CLOSED")
    remote.close()
  })

  it("by close while it connects", async () => {
    signer.on("connect", () => undefined)
    const controller = new AbortController()
    const connecting = connect({ signal: controller.signal })
    await vi.waitFor(() => expect(methods()).toEqual(["connect"]))
    controller.abort()
    expect(await codeOf(connecting)).toBe("CLOSED")
  })
})

describe("the session", () => {
  it("is given whenever what must be kept changes, and goes on from its JSON", async () => {
    const sessions: (Session | undefined)[] = []
    const remote = await connect({ onSession: (session) => sessions.push(session) })
    expect(sessions.map((session) => session?.userPubkey)).toEqual([undefined, signer.user.pubkey])
    expect(sessions[1]).toEqual(remote.session)
    remote.close()

    const asked = signer.asked.length
    const restored = RemoteSigner.restore(JSON.stringify(sessions[1]), { openTransport: relays.open })
    open.push(restored)
    expect(await restored.getPublicKey()).toBe(signer.user.pubkey)
    expect((await restored.signEvent({ kind: 1, content: "again" })).content).toBe("again")
    expect(restored.clientPubkey).toBe(remote.clientPubkey)
    expect(signer.asked.slice(asked).map(({ method }) => method)).toEqual(["switch_relays", "sign_event"])
  })

  it("goes on from before the user's key was known", async () => {
    const sessions: (Session | undefined)[] = []
    signer.on("get_public_key", () => undefined)
    expect(await codeOf(connect({ timing: { requestMs: 60 }, onSession: (session) => sessions.push(session) }))).toBe(
      "TIMEOUT",
    )
    signer.on("get_public_key", ({ answer }) => answer({ result: signer.user.pubkey.toUpperCase() }))
    const restored = RemoteSigner.restore(sessions[0] as Session, { openTransport: relays.open })
    open.push(restored)
    expect((await restored.signEvent({ kind: 1, content: "" })).pubkey).toBe(signer.user.pubkey)
  })

  it("is refused when it is damaged, and its key is never in the error", async () => {
    const { session } = await connect()
    const damaged: unknown[] = [
      "",
      "{}",
      "null",
      { ...session, version: 2 },
      { ...session, clientSecretKey: `${session.clientSecretKey}0` },
      { ...session, remoteSignerPubkey: undefined },
      { ...session, relays: ["https://x.example"] },
      { ...session, userPubkey: 1 },
      { ...session, remoteSignerPubkey: "f".repeat(64) },
      { ...session, clientSecretKey: "0".repeat(64) },
    ]
    for (const each of damaged) {
      const restoring = (): RemoteSigner => RemoteSigner.restore(each as Session, { openTransport: relays.open })
      expect(restoring).toThrow(expect.objectContaining({ code: "INVALID_SESSION" }) as Error)
      expect(restoring).not.toThrow(session.clientSecretKey)
    }
  })

  it("ends with a logout, whether the signer hears it or not (N46-LOGOUT-8)", async () => {
    const sessions: (Session | undefined)[] = []
    const onSession = (session: Session | undefined): number => sessions.push(session)
    const first = await connect({ onSession })
    expect(await first.logout()).toBe(true)
    expect(methods().at(-1)).toBe("logout")
    expect(sessions.at(-1)).toBeUndefined()
    expect(() => first.session).toThrow("its key was wiped")
    expect(await codeOf(first.ping())).toBe("CLOSED")

    signer.on("logout", () => undefined)
    const second = await connect({ onSession })
    expect(await second.logout({ timeoutMs: 30 })).toBe(false)
    expect(sessions.at(-1)).toBeUndefined()
    expect(() => second.session).toThrow("its key was wiped")
  })

  it("goes on when a callback of the app throws", async () => {
    const errors: unknown[] = []
    const boom = (): never => {
      throw new Error("boom")
    }
    const remote = await connect({ onSession: boom, onStatus: boom, onWarning: (warning) => errors.push(warning) })
    await remote.ping()
    expect(errors).toContainEqual({ kind: "callback", error: new Error("boom") })
  })

  it("goes on when an async callback of the app rejects", async () => {
    const errors: unknown[] = []
    // What apps write where a callback returns nothing.
    const rejecting =
      (why: string): (() => void) =>
      () =>
        Promise.reject(new Error(why))
    const onSession = rejecting("disk full")
    await connect({ onSession, onWarning: (warning) => errors.push(warning) })
    await vi.waitFor(() => expect(errors).toContainEqual({ kind: "callback", error: new Error("disk full") }))
    await connect({ onSession, onWarning: rejecting("nobody is left") })
  })
})
