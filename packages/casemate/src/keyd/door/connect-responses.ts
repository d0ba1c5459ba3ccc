import type { Answer, Connection, SignerEngine } from "@casemate/nip46/signer"
import { CONNECT_RESPONSE_TTL } from "@casemate/nip46/signer"
import { type Logger, reasonOf } from "../../config/log.js"

/** When a response is sent again, in seconds after the first time (QUIRKS: a phone's browser sleeps, and an OK proves nothing). */
const AGAIN_AFTER = [2, 5, 15, 30, CONNECT_RESPONSE_TTL]

export interface ConnectResponsesOptions {
  readonly engine: Pick<SignerEngine, "renewConnectResponse">
  readonly publish: (answer: Answer) => void
  readonly log: Logger
}

/** Responses to nostrconnect:// tokens: sent again until the client's first request, a minute at most. */
export class ConnectResponses {
  readonly #options: ConnectResponsesOptions
  /** By connection, the timers of the times to come. */
  readonly #timers = new Map<string, Set<NodeJS.Timeout>>()

  constructor(options: ConnectResponsesOptions) {
    this.#options = options
  }

  /** Sends it, and again; a response that is still on its way for the same connection is replaced. */
  send(response: Answer): void {
    this.#options.publish(response)
    this.#schedule(response.connectionId, response, 0)
  }

  /** After a restart: goes on where it was. @param now unix seconds */
  resume(connections: readonly Connection[], now: number): void {
    for (const { id, state, connectResponse: event } of connections) {
      if (state !== "active" || event === undefined) continue
      const age = Math.max(0, now - event.created_at)
      if (age > CONNECT_RESPONSE_TTL) continue
      // Whether the last one left before the end is not known.
      void this.#again(id, { event })
      this.#schedule(id, { event }, age)
    }
  }

  close(): void {
    for (const id of [...this.#timers.keys()]) this.#cancel(id)
  }

  #schedule(id: string, response: Pick<Answer, "event">, age: number): void {
    this.#cancel(id)
    const timers = new Set<NodeJS.Timeout>()
    for (const seconds of AGAIN_AFTER.filter((after) => after > age)) {
      const timer = setTimeout(
        () => {
          timers.delete(timer)
          if (timers.size === 0) this.#timers.delete(id)
          void this.#again(id, response)
        },
        (seconds - age) * 1000,
      )
      timers.add(timer)
    }
    if (timers.size > 0) this.#timers.set(id, timers)
  }

  async #again(id: string, response: Pick<Answer, "event">): Promise<void> {
    try {
      const renewed = await this.#options.engine.renewConnectResponse(response)
      if (renewed === undefined) this.#cancel(id)
      else this.#options.publish(renewed)
    } catch (error) {
      const reason = reasonOf(error)
      this.#options.log.error({ reason }, "could not send a connect response again")
    }
  }

  #cancel(id: string): void {
    for (const timer of this.#timers.get(id) ?? []) clearTimeout(timer)
    this.#timers.delete(id)
  }
}
