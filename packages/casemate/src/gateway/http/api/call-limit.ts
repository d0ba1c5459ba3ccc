import type { IncomingMessage } from "node:http"
import { isIP } from "node:net"
import type { WebCall } from "../../../channel/web-calls.js"
import { MessageBudget } from "../../relay-server/message-budget.js"
import { peerOf } from "../../relay-server/peer-address.js"
import type { ApiRoute } from "./route.js"

const BURST = 60
const PER_SECOND = 1
const MAX_ADDRESSES = 10_000

/**
 * How often one address may try to sign in. keyd counts the tries at each account by itself; this keeps one address
 * from filling the line to it.
 */
export class CallLimit {
  readonly #now: () => number
  /** The least recently seen first. */
  readonly #budgets = new Map<string, MessageBudget>()

  /** @param now unix milliseconds */
  constructor(now: () => number) {
    this.#now = now
  }

  /** Undefined: go on; else the seconds to wait. */
  take(address: string): number | undefined {
    const budget = this.#budgets.get(address) ?? new MessageBudget(PER_SECOND, BURST, this.#now)
    this.#budgets.delete(address)
    this.#budgets.set(address, budget)
    if (this.#budgets.size > MAX_ADDRESSES) {
      const [oldest] = this.#budgets.keys()
      this.#budgets.delete(oldest as string)
    }
    return budget.take() ? undefined : Math.ceil(1 / PER_SECOND)
  }
}

/**
 * What anybody may call. Not with a passkey: nobody guesses one, and it costs keyd little, so whoever shares an address
 * with a flood, as all do behind some proxies, still signs in.
 */
export function isLimited(call: WebCall, { session }: Pick<ApiRoute, "session">): boolean {
  return !session && call !== "session.passkeyOptions" && call !== "session.passkey"
}

/**
 * Whom a request is counted for. A reverse proxy on this machine adds the address of its caller to the end of
 * `X-Forwarded-For`; what anybody else writes there counts for nothing.
 */
export function addressOf({ socket, headers }: IncomingMessage): string {
  const { key, loopback } = peerOf(socket.remoteAddress)
  if (!loopback) return key
  const last = [headers["x-forwarded-for"] ?? []].flat().join(",").split(",").at(-1)?.trim() ?? ""
  return isIP(last) === 0 ? key : peerOf(last).key
}
