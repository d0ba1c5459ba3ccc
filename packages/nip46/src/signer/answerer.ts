import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js"
import type { CryptoBackend, Keypair } from "../crypto/backend.js"
import { BoundedMap } from "../crypto/bounded-map.js"
import { Nip46Error } from "../protocol/errors.js"
import { NOSTR_CONNECT_KIND, type NostrEvent } from "../protocol/event.js"
import { MAX_PLAINTEXT_BYTES } from "../protocol/limits.js"
import { encodeAuthUrl, encodeError, encodeResult, type Request, type RequestId } from "../protocol/message.js"
import type { Ask } from "./authorize.js"
import type { Connection, SignerKeys } from "./ports.js"
import type { Scope } from "./scope.js"

/** An event that is ready to be published, and where. */
export interface Answer {
  readonly event: NostrEvent
  readonly relays: readonly string[]
  readonly connectionId: string
}

/** Who is answered, and how they encrypt: every message is answered in kind, and nothing is remembered of it. */
export interface Peer {
  /** The client-pubkey. */
  readonly pubkey: string
  readonly encryption: "nip44" | "nip04"
}

/** The sender of a request, as the request itself shows. */
export function senderOf({ pubkey, content }: NostrEvent): Peer {
  return { pubkey, encryption: encryptionOf(content) }
}

/** NIP-04 payloads say so; base64, which NIP-44 is, holds no question mark. */
function encryptionOf(content: string): Peer["encryption"] {
  return content.includes("?iv=") ? "nip04" : "nip44"
}

/** What a request comes to. */
export type Reply =
  | { readonly kind: "result"; readonly result: string }
  | { readonly kind: "error"; readonly error: string }

/** Relays refuse events older than 60 s; below this age the same event is sent again (HOUSE, gate 9). */
export const RESEND_WITHIN = 50

/** The transport side of the engine: opens requests and seals answers with a connection's own key. */
export class Answerer {
  readonly #keys: SignerKeys
  readonly #crypto: CryptoBackend
  /** Conversation keys of live clients only; a stranger's is used once and zeroed. */
  readonly #conversations: BoundedMap<string, Uint8Array>

  constructor(keys: SignerKeys, crypto: CryptoBackend, maxConversations: number) {
    this.#keys = keys
    this.#crypto = crypto
    this.#conversations = new BoundedMap(maxConversations, (key) => key.fill(0))
  }

  /** The plaintext of a request, or undefined when it does not open. */
  async open(event: NostrEvent, connection: Connection): Promise<string | undefined> {
    const transport = await this.#keys.transportKey(connection)
    try {
      return this.#decrypt(event.content, transport, connection, event.pubkey)
    } catch (error) {
      if (error instanceof Nip46Error && (error.code === "DECRYPTION_FAILED" || error.code === "INVALID_KEY")) {
        return undefined
      }
      throw error
    }
  }

  /**
   * What makes two requests the same: client, connection, id, method and params, as 64 hex digits. Keyed with
   * a secret of the pair, so that a stolen record does not let anybody guess at plaintexts.
   */
  repeatKey({ id, method, params }: Request, connection: Connection, client: string): Promise<string> {
    return this.#keyed("casemate repeat key", [connection.id, client, id, method, params], connection, client)
  }

  /** What makes two asks one prompt: what "always" would cover; keyed as `repeatKey` is. */
  scopeKey({ method, param, conditions }: Scope, connection: Connection, client: string): Promise<string> {
    const words = [method, param ?? null, conditions.host ?? null, conditions.action ?? null]
    return this.#keyed("casemate scope key", words, connection, client)
  }

  /** What makes two asks the same: all that they ask for, whatever their `created_at`; keyed as `repeatKey` is. */
  askKey(ask: Ask, connection: Connection, client: string): Promise<string> {
    return this.#keyed("casemate ask key", wordsOf(ask), connection, client)
  }

  /** @param now unix seconds */
  async seal(id: RequestId, reply: Reply, connection: Connection, peer: Peer, now: number): Promise<Answer> {
    const plaintext = reply.kind === "error" ? encodeError(id, reply.error) : encodeResult(id, reply.result)
    // What is encrypted is the whole message, in which JSON escapes the result once more.
    const fits = new TextEncoder().encode(plaintext).length <= MAX_PLAINTEXT_BYTES
    const tooLong = `the answer is longer than ${MAX_PLAINTEXT_BYTES} bytes, which no relay would carry`
    return this.#sealText(fits ? plaintext : encodeError(id, tooLong), connection, peer, now)
  }

  /** The recorded answer: the same event while relays take its age, else the same words in a fresh one. */
  async resend(recorded: NostrEvent, connection: Connection, client: string, now: number): Promise<Answer> {
    if (now - recorded.created_at <= RESEND_WITHIN) return this.#address(recorded, connection)
    return this.renew(recorded, connection, client, now)
  }

  /** The same words in a fresh event, encrypted as they were. @throws `DECRYPTION_FAILED`, `INVALID_KEY` */
  async renew({ content }: NostrEvent, connection: Connection, client: string, now: number): Promise<Answer> {
    const transport = await this.#keys.transportKey(connection)
    const plaintext = this.#decrypt(content, transport, connection, client)
    return this.#sealText(plaintext, connection, { pubkey: client, encryption: encryptionOf(content) }, now)
  }

  /** Sends the client to a page (NIP-46 §Auth Challenges). @param now unix seconds */
  async challenge(id: RequestId, url: string, connection: Connection, peer: Peer, now: number): Promise<Answer> {
    return this.#sealText(encodeAuthUrl(id, url), connection, peer, now)
  }

  close(): void {
    this.#conversations.clear()
  }

  async #keyed(label: string, words: unknown, connection: Connection, client: string): Promise<string> {
    const transport = await this.#keys.transportKey(connection)
    return this.#withConversation(transport, connection, client, (key) => {
      const own = this.#crypto.hmacSha256(key, utf8ToBytes(label))
      return bytesToHex(this.#crypto.hmacSha256(own, utf8ToBytes(JSON.stringify(words))))
    })
  }

  async #sealText(plaintext: string, connection: Connection, peer: Peer, now: number): Promise<Answer> {
    const transport = await this.#keys.transportKey(connection)
    const content = this.#encrypt(plaintext, transport, connection, peer)
    const template = { kind: NOSTR_CONNECT_KIND, content, tags: [["p", peer.pubkey]], created_at: now }
    return this.#address(this.#crypto.signEvent(template, transport), connection)
  }

  #encrypt(plaintext: string, transport: Keypair, connection: Connection, { pubkey, encryption }: Peer): string {
    if (encryption === "nip04") return this.#crypto.nip04Encrypt(plaintext, transport, pubkey)
    return this.#withConversation(transport, connection, pubkey, (key) => this.#crypto.nip44Encrypt(plaintext, key))
  }

  #decrypt(content: string, transport: Keypair, connection: Connection, client: string): string {
    if (encryptionOf(content) === "nip04") return this.#crypto.nip04Decrypt(content, transport, client)
    return this.#withConversation(transport, connection, client, (key) => this.#crypto.nip44Decrypt(content, key))
  }

  #address(event: NostrEvent, connection: Connection): Answer {
    // A client that never asked switch_relays still listens where it was told to.
    const relays = [...new Set([...connection.relays, ...connection.clientRelays])]
    return { event, relays, connectionId: connection.id }
  }

  #withConversation<T>(transport: Keypair, connection: Connection, peer: string, use: (key: Uint8Array) => T): T {
    const cacheKey = `${transport.pubkey}:${peer}`
    const cached = this.#conversations.get(cacheKey)
    if (cached !== undefined) return use(cached)
    const fresh = this.#crypto.conversationKey(transport, peer)
    if (connection.clientPubkey === peer && connection.state === "active") {
      this.#conversations.set(cacheKey, fresh)
      return use(fresh)
    }
    try {
      return use(fresh)
    } finally {
      fresh.fill(0)
    }
  }
}

function wordsOf(ask: Ask): readonly unknown[] {
  if (ask.method !== "sign_event")
    return "counterparty" in ask ? [ask.method, ask.counterparty, ask.text] : [ask.method]
  const { kind, tags, content } = ask.template
  return [ask.method, kind, tags, content]
}
