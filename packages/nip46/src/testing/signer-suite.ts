import { RemoteSigner } from "../client/index.js"
import type { CryptoBackend } from "../crypto/backend.js"
import { buildBunkerToken, parseBunkerToken } from "../protocol/connection-token.js"
import { Nip46Error } from "../protocol/errors.js"
import { NOSTR_CONNECT_KIND, type NostrEvent } from "../protocol/event.js"
import { isHex32 } from "../protocol/hex.js"
import { encodeRequest } from "../protocol/message.js"
import { parseResponse, type Response } from "../protocol/response.js"
import type { TransportFactory } from "../transport/index.js"
import { check, equal } from "./assert.js"

/** A remote-signer under test, of any make. */
export interface SignerSubject {
  /**
   * A fresh bunker:// token with a secret, whose client may `sign_event:1`, `nip44_encrypt` and `nip44_decrypt`
   * without anybody being asked, and may not `sign_event:30078`.
   */
  token(): Promise<string>
  readonly openTransport: TransportFactory
  close(): Promise<void> | void
}

export interface SignerSuiteOptions {
  /** `test` or `it` of vitest, node:test, jest, Deno. */
  readonly test: (title: string, run: () => Promise<void>) => unknown
  readonly crypto: CryptoBackend
  readonly create: () => Promise<SignerSubject> | SignerSubject
  /** How long a refusal may stay silent before it counts as one, in ms; 3 s by default. */
  readonly silenceMs?: number
}

interface Bench {
  readonly crypto: CryptoBackend
  readonly subject: SignerSubject
  readonly connect: (token?: string) => Promise<RemoteSigner>
  /** Sends exactly this, and collects what comes back in the time. */
  readonly raw: (token: string, plaintexts: readonly string[], options?: RawOptions) => Promise<Raw>
  /** Refused with an error, or not answered at all. */
  readonly refused: (call: Promise<unknown>) => Promise<string>
}

interface RawOptions {
  /** Each event so many times. */
  readonly copies?: number
  /** Answers to wait for; all that come in the silence time by default. */
  readonly answers?: number
}

interface Raw {
  readonly events: readonly NostrEvent[]
  readonly responses: readonly Response[]
}

interface SignerCheck {
  readonly title: string
  readonly run: (bench: Bench) => Promise<void>
}

const DEFAULT_SILENCE_MS = 3_000

/** What NIP-46 asks of a remote-signer, one named check each. */
const checks: readonly SignerCheck[] = [
  {
    title: "N46-CONNECT connects with its token's secret, and gives the user's key",
    async run({ connect }) {
      const signer = await connect()
      check(isHex32(await signer.getPublicKey()), "the user's key is not 64 hex digits")
    },
  },
  {
    title: "answers ping",
    async run({ connect }) {
      equal(await (await connect()).call("ping"), "pong", "ping")
    },
  },
  {
    title: "signs what was asked for with the user's key, and returns the whole event",
    async run({ connect }) {
      const signer = await connect()
      const template = { kind: 1, content: "“quoted” \\ \u{1f5dd}\n", tags: [["t", "x"]], created_at: 1_700_000_000 }
      const event = await signer.signEvent(template)
      equal({ ...event, id: "", sig: "", pubkey: "" }, { ...template, id: "", sig: "", pubkey: "" }, "the event")
      equal(event.pubkey, await signer.getPublicKey(), "its author")
    },
  },
  {
    title: "encrypts by NIP-44 for a third party, and decrypts what it sends",
    async run({ connect, crypto }) {
      const signer = await connect()
      const user = await signer.getPublicKey()
      const peer = crypto.keypair(crypto.generateSecretKey())
      const key = crypto.conversationKey(peer, user)
      equal(crypto.nip44Decrypt(await signer.nip44Encrypt(peer.pubkey, "to the peer"), key), "to the peer", "encrypted")
      equal(await signer.nip44Decrypt(peer.pubkey, crypto.nip44Encrypt("to the user", key)), "to the user", "decrypted")
    },
  },
  {
    title: "N46-METHODS answers a method it does not know with an error",
    async run({ connect }) {
      const signer = await connect()
      const error = await errorOf(signer.call("no_such_method", ["x"]))
      equal(error.code, "REMOTE_ERROR", "the answer")
    },
  },
  {
    title: "answers switch_relays with null or a list",
    async run({ connect }) {
      const text = await (await connect()).call("switch_relays")
      const answer = JSON.parse(text) as unknown
      check(answer === null || (Array.isArray(answer) && answer.every((url) => typeof url === "string")), text)
    },
  },
  {
    title: "refuses what the token does not permit, and goes on",
    async run({ connect, refused }) {
      const signer = await connect()
      await refused(signer.signEvent({ kind: 30_078, content: "" }))
      equal((await signer.signEvent({ kind: 1, content: "still" })).content, "still", "afterwards")
    },
  },
  {
    title: "lets nobody in with a secret that was used, and keeps who came first",
    async run({ subject, connect, refused }) {
      const token = await subject.token()
      const first = await connect(token)
      await refused(connect(token))
      equal((await first.signEvent({ kind: 1, content: "first" })).content, "first", "the first client")
    },
  },
  {
    title: "lets nobody in with another secret, or with none",
    async run({ subject, connect, refused }) {
      const token = await subject.token()
      const { secret } = parseBunkerToken(token)
      if (secret === undefined) throw new Error("the token under test needs a secret")
      const { remoteSignerPubkey, relays } = parseBunkerToken(token)
      for (const other of ["guess", undefined]) {
        await refused(connect(buildBunkerToken({ remoteSignerPubkey, relays, secret: other })))
      }
    },
  },
  {
    title: "gives a stranger nothing, not even the user's key",
    async run({ subject, raw }) {
      const token = await subject.token()
      const template = JSON.stringify({ kind: 1, content: "", tags: [], created_at: 1_700_000_000 })
      const asks = [
        { id: "s1", method: "get_public_key", params: [] },
        { id: "s2", method: "sign_event", params: [template] },
        { id: "s3", method: "ping", params: [] },
      ].map(encodeRequest)
      const { responses } = await raw(token, asks)
      check(
        responses.every(({ kind }) => kind !== "result"),
        "a client that never connected got a result",
      )
    },
  },
  {
    title: "N46-RESPONSE answers with the request's id, to the client alone, in a genuine event of its own key",
    async run({ subject, raw, crypto }) {
      const token = await subject.token()
      const { remoteSignerPubkey, secret = "" } = parseBunkerToken(token)
      const connect = encodeRequest({ id: "unusual id: ü", method: "connect", params: [remoteSignerPubkey, secret] })
      const { events, responses } = await raw(token, [connect], { answers: 1 })
      const [event] = events
      const [response] = responses
      if (event === undefined || response === undefined) throw new Error("there was no answer to connect")
      equal(response.id, "unusual id: ü", "the id")
      check(response.kind === "result" && (response.result === "ack" || response.result === secret), "the result")
      equal(event.kind, NOSTR_CONNECT_KIND, "the kind")
      equal(event.pubkey, remoteSignerPubkey, "the author")
      equal(event.tags.filter(([name]) => name === "p").length, 1, "one p tag")
      check(crypto.verifyEvent(event), "the event does not verify")
    },
  },
  {
    title: "one event that comes many times is one request",
    async run({ subject, raw }) {
      const token = await subject.token()
      const { remoteSignerPubkey, secret = "" } = parseBunkerToken(token)
      const connect = encodeRequest({ id: "once", method: "connect", params: [remoteSignerPubkey, secret] })
      const { responses } = await raw(token, [connect], { copies: 5 })
      check(
        responses.length > 0 && responses.every(({ kind }) => kind === "result"),
        "a copy of connect was taken for an attempt to use the secret again",
      )
    },
  },
  {
    title: "stays up and answers after garbage",
    async run({ subject, raw, connect }) {
      const token = await subject.token()
      const garbage = ["", "{", "null", "[]", '{"id":1}', '{"id":"x","method":5}', "[".repeat(5_000), "\u0000"]
      await raw(
        token,
        garbage.filter((text) => text !== ""),
      )
      equal(await (await connect(token)).call("ping"), "pong", "ping")
    },
  },
  {
    title: "N46-LOGOUT acknowledges a logout, and serves that client no more",
    async run({ connect, refused }) {
      const signer = await connect()
      equal(await signer.call("logout"), "ack", "logout")
      await refused(signer.signEvent({ kind: 1, content: "" }))
    },
  },
]

/**
 * Registers every check with a test runner.
 *
 * @example
 * import { test } from "node:test"
 * signerSuite({ test, crypto, create: () => ({ token: () => myBunker.newToken(), openTransport, close() {} }) })
 */
export function signerSuite({ test, crypto, create, silenceMs = DEFAULT_SILENCE_MS }: SignerSuiteOptions): void {
  for (const { title, run } of checks) {
    test(title, async () => {
      const subject = await create()
      const opened: { close(): void }[] = []
      try {
        await run(benchOf(subject, crypto, opened, silenceMs))
      } finally {
        for (const each of opened) each.close()
        await subject.close()
      }
    })
  }
}

function benchOf(subject: SignerSubject, crypto: CryptoBackend, opened: { close(): void }[], silenceMs: number): Bench {
  const { openTransport } = subject
  // A signer may be silent to whom it refuses: such an attempt ends with its check.
  const ending = new AbortController()
  opened.push({ close: () => ending.abort() })
  return {
    subject,
    crypto,
    async connect(token) {
      const { signal } = ending
      const signer = await RemoteSigner.connect(token ?? (await subject.token()), { openTransport, crypto, signal })
      opened.push(signer)
      return signer
    },
    async refused(call) {
      let timer: ReturnType<typeof setTimeout> | undefined
      const silence = new Promise<string>((resolve) => {
        timer = setTimeout(resolve, silenceMs, "silence")
      })
      try {
        return await Promise.race([silence, errorOf(call).then(refusalOf)])
      } finally {
        clearTimeout(timer)
      }
    },
    async raw(token, plaintexts, { copies = 1, answers = Number.POSITIVE_INFINITY } = {}) {
      const { remoteSignerPubkey, relays } = parseBunkerToken(token)
      const keypair = crypto.keypair(crypto.generateSecretKey())
      const key = crypto.conversationKey(keypair, remoteSignerPubkey)
      const transport = openTransport(relays, {})
      opened.push(transport)
      const events = new Map<string, NostrEvent>()
      let timer: ReturnType<typeof setTimeout> | undefined
      await new Promise<void>((resolve) => {
        timer = setTimeout(resolve, silenceMs)
        let isSent = false
        transport.subscribe([{ kinds: [NOSTR_CONNECT_KIND], "#p": [keypair.pubkey] }], {
          onEvent(event) {
            if (event.pubkey === remoteSignerPubkey) events.set(event.id, event)
            if (events.size >= answers) resolve()
          },
          onLive() {
            if (isSent) return
            isSent = true
            for (const plaintext of plaintexts) {
              const content = crypto.nip44Encrypt(plaintext, key)
              const created_at = Math.floor(Date.now() / 1000)
              const template = { kind: NOSTR_CONNECT_KIND, content, tags: [["p", remoteSignerPubkey]], created_at }
              const event = crypto.signEvent(template, keypair)
              for (let n = 0; n < copies; n++) void transport.publish(event)
            }
          },
        })
      })
      clearTimeout(timer)
      const responses = [...events.values()].flatMap(({ content }) => {
        const response = parseResponse(crypto.nip44Decrypt(content, key))
        return response === undefined ? [] : [response]
      })
      return { events: [...events.values()], responses }
    },
  }
}

/** The signer's own refusal; an error of the client says nothing of the signer. */
function refusalOf(error: Nip46Error): string {
  if (error.code !== "REMOTE_ERROR") throw new Error(`it was not refused: ${error.message}`)
  return error.message
}

async function errorOf(call: Promise<unknown>): Promise<Nip46Error> {
  let result: unknown
  try {
    result = await call
  } catch (error) {
    if (error instanceof Nip46Error) return error
    throw error
  }
  throw new Error(`it was not refused: ${JSON.stringify(result)?.slice(0, 200)}`)
}
