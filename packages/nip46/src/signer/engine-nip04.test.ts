import { describe, expect, it } from "vitest"
import {
  type Bench,
  createBench,
  crypto,
  errorOf,
  eventJson,
  ownerDid,
  signedIn,
} from "../../test/support/signer-bench.js"
import type { Keypair } from "../crypto/backend.js"
import type { NostrEvent } from "../protocol/event.js"
import { encodeRequest } from "../protocol/message.js"
import type { Answer } from "./answerer.js"

/** Clients that encrypt their messages with NIP-04. */

type Message = { id: string; result: string; error?: string }

interface OldClient {
  readonly keypair: Keypair
  request(method: string, params?: string[], fields?: { id?: string; encryption?: "nip04" | "nip44" }): NostrEvent
  seal(content: string): NostrEvent
  /** Fails unless the answer is encrypted so. */
  open(answer: Answer, encryption?: "nip04" | "nip44"): Message
  ask(method: string, params?: string[], fields?: { id?: string; encryption?: "nip04" | "nip44" }): Promise<Message>
}

let requests = 0

function oldClient(
  bench: Bench,
  remoteSignerPubkey: string,
  keypair = crypto.keypair(crypto.generateSecretKey()),
): OldClient {
  const conversation = crypto.conversationKey(keypair, remoteSignerPubkey)
  const client: OldClient = {
    keypair,
    seal: (content) =>
      crypto.signEvent({ kind: 24133, content, tags: [["p", remoteSignerPubkey]], created_at: bench.now() }, keypair),
    request(method, params = [], { id = `old${++requests}`, encryption = "nip04" } = {}) {
      const plaintext = encodeRequest({ id, method, params })
      return client.seal(
        encryption === "nip04"
          ? crypto.nip04Encrypt(plaintext, keypair, remoteSignerPubkey)
          : crypto.nip44Encrypt(plaintext, conversation),
      )
    },
    open({ event }, encryption = "nip04") {
      expect(crypto.verifyEvent(event)).toBe(true)
      expect(event.content.includes("?iv=")).toBe(encryption === "nip04")
      const plaintext =
        encryption === "nip04"
          ? crypto.nip04Decrypt(event.content, keypair, remoteSignerPubkey)
          : crypto.nip44Decrypt(event.content, conversation)
      return JSON.parse(plaintext) as Message
    },
    async ask(method, params, fields = {}) {
      const outcome = await bench.engine.handle(client.request(method, params, fields))
      if (outcome.kind !== "answered") throw new Error(outcome.kind === "ignored" ? outcome.why : outcome.kind)
      return client.open(outcome.answer, fields.encryption)
    },
  }
  return client
}

async function connected(
  bench: Bench,
  perms = "sign_event:1",
  nip04Transport = true,
): Promise<OldClient & { id: string }> {
  const keypair = crypto.keypair(crypto.generateSecretKey())
  const one = await bench.connected(perms, { clientPubkey: keypair.pubkey, nip04Transport })
  const remoteSignerPubkey = one.request("ping").tags[0]?.[1] as string
  const connection = await bench.record.connection(remoteSignerPubkey)
  return { ...oldClient(bench, remoteSignerPubkey, keypair), id: connection?.id as string }
}

describe("QUIRKS signer 4: a client that encrypts with NIP-04", () => {
  it("is dropped and counted until its owner allows it, and again after", async () => {
    const bench = createBench()
    const client = await connected(bench, "sign_event:1", false)
    for (let n = 0; n < 3; n++) await expect(client.ask("ping")).rejects.toThrow("nip04_transport")
    expect(bench.engine.nip04Dropped(client.id)).toBe(3)
    expect(await bench.record.unanswered()).toEqual([])

    await bench.record.setNip04Transport(client.id, true, ownerDid)
    expect(await client.ask("ping")).toMatchObject({ result: "pong" })
    await bench.record.setNip04Transport(client.id, false, ownerDid)
    await expect(client.ask("ping")).rejects.toThrow("nip04_transport")
    expect(bench.engine.nip04Dropped(client.id)).toBe(4)
    expect(await client.ask("ping", [], { encryption: "nip44" })).toMatchObject({ result: "pong" })
  })

  it("is answered in kind, message by message, errors included", async () => {
    const bench = createBench()
    const client = await connected(bench)
    for (const encryption of ["nip04", "nip44", "nip44", "nip04", "nip04"] as const) {
      signedIn(await client.ask("sign_event", [eventJson(1)], { encryption }))
      expect(errorOf(await client.ask("sign_event", [eventJson(4)], { encryption }))).toMatch(/not permitted/)
      expect(errorOf(await client.ask("get_relays", [], { encryption }))).toMatch(/unknown method/)
    }
  })

  it("connects with a token whose owner allows it before anybody is bound", async () => {
    const bench = createBench()
    const { connection, secret } = await bench.offer("sign_event:1")
    const client = oldClient(bench, connection.remoteSignerPubkey)
    await expect(client.ask("connect", [connection.remoteSignerPubkey, secret])).rejects.toThrow("nip04_transport")
    expect(bench.engine.nip04Dropped(connection.id)).toBe(1)
    await bench.record.setNip04Transport(connection.id, true, ownerDid)
    expect(await client.ask("connect", [connection.remoteSignerPubkey, secret])).toMatchObject({ result: "ack" })
    signedIn(await client.ask("sign_event", [eventJson(1)]))
  })

  it("counts nothing for strangers", async () => {
    const bench = createBench()
    const client = await connected(bench, "", false)
    const stranger = oldClient(bench, client.request("ping").tags[0]?.[1] as string)
    await expect(stranger.ask("ping")).rejects.toThrow("nip04_transport")
    expect(bench.engine.nip04Dropped(client.id)).toBe(0)
  })

  it("gets the recorded answer of a repeat as it was encrypted, fresh or not", async () => {
    const bench = createBench()
    const client = await connected(bench)
    const first = await client.ask("sign_event", [eventJson(1)], { id: "twice" })
    bench.advance(10_000)
    expect(await client.ask("sign_event", [eventJson(1)], { id: "twice" })).toEqual(first)
    bench.advance(60_000)
    expect(await client.ask("sign_event", [eventJson(1)], { id: "twice" })).toEqual(first)
    expect(bench.record.audit.filter(({ action }) => action === "sign_event")).toHaveLength(1)
  })

  it("is answered in kind after a crash between commit and answer", async () => {
    const bench = createBench({ record: (record) => ({ ...record, answer: async () => undefined }) })
    const client = await connected(bench)
    await client.ask("sign_event", [eventJson(1)], { id: "lost" })
    const [answer, ...more] = await bench.restart().recover()
    expect(more).toEqual([])
    const reading = client.open(answer as Answer)
    expect(reading.id).toBe("lost")
    signedIn(reading)
  })

  it("meets one silence whatever is wrong with its payload: no padding oracle", async () => {
    const bench = createBench()
    const client = await connected(bench)
    const { content } = client.request("ping")
    const [ciphertext = "", iv = ""] = content.split("?iv=")
    const bytes = Buffer.from(ciphertext, "base64")
    const flipped = Array.from({ length: bytes.length * 8 }, (_, bit) => {
      const broken = Buffer.from(bytes)
      broken[bit >> 3] = (broken[bit >> 3] as number) ^ (1 << (bit & 7))
      return `${broken.toString("base64")}?iv=${iv}`
    })
    const shapes = [
      "?iv=",
      `${ciphertext}?iv=`,
      `?iv=${iv}`,
      `${ciphertext}?iv=AAAA`,
      `${ciphertext.slice(4)}?iv=${iv}`,
    ]
    const seen = new Map<string, number>()
    for (const payload of [...shapes, ...flipped]) {
      const outcome = await bench.engine.handle(client.seal(payload))
      // Without a MAC some flips still give a message; what does not is never answered.
      const what = outcome.kind === "ignored" ? outcome.why : "a message"
      seen.set(what, (seen.get(what) ?? 0) + 1)
    }
    expect([...seen.keys()].filter((what) => !["undecryptable", "garbage", "a message"].includes(what))).toEqual([])
    expect(seen.get("undecryptable")).toBeGreaterThan(100)
  })
})
