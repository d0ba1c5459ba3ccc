import type { Approval, Connection } from "@casemate/nip46/signer"
import type { Notice } from "../../channel/gateway-channel.js"
import { type Logger, reasonOf } from "../../config/log.js"
import { type NoticeWords, waitingWords } from "./notice-words.js"

export interface NoticesOptions {
  /** What waits on a connection, oldest first. */
  readonly waiting: (connectionId: string) => Promise<readonly Approval[]>
  readonly approval: (id: string) => Promise<Approval | undefined>
  readonly connections: () => Promise<readonly Connection[]>
  /** Under which owners reach their pages; undefined where they have none that a phone could open. */
  readonly pages: string | undefined
  /** Whether a notice names the app and what it asks for. */
  readonly details: boolean
  readonly sign: (bytes: Uint8Array) => Uint8Array
  readonly randomBytes: (length: number) => Uint8Array
  /** Resolves with undefined once it was taken, or with the reason why it was given up. */
  readonly post: (notice: Notice) => Promise<string | undefined>
  readonly log: Logger
  /** In ms. */
  readonly now?: () => number
}

const APART_MS = 10_000
const HOUR_MS = 3_600_000
const AN_HOUR = 20
/** Prompts that nobody was told of yet; of more, the next notice does not count the oldest. */
const MAX_UNTOLD = 1_000

/**
 * Tells the owner that something waits: a webhook by the Standard Webhooks specification. One notice for each thing
 * that an app asks, however often it asks it; what comes while the next may not go out yet is told with it.
 */
export class Notices {
  readonly #options: NoticesOptions
  readonly #now: () => number
  readonly #untold = new Set<string>()
  /** Of the last hour. */
  #toldAt: readonly number[] = []
  #timer: NodeJS.Timeout | undefined
  #telling = false
  #closed = false

  constructor(options: NoticesOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
  }

  /** This approval waits from now on. Never rejects. */
  async waits(approvalId: string, connectionId: string): Promise<void> {
    try {
      if (!(await this.#isNew(approvalId, connectionId))) return
      this.#untold.add(approvalId)
      const [oldest] = this.#untold
      if (this.#untold.size > MAX_UNTOLD) this.#untold.delete(oldest as string)
      await this.#tellSoon()
    } catch (error) {
      this.#options.log.error({ reason: reasonOf(error) }, "could not tell the owner that a request waits")
    }
  }

  /** Sends one that says so. Resolves with undefined once it was taken, or with the reason why not. */
  test(): Promise<string | undefined> {
    const words = { title: "Casemate", message: "A test: this is where you are told when an app asks." }
    return this.#options.post({ ...this.#compose("webhook.test", words), isTest: true })
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  /** Not one more of what waits already. */
  async #isNew(approvalId: string, connectionId: string): Promise<boolean> {
    const waiting = await this.#options.waiting(connectionId)
    const own = waiting.find(({ id }) => id === approvalId)
    return own !== undefined && waiting.find(({ scope }) => scope === own.scope) === own
  }

  async #tellSoon(): Promise<void> {
    if (this.#closed || this.#telling || this.#timer !== undefined || this.#untold.size === 0) return
    const wait = this.#nextAt() - this.#now()
    if (wait > 0) {
      this.#timer = setTimeout(() => {
        this.#timer = undefined
        void this.#tellNow()
      }, wait)
      return
    }
    await this.#tellNow()
  }

  async #tellNow(): Promise<void> {
    this.#telling = true
    try {
      const ids = [...this.#untold]
      this.#untold.clear()
      const prompts = await this.#stillWaiting(ids)
      if (prompts.length > 0 && !this.#closed) {
        this.#toldAt = [...this.#recent(), this.#now()]
        void this.#options.post(this.#compose("request.waiting", waitingWords(prompts, this.#options)))
      }
    } catch (error) {
      this.#options.log.error({ reason: reasonOf(error) }, "could not tell the owner that a request waits")
    } finally {
      this.#telling = false
    }
    await this.#tellSoon()
  }

  /** Without those that were decided meanwhile. */
  async #stillWaiting(ids: readonly string[]): Promise<{ approval: Approval; connection: Connection }[]> {
    const approvals = await Promise.all(ids.map((id) => this.#options.approval(id)))
    const connections = new Map((await this.#options.connections()).map((connection) => [connection.id, connection]))
    return approvals.flatMap((approval) => {
      const connection = connections.get(approval?.claim.connectionId ?? "")
      return approval?.state === "pending" && connection !== undefined ? [{ approval, connection }] : []
    })
  }

  /** When the next may go out, in ms. */
  #nextAt(): number {
    const recent = this.#recent()
    const last = recent.at(-1)
    const first = recent.at(-AN_HOUR)
    return Math.max(last === undefined ? 0 : last + APART_MS, first === undefined ? 0 : first + HOUR_MS)
  }

  /** A clock that was set back must not silence us. */
  #recent(): readonly number[] {
    const now = this.#now()
    return this.#toldAt.filter((at) => at <= now && at > now - HOUR_MS)
  }

  #compose(type: string, data: NoticeWords): Notice {
    const now = this.#now()
    const body = JSON.stringify({ type, timestamp: new Date(now).toISOString(), data })
    const id = `msg_${Buffer.from(this.#options.randomBytes(16)).toString("hex")}`
    const timestamp = String(Math.floor(now / 1_000))
    return { headers: signedHeaders({ id, timestamp, body }, this.#options.sign), body }
  }
}

/** Standard Webhooks, Signature scheme. @param sign HMAC-SHA-256 under the webhook's secret */
export function signedHeaders(
  { id, timestamp, body }: { readonly id: string; readonly timestamp: string; readonly body: string },
  sign: (bytes: Uint8Array) => Uint8Array,
): Notice["headers"] {
  const signature = sign(new TextEncoder().encode(`${id}.${timestamp}.${body}`))
  return {
    "content-type": "application/json",
    "user-agent": "casemate",
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": `v1,${Buffer.from(signature).toString("base64")}`,
  }
}
