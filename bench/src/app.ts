import { randomUUID } from "node:crypto"
import type { CryptoBackend, Keypair } from "@casemate/nip46/crypto"
import { createNodeBackend } from "@casemate/nip46/crypto/node"
import { NOSTR_CONNECT_KIND, type NostrEvent, parseBunkerToken } from "@casemate/nip46/protocol"
import { RelaySocket } from "./relay-socket.js"

/** How long an answer may take, in ms; the slowest signer here has 64 requests before it at the most. */
const ANSWER_MS = 30_000
/** One answer in so many has its signature verified. */
const VERIFY_EVERY = 8

interface Waiting {
  resolve(result: string): void
  reject(error: Error): void
}

/** One app at one signer, over one relay; as little as NIP-46 needs, with the fastest curve of this machine. */
export class App {
  readonly #crypto: CryptoBackend
  readonly #keypair: Keypair
  readonly #conversation: Uint8Array
  readonly #remoteSigner: string
  readonly #userPubkey: string
  readonly #waiting = new Map<string, Waiting>()
  readonly #relay: RelaySocket
  #asked = 0

  private constructor(relay: RelaySocket, crypto: CryptoBackend, remoteSigner: string, userPubkey: string) {
    this.#relay = relay
    this.#crypto = crypto
    this.#keypair = crypto.keypair(crypto.generateSecretKey())
    this.#conversation = crypto.conversationKey(this.#keypair, remoteSigner)
    this.#remoteSigner = remoteSigner
    this.#userPubkey = userPubkey
  }

  static async connect(text: string, userPubkey: string): Promise<App> {
    const token = parseBunkerToken(text)
    const relay = await RelaySocket.open(token.relays[0] ?? "")
    const app = new App(relay, createNodeBackend(), token.remoteSignerPubkey, userPubkey)
    await relay.listen(app.#keypair.pubkey, (event) => app.#received(event))
    await app.#request("connect", [token.remoteSignerPubkey, token.secret ?? ""])
    return app
  }

  /** Has a note signed, and compares what comes back. True when its signature was verified as well. */
  async sign(): Promise<boolean> {
    const n = ++this.#asked
    const content = `Note ${n}. ${"All work and no play makes a dull benchmark. ".repeat(4)}`
    const template = { kind: 1, content, tags: [["t", "bench"]], created_at: Math.floor(Date.now() / 1_000) }
    const signed = JSON.parse(await this.#request("sign_event", [JSON.stringify(template)])) as NostrEvent
    if (signed.pubkey !== this.#userPubkey || signed.content !== content || signed.sig?.length !== 128) {
      throw new Error(`request ${n} was answered with another event than it asked for`)
    }
    if (n % VERIFY_EVERY !== 0) return false
    if (!this.#crypto.verifyEvent(signed)) throw new Error(`the signature of request ${n} does not hold`)
    return true
  }

  async #request(method: string, params: readonly string[]): Promise<string> {
    const id = randomUUID()
    const content = this.#crypto.nip44Encrypt(JSON.stringify({ id, method, params }), this.#conversation)
    const tags = [["p", this.#remoteSigner]]
    const template = { kind: NOSTR_CONNECT_KIND, content, tags, created_at: Math.floor(Date.now() / 1_000) }
    let deadline: NodeJS.Timeout | undefined
    try {
      return await new Promise<string>((resolve, reject) => {
        deadline = setTimeout(() => reject(new Error(`no answer to ${method} within ${ANSWER_MS} ms`)), ANSWER_MS)
        this.#waiting.set(id, { resolve, reject })
        this.#relay.publish(this.#crypto.signEvent(template, this.#keypair))
      })
    } finally {
      clearTimeout(deadline)
      this.#waiting.delete(id)
    }
  }

  /** The MAC of the payload says who answered. */
  #received({ pubkey, content }: NostrEvent): void {
    if (pubkey !== this.#remoteSigner) return
    const text = this.#crypto.nip44Decrypt(content, this.#conversation)
    const { id, result, error } = JSON.parse(text) as { id: string; result?: string; error?: string }
    if (error) this.#waiting.get(id)?.reject(new Error(`the signer refused: ${error}`))
    else this.#waiting.get(id)?.resolve(result ?? "")
  }
}
