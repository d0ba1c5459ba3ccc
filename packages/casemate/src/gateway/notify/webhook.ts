import type { Notice } from "../../channel/gateway-channel.js"
import type { Logger } from "../../config/log.js"

export interface WebhookOptions {
  /** The owner's own: it may lead into this machine or its network. */
  readonly url: string
  readonly log: Logger
  readonly fetch?: typeof fetch
  /** In ms, the same as the wall clock. */
  readonly now?: () => number
  /** Pauses between tries, in ms. */
  readonly pauses?: readonly number[]
  /** What one try may take, in ms. */
  readonly patience?: number
}

/** With those of its tries it is over within two minutes. */
const PAUSES = [2_000, 10_000, 60_000]
const PATIENCE_MS = 10_000
/** Whoever checks a signature takes a timestamp for five minutes (Standard Webhooks). */
const FRESH_MS = 240_000
/** What another try may get past. */
const PASSING = new Set([408, 425, 429])

type Try = { readonly kind: "taken" } | { readonly kind: "failed"; readonly reason: string; readonly isFinal: boolean }

/** Posts what keyd has composed and signed to where the owner wants to be told. */
export class Webhook {
  readonly #url: string
  readonly #host: string
  readonly #headers: Readonly<Record<string, string>>
  readonly #log: Logger
  readonly #fetch: typeof fetch
  readonly #now: () => number
  readonly #pauses: readonly number[]
  readonly #patience: number
  readonly #closing = new AbortController()

  constructor({
    url,
    log,
    fetch = globalThis.fetch,
    now = Date.now,
    pauses = PAUSES,
    patience = PATIENCE_MS,
  }: WebhookOptions) {
    const { bare, headers } = withoutLogin(url)
    this.#url = bare
    this.#host = new URL(bare).host
    this.#headers = headers
    this.#log = log
    this.#fetch = fetch
    this.#now = now
    this.#pauses = pauses
    this.#patience = patience
  }

  /** Never rejects. Resolves with undefined once it was taken, or with the reason why it was given up. */
  async post(notice: Notice): Promise<string | undefined> {
    const freshUntil = Number(notice.headers["webhook-timestamp"]) * 1_000 + FRESH_MS
    const pauses = notice.isTest === true ? [] : this.#pauses
    for (let n = 0; ; n++) {
      if (this.#now() > freshUntil) return this.#giveUp("it is too old by now", n)
      const outcome = await this.#try(notice)
      if (outcome.kind === "taken") return undefined
      const pause = pauses[n]
      if (outcome.isFinal || pause === undefined || !(await this.#wait(pause)))
        return this.#giveUp(outcome.reason, n + 1)
    }
  }

  /** Ends what is under way. */
  close(): void {
    this.#closing.abort()
  }

  async #try({ headers, body }: Notice): Promise<Try> {
    const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(this.#patience)])
    try {
      // A redirect would lead to where the owner did not say.
      const options = {
        method: "POST",
        headers: { ...headers, ...this.#headers },
        body,
        signal,
        redirect: "manual",
      } as const
      const response = await this.#fetch(this.#url, options)
      await response.body?.cancel()
      if (response.ok) return { kind: "taken" }
      const { status } = response
      return { kind: "failed", reason: `it answered ${status}`, isFinal: status < 500 && !PASSING.has(status) }
    } catch (error) {
      return { kind: "failed", reason: reasonOf(error), isFinal: this.#closing.signal.aborted }
    }
  }

  /** False when it was closed meanwhile. */
  #wait(ms: number): Promise<boolean> {
    const { signal } = this.#closing
    return new Promise((resolve) => {
      if (signal.aborted) return resolve(false)
      const done = (): void => {
        clearTimeout(timer)
        signal.removeEventListener("abort", done)
        resolve(!signal.aborted)
      }
      const timer = setTimeout(done, ms)
      signal.addEventListener("abort", done)
    })
  }

  #giveUp(reason: string, tries: number): string {
    this.#log.warn({ host: this.#host, reason, tries }, "the webhook did not take a notice")
    return `${this.#host} did not take it: ${reason}`
  }
}

/** Name and password in a URL are for a header: `fetch` takes no URL that has them. */
function withoutLogin(text: string): { bare: string; headers: Readonly<Record<string, string>> } {
  const url = new URL(text)
  const login = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`
  url.username = ""
  url.password = ""
  const headers: Record<string, string> =
    login === ":" ? {} : { authorization: `Basic ${Buffer.from(login).toString("base64")}` }
  return { bare: url.href, headers }
}

/** A code or a word of ours: the words of others may hold the URL. */
function reasonOf(error: unknown): string {
  const { name, cause } = error as { name?: unknown; cause?: { code?: unknown } }
  if (name === "TimeoutError") return "it did not answer in time"
  if (name === "AbortError") return "the bunker was stopped"
  const code = cause?.code
  return typeof code === "string" ? code : "it cannot be reached"
}
