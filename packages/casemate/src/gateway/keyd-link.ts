import { MAX_EVENT_BYTES, type NostrEvent } from "@casemate/nip46/protocol"
import { type FramedSocket, frame, KEYD_FRAME_BYTES } from "../channel/frames.js"
import {
  type GatewayMessage,
  isMessage,
  type KeydMessage,
  type Notice,
  type ProofAsk,
  type RelayFailure,
  type Watch,
} from "../channel/gateway-channel.js"
import { connectTo, GATEWAY_SOCKET } from "../channel/sockets.js"
import type { WebRequest, WebResponse } from "../channel/web-calls.js"
import { type Logger, reasonOf } from "../config/log.js"

/** What waits for keyd at most; a flood beyond it is dropped, and its senders ask again. */
const MAX_WAITING_EVENTS = 20_000
const MAX_WAITING_CHARS = 33_554_432
const RECONNECT_MS = 50
const MAX_PUBLISHED = 20_000
/** Within the patience of a relay connection for its proofs. */
const PROOF_DEADLINE_MS = 5_000
/** A password takes keyd some hundred milliseconds, and others may be in line before it. */
const CALL_DEADLINE_MS = 15_000
/** Calls of browsers that keyd works on at once. */
const MAX_CALLS = 64

const GONE: WebResponse = {
  ok: false,
  code: "failed",
  message: "the process that holds the keys is not there at the moment; try again",
}
const BUSY: WebResponse = { ok: false, code: "too_many", message: "too many at once; try again in a moment" }

export interface KeydLinkOptions {
  readonly hello: { readonly relays: readonly string[]; readonly http: string }
  /** All of them, on every connection. */
  readonly onWatches: (watches: readonly Watch[]) => void
  readonly onWatch: (watch: Watch) => void
  readonly onUnwatch: (connectionId: string) => void
  /** A watch of which keyd wants to know when one of these relays has it; empty means that one has. */
  readonly onListen: (watch: Watch, relays: readonly string[]) => Promise<readonly RelayFailure[]>
  /** True once the answer is out, false when nobody took it. */
  readonly onAnswer: (event: NostrEvent, relays: readonly string[]) => Promise<boolean>
  /** Resolves once the notice was taken, or with the reason why it was given up. */
  readonly onNotice: (notice: Notice) => Promise<string | undefined>
  readonly log: Logger
}

interface Forwarded {
  readonly event: NostrEvent
  readonly via: readonly string[]
}

/**
 * The gateway's end of the pipe. Events that keyd has not finished are kept and sent again when keyd comes
 * back after a crash; it recognises those it had already committed.
 */
export class KeydLink {
  readonly #options: KeydLinkOptions
  /** Sent and not done. */
  readonly #underWay = new Map<number, Forwarded>()
  /** Not yet sent: no credit, or no keyd. */
  readonly #waiting = new Map<number, Forwarded>()
  #waitingChars = 0
  /** Ids of answers that are out, for a keyd that comes back and does not know it. */
  readonly #published = new Set<string>()
  readonly #proofs = new Map<number, (proof: NostrEvent | undefined) => void>()
  readonly #calls = new Map<number, (response: WebResponse) => void>()
  #credit = 0
  #lastEvent = 0
  #lastProof = 0
  #lastCall = 0
  #publishing = 0
  #keyd: FramedSocket | undefined
  #closed = false
  #ended = false
  #onIdle: (() => void) | undefined

  constructor(options: KeydLinkOptions) {
    this.#options = options
  }

  open(): void {
    void this.#connect()
  }

  /**
   * Takes an event for keyd, unjudged: the fields that NIP-01 names, as they came.
   *
   * @param via the names of the relay that brought it
   */
  forward({ id, pubkey, created_at, kind, tags, content, sig }: NostrEvent, via: readonly string[]): void {
    if (this.#closed) return
    const event = { id, pubkey, created_at, kind, tags, content, sig }
    const chars = charsOf(event)
    // keyd takes none of this size, so it need not wait for it either.
    if (chars > MAX_EVENT_BYTES) return
    if (this.#waiting.size >= MAX_WAITING_EVENTS || this.#waitingChars > MAX_WAITING_CHARS) {
      this.#options.log.warn({ waiting: this.#waiting.size }, "too many events at once; dropped one")
      return
    }
    this.#waiting.set(++this.#lastEvent, { event, via })
    this.#waitingChars += chars
    this.#pump()
  }

  /**
   * Asks keyd for a relay proof. Undefined when it declines, and when there is no keyd or it went away meanwhile:
   * a relay asks again, and by then its challenge may be another.
   */
  async prove(ask: ProofAsk): Promise<NostrEvent | undefined> {
    if (this.#keyd === undefined) return undefined
    const n = ++this.#lastProof
    let deadline: ReturnType<typeof setTimeout> | undefined
    try {
      return await new Promise<NostrEvent | undefined>((resolve) => {
        deadline = setTimeout(() => resolve(undefined), PROOF_DEADLINE_MS)
        this.#proofs.set(n, resolve)
        this.#send({ t: "prove", n, ask })
      })
    } finally {
      clearTimeout(deadline)
      this.#proofs.delete(n)
    }
  }

  /** Asks keyd for a browser. Never rejects: without a keyd, or when it goes away meanwhile, the answer says so. */
  async call(request: WebRequest): Promise<WebResponse> {
    if (this.#keyd === undefined) return GONE
    if (this.#calls.size >= MAX_CALLS) return BUSY
    const n = ++this.#lastCall
    let deadline: ReturnType<typeof setTimeout> | undefined
    try {
      return await new Promise<WebResponse>((resolve) => {
        deadline = setTimeout(() => resolve(GONE), CALL_DEADLINE_MS)
        this.#calls.set(n, resolve)
        this.#send({ t: "call", n, request })
      })
    } finally {
      clearTimeout(deadline)
      this.#calls.delete(n)
    }
  }

  /** Takes nothing more, and resolves when all that was taken is answered and out. */
  async drain(): Promise<void> {
    this.#closed = true
    if (this.#isIdle()) return
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve
    })
  }

  /** Requests that were taken and have no answer yet. */
  get unfinished(): number {
    return this.#waiting.size + this.#underWay.size
  }

  close(): void {
    this.#closed = true
    this.#ended = true
    this.#keyd?.destroy()
  }

  async #connect(): Promise<void> {
    while (!this.#ended && !(this.#closed && this.#isIdle())) {
      try {
        const socket = await connectTo(GATEWAY_SOCKET)
        await new Promise<void>((resolve) => {
          const keyd = frame(socket, {
            onMessage: (message) => {
              if (isMessage<KeydMessage>(message)) this.#received(keyd, message)
            },
            onClose: () => resolve(),
            maxFrameBytes: KEYD_FRAME_BYTES,
          })
          keyd.send({ t: "hello", ...this.#options.hello } satisfies GatewayMessage)
        })
        this.#options.log.info("keyd went away; waiting for it")
      } catch {
        // It is starting, or about to be started again.
      }
      this.#keyd = undefined
      this.#credit = 0
      for (const settle of this.#proofs.values()) settle(undefined)
      for (const settle of this.#calls.values()) settle(GONE)
      await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS))
    }
  }

  #received(keyd: FramedSocket, message: KeydMessage): void {
    switch (message.t) {
      case "welcome":
        this.#keyd = keyd
        this.#options.onWatches(message.watches)
        this.#credit = message.credit - this.#underWay.size
        for (const [n, forwarded] of this.#underWay) this.#send({ t: "event", n, ...forwarded })
        this.#pump()
        return
      case "watch":
        this.#options.onWatch(message.watch)
        return
      case "unwatch":
        this.#options.onUnwatch(message.connectionId)
        return
      case "listen": {
        const { n, watch, relays } = message
        void this.#options
          .onListen(watch, relays)
          .then((failures) => keyd.send({ t: "listening", n, failures } satisfies GatewayMessage))
        return
      }
      case "done":
        if (this.#underWay.delete(message.n)) this.#credit += 1
        this.#pump()
        this.#checkIdle()
        return
      case "proof":
        this.#proofs.get(message.n)?.(message.event)
        return
      case "reply":
        this.#calls.get(message.n)?.(message.response)
        return
      case "notify": {
        const { n, notice } = message
        void this.#options.onNotice(notice).then((failure) => {
          keyd.send({ t: "notified", n, ...(failure !== undefined && { failure }) } satisfies GatewayMessage)
        })
        return
      }
      case "answer":
        this.#publishing += 1
        void this.#publish(message).then(() => {
          this.#publishing -= 1
          // Another keyd counts its answers anew.
          keyd.send({ t: "settled", n: message.n } satisfies GatewayMessage)
          this.#checkIdle()
        })
        return
    }
  }

  async #publish({ event, relays, again }: Extract<KeydMessage, { t: "answer" }>): Promise<void> {
    if (again && this.#published.has(event.id)) return
    try {
      if (!(await this.#options.onAnswer(event, relays))) return
      this.#published.add(event.id)
      if (this.#published.size > MAX_PUBLISHED) {
        const [oldest] = this.#published
        this.#published.delete(oldest as string)
      }
    } catch (error) {
      this.#options.log.error({ reason: reasonOf(error) }, "could not send an answer")
    }
  }

  #pump(): void {
    if (this.#keyd === undefined) return
    for (const [n, forwarded] of this.#waiting) {
      if (this.#credit <= 0) return
      this.#credit -= 1
      this.#waiting.delete(n)
      this.#waitingChars -= charsOf(forwarded.event)
      this.#underWay.set(n, forwarded)
      this.#send({ t: "event", n, ...forwarded })
    }
  }

  #send(message: GatewayMessage): void {
    this.#keyd?.send(message)
  }

  #isIdle(): boolean {
    return this.#waiting.size === 0 && this.#underWay.size === 0 && this.#publishing === 0
  }

  #checkIdle(): void {
    if (this.#isIdle()) this.#onIdle?.()
  }
}

function charsOf({ content, tags }: NostrEvent): number {
  let chars = content.length
  for (const tag of tags) for (const value of tag) chars += value.length
  return chars
}
