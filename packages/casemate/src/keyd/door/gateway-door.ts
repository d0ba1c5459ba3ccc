import type { Socket } from "node:net"
import type { NostrEvent } from "@casemate/nip46/protocol"
import type { Answer, SignerEngine } from "@casemate/nip46/signer"
import { type FramedSocket, frame } from "../../channel/frames.js"
import {
  EVENT_CREDIT,
  type GatewayMessage,
  isMessage,
  type KeydMessage,
  type Notice,
  type ProofAsk,
  type RelayFailure,
  type Watch,
} from "../../channel/gateway-channel.js"
import type { WebRequest, WebResponse } from "../../channel/web-calls.js"
import { type Logger, reasonOf } from "../../config/log.js"
import { UserError } from "../../config/user-error.js"

/** What the gateway told of itself; undefined until one has said hello. */
export interface GatewayInfo {
  readonly relays: readonly string[]
  readonly http: string
}

export interface GatewayDoorOptions {
  readonly engine: Pick<SignerEngine, "handle">
  readonly watches: () => Promise<readonly Watch[]>
  readonly prove: (ask: ProofAsk) => Promise<NostrEvent | undefined>
  /** Door 3 for browsers. Never rejects. */
  readonly call: (request: WebRequest) => Promise<WebResponse>
  /** A request of this connection was answered, or waits for the owner. */
  readonly onServed: (connectionId: string) => void
  /** A request waits for the owner. */
  readonly onWaiting?: (approvalId: string, connectionId: string) => void
  readonly log: Logger
}

/** Answers kept for a gateway that may come back; beyond it the oldest go, and their clients ask again. */
const MAX_UNSETTLED = 10_000
/** Notices kept for a gateway that may come back. */
const MAX_NOTICES = 20
/** The gateway gives each relay 11 s. */
const LISTEN_PATIENCE_MS = 14_000

/**
 * Door 1, events: believed by their signature, which the engine checks. Door 2, relay proofs: a question with an
 * answer, and nothing else is signed for it. One gateway at a time; the newest wins. Answers stay here until the
 * gateway says that they are out, so that its crash loses none.
 */
export class GatewayDoor {
  readonly #options: GatewayDoorOptions
  readonly #unsettled = new Map<number, Answer>()
  readonly #underWay = new Set<Promise<void>>()
  #gateway: FramedSocket | undefined
  #info: GatewayInfo | undefined
  #lastAnswer = 0
  readonly #notices = new Map<number, { readonly notice: Notice; settle(failure: string | undefined): void }>()
  #lastNotice = 0
  #lastListen = 0
  readonly #listens = new Map<number, { resolve(failures: readonly RelayFailure[]): void; giveUp(): void }>()
  /** What is offered while the list for a gateway is being read; the newest hello is the last entry. */
  readonly #late = new Map<FramedSocket, Watch[]>()
  /** Ids of the connections that the gateway listens for. */
  #watched = new Set<string>()

  constructor(options: GatewayDoorOptions) {
    this.#options = options
  }

  get info(): GatewayInfo | undefined {
    return this.#info
  }

  accept(socket: Socket): void {
    const framed = frame(socket, {
      onMessage: (message) => {
        if (isMessage<GatewayMessage>(message)) void this.#received(framed, message)
      },
      onClose: (reason) => {
        if (this.#gateway === framed) {
          this.#gateway = undefined
          this.#giveUpListens()
        }
        this.#options.log.debug({ reason }, "the gateway's connection ended")
      },
    })
  }

  /** `again`: an answer from before a crash, which the gateway may have published. */
  publish(answer: Answer, again = false): void {
    const n = ++this.#lastAnswer
    this.#unsettled.set(n, answer)
    if (this.#unsettled.size > MAX_UNSETTLED) {
      const [oldest] = this.#unsettled.keys()
      this.#unsettled.delete(oldest as number)
    }
    this.#sendAnswer(n, answer, again)
  }

  /**
   * To be posted; one that a gateway did not get out before it ended, the next one posts. Resolves with undefined once
   * it was taken, or with the reason why it was given up.
   */
  notify(notice: Notice): Promise<string | undefined> {
    const n = ++this.#lastNotice
    const settled = new Promise<string | undefined>((settle) => this.#notices.set(n, { notice, settle }))
    if (this.#notices.size > MAX_NOTICES) {
      const [oldest] = this.#notices.keys()
      this.#forgetNotice(oldest as number, "too many others came after it")
    }
    this.#send({ t: "notify", n, notice })
    return settled
  }

  watch(watch: Watch): void {
    for (const late of this.#late.values()) late.push(watch)
    this.#watched.add(watch.connectionId)
    this.#send({ t: "watch", watch })
  }

  unwatch(connectionId: string): void {
    this.#watched.delete(connectionId)
    this.#send({ t: "unwatch", connectionId })
  }

  /**
   * Watches, and resolves once one of these relays is sure to have it: without failures, or with each
   * relay's reason when none can be reached.
   *
   * @throws UserError when the gateway is not there or goes away meanwhile
   */
  async listen(watch: Watch, relays: readonly string[]): Promise<readonly RelayFailure[]> {
    const n = ++this.#lastListen
    let deadline: NodeJS.Timeout | undefined
    try {
      return await new Promise((resolve, reject) => {
        const giveUp = (): void => reject(new UserError("the bunker's network side is not up; try again in a moment"))
        this.#listens.set(n, { resolve, giveUp })
        deadline = setTimeout(giveUp, LISTEN_PATIENCE_MS)
        for (const late of this.#late.values()) late.push(watch)
        if (this.#gateway?.send({ t: "listen", n, watch, relays } satisfies KeydMessage) !== true) giveUp()
      })
    } finally {
      clearTimeout(deadline)
      this.#listens.delete(n)
    }
  }

  /** Lets the gateway forget the connections that nobody has to be told of any more. */
  async sweep(): Promise<void> {
    // What is offered while the list is being read is not in it, and is none of these either.
    const before = [...this.#watched]
    const now = new Set((await this.#options.watches()).map(({ connectionId }) => connectionId))
    for (const connectionId of before) {
      if (now.has(connectionId) || !this.#watched.delete(connectionId)) continue
      this.#send({ t: "unwatch", connectionId })
    }
  }

  /** Publishes what an owner or time decided, as the answer of a request is: a revocation and the end wait for it. */
  publishAll(answers: Promise<readonly Answer[]>): Promise<void> {
    const published = answers.then((all) => {
      for (const answer of all) this.publish(answer)
    })
    this.#work(published.catch(ignored))
    return published
  }

  /** Resolves once the requests that are under way now have come to their end. */
  async settled(): Promise<void> {
    await Promise.all(this.#underWay)
  }

  /** Resolves once nothing is under way any more; the gateway has been told by then. */
  async drain(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay)
  }

  close(): void {
    this.#gateway?.end()
  }

  async #received(from: FramedSocket, message: GatewayMessage): Promise<void> {
    switch (message.t) {
      case "hello": {
        const watches = await this.#watchesFor(from)
        if (watches === undefined) return
        if (this.#gateway !== undefined && this.#gateway !== from) {
          this.#gateway.destroy()
          this.#giveUpListens()
        }
        this.#gateway = from
        this.#info = { relays: message.relays, http: message.http }
        this.#watched = new Set(watches.map(({ connectionId }) => connectionId))
        this.#send({ t: "welcome", watches, credit: EVENT_CREDIT })
        for (const [n, answer] of this.#unsettled) this.#sendAnswer(n, answer, true)
        for (const [n, { notice }] of this.#notices) this.#send({ t: "notify", n, notice })
        return
      }
      case "event": {
        this.#work(this.#handle(message), () => from.send({ t: "done", n: message.n } satisfies KeydMessage))
        return
      }
      case "prove": {
        const { n } = message
        const proof = this.#prove(message.ask).then((event) => {
          from.send({ t: "proof", n, ...(event !== undefined && { event }) } satisfies KeydMessage)
        })
        this.#work(proof)
        return
      }
      case "call": {
        const { n } = message
        void this.#options
          .call(message.request)
          .then((response) => from.send({ t: "reply", n, response } satisfies KeydMessage))
        return
      }
      case "notified":
        this.#forgetNotice(message.n, message.failure)
        return
      case "listening":
        this.#listens.get(message.n)?.resolve(message.failures)
        return
      case "settled":
        this.#unsettled.delete(message.n)
        return
    }
  }

  /** Keeps a revocation and the end waiting for what was begun before. */
  #work(work: Promise<void>, then?: () => void): void {
    const kept = work.finally(() => {
      this.#underWay.delete(kept)
      then?.()
    })
    this.#underWay.add(kept)
  }

  async #prove(ask: ProofAsk): Promise<NostrEvent | undefined> {
    try {
      return await this.#options.prove(ask)
    } catch (error) {
      this.#options.log.error({ reason: reasonOf(error) }, "could not prove to a relay who is connected")
      return undefined
    }
  }

  /** Undefined when the list cannot be had, or a newer gateway has said hello in the meantime. */
  async #watchesFor(from: FramedSocket): Promise<readonly Watch[] | undefined> {
    const late: Watch[] = []
    for (const older of this.#late.keys()) if (older !== from) older.destroy()
    this.#late.clear()
    this.#late.set(from, late)
    try {
      const watches = await this.#options.watches()
      if (this.#late.get(from) === late) return [...watches, ...late]
    } catch (error) {
      // It dials again, and by then the record may be well.
      this.#options.log.error({ reason: reasonOf(error) }, "could not list the connections")
      from.destroy()
    } finally {
      if (this.#late.get(from) === late) this.#late.delete(from)
    }
    return undefined
  }

  /** What a gateway that is gone was asked, no other will answer. */
  #giveUpListens(): void {
    for (const listen of this.#listens.values()) listen.giveUp()
  }

  async #handle({ event, via }: Extract<GatewayMessage, { t: "event" }>): Promise<void> {
    try {
      const outcome = await this.#options.engine.handle(event, via)
      if (outcome.kind === "ignored") {
        this.#options.log.trace({ why: outcome.why }, "ignored an event")
        return
      }
      const answer = outcome.kind === "waiting" ? outcome.challenge : outcome.answer
      if (answer !== undefined) this.publish(answer)
      if (outcome.kind === "waiting") this.#options.onWaiting?.(outcome.approvalId, outcome.connectionId)
      this.#options.onServed(outcome.kind === "waiting" ? outcome.connectionId : outcome.answer.connectionId)
    } catch (error) {
      // Not the event's doing: the engine is total over events. The client asks again.
      this.#options.log.error({ reason: reasonOf(error) }, "a request failed")
    }
  }

  #forgetNotice(n: number, failure: string | undefined): void {
    this.#notices.get(n)?.settle(failure)
    this.#notices.delete(n)
  }

  #sendAnswer(n: number, { event, relays }: Answer, again: boolean): void {
    this.#send({ t: "answer", n, event, relays, again })
  }

  #send(message: KeydMessage): void {
    this.#gateway?.send(message)
  }
}

/** How it ends is for whoever asked for it. */
function ignored(): void {}
