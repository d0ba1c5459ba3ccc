import { randomBytes } from "node:crypto"
import * as nip44 from "nostr-tools/nip44"
import { type Event, finalizeEvent, generateSecretKey, getPublicKey } from "nostr-tools/pure"
import { WebSocket } from "ws"

/** What a request came to. */
export interface Reply {
  readonly result?: string | undefined
  readonly error?: string | undefined
}

export interface RequestOptions {
  /** The request id; a fresh one unless told. */
  readonly id?: string
  /** Ask again, in a new event, after so long without an answer, in ms. */
  readonly retryMs?: number
  /** Give up after so long, in ms: a test that waits longer has failed. */
  readonly deadlineMs?: number
}

export interface RawClientOptions {
  readonly secretKey?: Uint8Array
}

interface Waiting {
  readonly send: () => void
  readonly resolve: (reply: Reply) => void
}

const REDIAL_MS = 50

export function parseToken(token: string): { remoteSigner: string; relays: string[]; secret: string } {
  const url = new URL(token)
  return {
    remoteSigner: url.host === "" ? url.pathname.replace(/^\/+/, "") : url.host,
    relays: url.searchParams.getAll("relay"),
    secret: url.searchParams.get("secret") ?? "",
  }
}

/**
 * A NIP-46 client with nothing between the test and the wire: it keeps what it sent and what came back, dials
 * again when a relay goes away, and repeats a request in a new event under the same id until it is answered.
 */
export class RawClient {
  readonly secretKey: Uint8Array
  readonly pubkey: string
  readonly remoteSigner: string
  readonly secret: string
  /** Every request event that was made, with its request id. */
  readonly sent = new Map<string, { readonly requestId: string; readonly event: Event }>()
  /** Every distinct answer event, by request id, in the order of arrival. */
  readonly replies = new Map<string, Reply[]>()
  /** Answer events that came, copies included. */
  deliveries = 0
  /** Ids of events that a relay took. */
  readonly taken = new Set<string>()
  /** Ids of events that a relay did not take, and what it said. */
  readonly refused = new Map<string, string>()
  /** Seconds that its clock is ahead. */
  clockOff = 0
  /** Requests that were asked again. */
  retries = 0
  readonly #conversation: Uint8Array
  /** By event id, the request id. */
  readonly #seen = new Map<string, string>()
  readonly #deliveriesOf = new Map<string, number>()
  readonly #waiting = new Map<string, Waiting>()
  readonly #links: Link[]

  constructor(token: string, { secretKey = generateSecretKey() }: RawClientOptions = {}) {
    const { remoteSigner, relays, secret } = parseToken(token)
    this.secretKey = secretKey
    this.pubkey = getPublicKey(secretKey)
    this.remoteSigner = remoteSigner
    this.secret = secret
    this.#conversation = nip44.getConversationKey(secretKey, remoteSigner)
    this.#links = relays.map(
      (url) =>
        new Link(url, {
          filter: { kinds: [24133], "#p": [this.pubkey] },
          onReady: () => {
            for (const { send } of this.#waiting.values()) send()
          },
          onEvent: (event) => this.#received(event),
          onTaken: (id) => this.taken.add(id),
          onRefused: (id, message) => this.refused.set(id, message),
        }),
    )
  }

  /** Resolves once every relay has confirmed the subscription. */
  async ready(): Promise<void> {
    await Promise.all(this.#links.map((link) => link.ready()))
  }

  connect(options?: RequestOptions): Promise<Reply> {
    return this.request("connect", [this.remoteSigner, this.secret], options)
  }

  sign(content: string, options?: RequestOptions): Promise<Reply> {
    return this.request("sign_event", [template(content)], options)
  }

  /** Rejects only when its deadline passes without any answer. */
  async request(
    method: string,
    params: readonly string[],
    { id = randomBytes(8).toString("hex"), retryMs = 1_000, deadlineMs = 20_000 }: RequestOptions = {},
  ): Promise<Reply> {
    const plaintext = JSON.stringify({ id, method, params })
    let isFirst = true
    const send = (): void => {
      if (!this.#links.some((link) => link.isReady)) return
      if (!isFirst) this.retries += 1
      isFirst = false
      this.publish(this.seal(plaintext, id))
    }
    let retry: NodeJS.Timeout | undefined
    let deadline: NodeJS.Timeout | undefined
    try {
      return await new Promise<Reply>((resolve, reject) => {
        this.#waiting.set(id, { send, resolve })
        retry = setInterval(send, retryMs)
        deadline = setTimeout(() => reject(new Error(`no answer to ${method} ${id}`)), deadlineMs)
        send()
      })
    } finally {
      clearInterval(retry)
      clearTimeout(deadline)
      this.#waiting.delete(id)
    }
  }

  /** A request event, signed and not sent. */
  seal(plaintext: string, requestId = "none"): Event {
    const event = finalizeEvent(
      {
        kind: 24133,
        content: nip44.encrypt(plaintext, this.#conversation),
        tags: [["p", this.remoteSigner]],
        created_at: Math.floor(Date.now() / 1000) + this.clockOff,
      },
      this.secretKey,
    )
    this.sent.set(event.id, { requestId, event })
    return event
  }

  /** Over every relay that is up. */
  publish(event: unknown): void {
    for (const link of this.#links) link.send(["EVENT", event])
  }

  /** The answer of a request that was published by hand, once it comes. */
  reply(requestId: string, deadlineMs = 20_000): Promise<Reply> {
    const first = this.replies.get(requestId)?.[0]
    if (first !== undefined) return Promise.resolve(first)
    return new Promise((resolve, reject) => {
      const deadline = setTimeout(() => reject(new Error(`no answer to ${requestId}`)), deadlineMs)
      this.#waiting.set(requestId, {
        send: () => undefined,
        resolve: (reply) => {
          clearTimeout(deadline)
          this.#waiting.delete(requestId)
          resolve(reply)
        },
      })
    })
  }

  /** Answer events that came for a request, copies included. */
  deliveriesOf(requestId: string): number {
    return this.#deliveriesOf.get(requestId) ?? 0
  }

  close(): void {
    for (const link of this.#links) link.close()
  }

  #received(event: Event): void {
    if (event.pubkey !== this.remoteSigner) return
    this.deliveries += 1
    const known = this.#seen.get(event.id)
    if (known !== undefined) {
      this.#deliveriesOf.set(known, this.deliveriesOf(known) + 1)
      return
    }
    // Its MAC proves the sender; the signature is the relay's to check, and slow here.
    const { id, result, error } = JSON.parse(nip44.decrypt(event.content, this.#conversation)) as Reply & { id: string }
    this.#seen.set(event.id, id)
    this.#deliveriesOf.set(id, this.deliveriesOf(id) + 1)
    const reply: Reply = error === undefined ? { result } : { error }
    const earlier = this.replies.get(id)
    if (earlier === undefined) this.replies.set(id, [reply])
    else earlier.push(reply)
    this.#waiting.get(id)?.resolve(reply)
  }
}

/** A `sign_event` param; the time is fixed, so that one request always names one event. */
export function template(content: string): string {
  return JSON.stringify({ kind: 1, content, tags: [], created_at: 1_714_078_911 })
}

interface LinkHandlers {
  readonly filter: object
  onReady(): void
  onEvent(event: Event): void
  onTaken(id: string): void
  onRefused(id: string, message: string): void
}

/** One subscription on one relay, for as long as the test runs. */
class Link {
  readonly #url: string
  readonly #handlers: LinkHandlers
  #socket: WebSocket | undefined
  #closed = false
  #redial: NodeJS.Timeout | undefined
  #onReady: (() => void)[] = []
  isReady = false

  constructor(url: string, handlers: LinkHandlers) {
    this.#url = url
    this.#handlers = handlers
    this.#dial()
  }

  ready(): Promise<void> {
    return this.isReady ? Promise.resolve() : new Promise((resolve) => this.#onReady.push(resolve))
  }

  send(message: readonly unknown[]): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message))
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#redial)
    this.#socket?.terminate()
  }

  #dial(): void {
    const socket = new WebSocket(this.#url, { perMessageDeflate: false, handshakeTimeout: 5_000 })
    this.#socket = socket
    socket.on("error", () => undefined)
    socket.on("open", () => socket.send(JSON.stringify(["REQ", "answers", this.#handlers.filter])))
    socket.on("message", (data) => {
      const [label, first, second, message] = JSON.parse((data as Buffer).toString("utf8")) as [
        string,
        string,
        unknown,
        string,
      ]
      if (label === "EVENT") this.#handlers.onEvent(second as Event)
      if (label === "OK" && second === true) this.#handlers.onTaken(first)
      if (label === "OK" && second === false) this.#handlers.onRefused(first, message)
      if (label !== "EOSE") return
      this.isReady = true
      for (const tell of this.#onReady.splice(0)) tell()
      this.#handlers.onReady()
    })
    socket.on("close", () => {
      this.isReady = false
      if (!this.#closed) this.#redial = setTimeout(() => this.#dial(), REDIAL_MS)
    })
  }
}
