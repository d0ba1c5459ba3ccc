import type { Duplex } from "node:stream"
import { isHex32 } from "@casemate/nip46/protocol"
import { type RawData, WebSocket } from "ws"
import type { EventHub, HubSubscription } from "./event-hub.js"
import { countValues, type Filter, indexKeys, isVoid, parseFilter } from "./filter.js"
import type { RelayLimits } from "./limits.js"
import { MessageBudget } from "./message-budget.js"

export interface SessionOptions {
  /** Unique over all sessions of the relay. */
  id: string
  socket: WebSocket
  /** What the WebSocket runs over. */
  stream: Duplex
  hub: EventHub
  limits: RelayLimits
  now: () => number
  onClose(): void
}

/** Close codes of RFC 6455 and its registry. */
const POLICY_VIOLATION = 1008
const TRY_AGAIN_LATER = 1013

/** One socket of the relay server: reads NIP-01 messages, answers each, never throws. */
export class Session {
  readonly #options: SessionOptions
  readonly #subscriptions = new Map<string, HubSubscription>()
  readonly #budget: MessageBudget
  #values = 0
  #alive = true
  #hasHungUp = false
  /** How many more messages were beyond the budget than within: a token now and then does not excuse a flood. */
  #excess = 0

  constructor(options: SessionOptions) {
    this.#options = options
    const { socket, limits, now } = options
    this.#budget = new MessageBudget(limits.messagesPerSecond, limits.messageBurst, now)
    // ws raises an error for every malformed frame and then closes on its own.
    socket.on("error", () => {})
    socket.on("message", (data, isBinary) => this.#received(data, isBinary))
    socket.on("pong", () => {
      this.#alive = true
    })
    socket.on("close", () => this.#ended())
  }

  get subscriptions(): number {
    return this.#subscriptions.size
  }

  /** Called once each ping interval: drops a peer that gave no sign of life since the last one. */
  ping(): void {
    const { socket } = this.#options
    // One that was closed and does not follow is dropped as well, with all that waits for it.
    if (!this.#alive || socket.readyState !== WebSocket.OPEN) {
      socket.terminate()
      return
    }
    this.#alive = false
    socket.ping()
  }

  /**
   * Ends the stream once all that was said is out, without the closing handshake: after a proper close some
   * clients take the session for finished and never come back, after a lost connection all that can do.
   */
  hangUp(): void {
    this.#hasHungUp = true
    this.#options.stream.end()
  }

  terminate(): void {
    this.#options.socket.terminate()
  }

  #received(data: RawData, isBinary: boolean): void {
    this.#alive = true
    const { socket, limits } = this.#options
    // After our end the peer may go on for a while; an answer now would break what is still on its way.
    if (this.#hasHungUp || socket.readyState !== WebSocket.OPEN) return
    const withinBudget = this.#budget.take()
    this.#excess = withinBudget ? Math.max(0, this.#excess - 1) : this.#excess + 1
    if (this.#excess > limits.messageBurst) {
      socket.close(POLICY_VIOLATION, "rate-limited")
      return
    }
    if (isBinary) {
      this.#notice("invalid: messages are text")
      return
    }
    let message: unknown
    try {
      // ws hands a text message over as one Buffer of valid UTF-8.
      message = JSON.parse((data as Buffer).toString("utf8"))
    } catch {
      this.#notice("invalid: messages are JSON")
      return
    }
    if (!Array.isArray(message)) {
      this.#notice("invalid: a message is a JSON array")
      return
    }
    this.#handle(message, withinBudget)
  }

  #handle([label, ...rest]: unknown[], withinBudget: boolean): void {
    switch (label) {
      case "EVENT":
        this.#event(rest[0], withinBudget)
        return
      case "REQ":
        this.#req(rest[0], rest.slice(1), withinBudget)
        return
      case "CLOSE":
        if (typeof rest[0] === "string") this.#drop(rest[0])
        else this.#notice("invalid: CLOSE names a subscription")
        return
      case "AUTH":
        this.#auth(rest[0])
        return
      default:
        this.#notice("unsupported: this relay knows EVENT, REQ, CLOSE and AUTH")
    }
  }

  #event(value: unknown, withinBudget: boolean): void {
    const id = idOf(value)
    if (id === undefined) {
      this.#notice("invalid: EVENT carries an event with an id")
      return
    }
    const { accepted, message } = withinBudget
      ? this.#options.hub.receive(value, this.#options.id)
      : { accepted: false, message: "rate-limited: too many messages" }
    this.#send(["OK", id, accepted, message])
  }

  /**
   * NIP-42 is not required here, and no challenge is sent: some clients wait for the user's consent before
   * they go on. An AUTH must still be answered, and without a challenge there is nothing it could prove.
   */
  #auth(value: unknown): void {
    const id = idOf(value)
    if (id === undefined) this.#notice("invalid: AUTH carries an event with an id")
    else this.#send(["OK", id, false, "invalid: no challenge was sent, and none is needed"])
  }

  #req(id: unknown, values: unknown[], withinBudget: boolean): void {
    const { limits, hub } = this.#options
    // A NOTICE, because a CLOSED for an id that is none would break the reader as well.
    if (!isSubscriptionId(id, limits.maxSubscriptionIdChars)) {
      this.#notice(`invalid: a subscription id has 1 to ${limits.maxSubscriptionIdChars} characters`)
      return
    }
    // A REQ replaces the subscription of its id (NIP-01), also when the new one is refused.
    this.#drop(id)
    const read = withinBudget ? this.#readFilters(values) : { refusal: "rate-limited: too many messages" }
    if ("refusal" in read) {
      this.#send(["CLOSED", id, read.refusal])
      return
    }
    const prefix = `["EVENT",${JSON.stringify(id)},`
    const subscription: HubSubscription = {
      connection: this.#options.id,
      filters: read.filters,
      deliver: (eventJson) => this.#sendText(`${prefix}${eventJson}]`),
    }
    this.#subscriptions.set(id, subscription)
    this.#values += total(read.filters)
    hub.subscribe(subscription)
    this.#send(["EOSE", id])
  }

  #readFilters(values: unknown[]): { filters: Filter[] } | { refusal: string } {
    const { limits } = this.#options
    if (values.length === 0) return { refusal: "invalid: a REQ has one filter or more" }
    if (values.length > limits.maxFilters) return { refusal: `invalid: more than ${limits.maxFilters} filters` }
    if (this.#subscriptions.size >= limits.maxSubscriptions) {
      return { refusal: `restricted: more than ${limits.maxSubscriptions} subscriptions` }
    }
    const filters: Filter[] = []
    for (const value of values) {
      const read = parseFilter(value, limits)
      if (read.kind === "refused") return { refusal: read.message }
      if (!isVoid(read.filter) && indexKeys(read.filter) === undefined) {
        return { refusal: "unsupported: name the #p, authors or ids you listen for" }
      }
      filters.push(read.filter)
    }
    if (this.#values + total(filters) > limits.maxValuesPerConnection) {
      return { refusal: `restricted: more than ${limits.maxValuesPerConnection} values in all filters` }
    }
    return { filters }
  }

  #drop(id: string): void {
    const subscription = this.#subscriptions.get(id)
    if (subscription === undefined) return
    this.#subscriptions.delete(id)
    this.#values -= total(subscription.filters)
    this.#options.hub.unsubscribe(subscription)
  }

  #dropAll(): void {
    for (const id of [...this.#subscriptions.keys()]) this.#drop(id)
  }

  #notice(message: string): void {
    this.#send(["NOTICE", message])
  }

  #send(message: readonly unknown[]): void {
    this.#sendText(JSON.stringify(message))
  }

  #sendText(text: string): void {
    const { socket, limits } = this.#options
    if (socket.readyState !== WebSocket.OPEN) return
    if (socket.bufferedAmount > limits.maxBufferedBytes) {
      socket.close(TRY_AGAIN_LATER, "the reader is too slow")
      this.#dropAll()
      return
    }
    // The callback takes the error of a socket that went away; "close" follows.
    socket.send(text, () => {})
  }

  #ended(): void {
    this.#dropAll()
    this.#options.onClose()
  }
}

function total(filters: readonly Filter[]): number {
  return filters.reduce((sum, filter) => sum + countValues(filter), 0)
}

/** Characters, not UTF-16 units. */
function isSubscriptionId(value: unknown, maxChars: number): value is string {
  return (
    typeof value === "string" && value !== "" && value.length <= 2 * maxChars && Array.from(value).length <= maxChars
  )
}

/** What an OK must name; anything else cannot be answered. */
function idOf(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null || !("id" in value)) return undefined
  return isHex32(value.id) ? value.id : undefined
}
