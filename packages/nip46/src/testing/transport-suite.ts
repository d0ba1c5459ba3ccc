import type { CryptoBackend } from "../crypto/backend.js"
import { NOSTR_CONNECT_KIND, type NostrEvent } from "../protocol/event.js"
import type { RelayFilter, Transport, TransportFactory } from "../transport/index.js"
import { check, equal } from "./assert.js"

export interface TransportSuiteOptions {
  /** `test` or `it` of vitest, node:test, jest, Deno. */
  readonly test: (title: string, run: () => Promise<void>) => unknown
  /** Makes the events that are carried. */
  readonly crypto: CryptoBackend
  /** Two or more relays that work, and how to open a transport on them. Called for each check. */
  readonly create: () => Promise<TransportSubject> | TransportSubject
}

export interface TransportSubject {
  readonly relays: readonly string[]
  readonly open: TransportFactory
  close(): Promise<void> | void
}

interface Bench {
  readonly relays: readonly string[]
  readonly open: (relays?: readonly string[]) => Transport
  readonly event: (content?: string) => NostrEvent
  readonly filters: readonly RelayFilter[]
  /** Resolves with the contents of the events that came, once there are so many different ones. */
  readonly listen: (transport: Transport, filters?: readonly RelayFilter[]) => Promise<Listening>
}

interface Listening {
  readonly contents: Set<string>
  readonly subscription: { update(filters: readonly RelayFilter[]): void; close(): void }
  readonly received: (content: string) => Promise<void>
}

interface TransportCheck {
  readonly title: string
  readonly run: (bench: Bench) => Promise<void>
}

const PATIENCE_MS = 10_000

/** The contract of `Transport`, one named check each. */
const checks: readonly TransportCheck[] = [
  {
    title: "what is published on one transport comes out of another on the same relays",
    async run({ open, listen, event, relays }) {
      const { received } = await listen(open())
      const report = await open().publish(event("hello"))
      equal(report.accepted, true, "accepted")
      check(
        [...report.relays.keys()].every((relay) => relays.includes(relay)),
        "the report names the relays",
      )
      await received("hello")
    },
  },
  {
    title: "one shared relay is enough to meet",
    async run({ open, listen, event, relays }) {
      const { received } = await listen(open(relays.slice(0, 1)))
      await open(relays).publish(event("one of them"))
      await received("one of them")
    },
  },
  {
    title: "every relay's decision is told, those after the first as well",
    async run({ open, event, relays }) {
      const told = new Set<string>()
      await new Promise<void>((resolve) => {
        void open().publish(event(), {
          onResult(relay, { kind }) {
            told.add(`${relay} ${kind}`)
            if (told.size === relays.length) resolve()
          },
        })
      })
      for (const relay of relays) check(told.has(`${relay} accepted`), `what ${relay} decided`)
    },
  },
  {
    title: "a subscription is live on every relay, and says so",
    async run({ open, filters, relays }) {
      const live = new Set<string>()
      await new Promise<void>((resolve) => {
        open().subscribe(filters, {
          onEvent: () => undefined,
          onLive(relay) {
            live.add(relay)
            if (live.size === relays.length) resolve()
          },
        })
      })
    },
  },
  {
    title: "new filters take the place of the old ones",
    async run({ open, listen, event, filters }) {
      const { received, subscription, contents } = await listen(open(), [{ kinds: [1] }])
      const other = open()
      await other.publish(event("before"))
      subscription.update(filters)
      for (let n = 0; !contents.has(`after ${n - 1}`); n++) {
        await other.publish(event(`after ${n}`))
        await received(`after ${n}`)
      }
      check(!contents.has("before"), "nothing that the old filters did not ask for")
    },
  },
  {
    title: "a closed subscription hears nothing more, and its neighbour goes on",
    async run({ open, listen, event }) {
      const transport = open()
      const closed = await listen(transport)
      const other = await listen(transport)
      closed.subscription.close()
      await open().publish(event("later"))
      await other.received("later")
      check(!closed.contents.has("later"), "the closed one heard it")
    },
  },
  {
    title: "a handler that throws disturbs nobody",
    async run({ open, listen, event, filters }) {
      const transport = open()
      transport.subscribe(filters, {
        onEvent() {
          throw new Error("a handler's fault")
        },
      })
      const { received } = await listen(transport)
      await open().publish(event("still"))
      await received("still")
    },
  },
  {
    title: "an aborted publish has failed, and never rejects",
    async run({ open, event }) {
      const report = await open().publish(event(), { signal: AbortSignal.abort() })
      equal(report.accepted, false, "accepted")
      for (const result of report.relays.values()) equal(result, { kind: "failed", reason: "aborted" }, "result")
    },
  },
  {
    title: "a closed transport publishes nothing and refuses subscriptions, and may be closed again",
    async run({ open, event, filters }) {
      const transport = open()
      transport.close()
      transport.close()
      const report = await transport.publish(event())
      equal(report.accepted, false, "accepted")
      for (const result of report.relays.values()) equal(result, { kind: "failed", reason: "closed" }, "result")
      let code: unknown
      try {
        transport.subscribe(filters, { onEvent: () => undefined })
      } catch (error) {
        code = (error as { code?: unknown }).code
      }
      equal(code, "CLOSED", "subscribe after close")
    },
  },
]

/**
 * Registers every check with a test runner.
 *
 * @example
 * import { test } from "node:test"
 * const memory = new MemoryRelays()
 * transportSuite({ test, crypto, create: () => ({ relays: ["wss://a.example", "wss://b.example"], open: memory.open, close() {} }) })
 */
export function transportSuite({ test, crypto, create }: TransportSuiteOptions): void {
  for (const { title, run } of checks) {
    test(title, async () => {
      const subject = await create()
      const opened: Transport[] = []
      try {
        await run(benchOf(subject, crypto, opened))
      } finally {
        for (const transport of opened) transport.close()
        await subject.close()
      }
    })
  }
}

function benchOf(subject: TransportSubject, crypto: CryptoBackend, opened: Transport[]): Bench {
  const sender = crypto.keypair(crypto.generateSecretKey())
  const receiver = crypto.keypair(crypto.generateSecretKey()).pubkey
  const filters = [{ kinds: [NOSTR_CONNECT_KIND], "#p": [receiver] }]
  return {
    relays: subject.relays,
    filters,
    open(relays = subject.relays) {
      const transport = subject.open(relays, {})
      opened.push(transport)
      return transport
    },
    event(content = "content") {
      const created_at = Math.floor(Date.now() / 1000)
      return crypto.signEvent({ kind: NOSTR_CONNECT_KIND, content, tags: [["p", receiver]], created_at }, sender)
    },
    async listen(transport, asked = filters) {
      const contents = new Set<string>()
      const waiting = new Set<() => void>()
      const live = new Set<string>()
      let wake = (): void => undefined
      const subscription = transport.subscribe(asked, {
        onEvent({ content }) {
          contents.add(content)
          for (const each of waiting) each()
        },
        onLive(relay) {
          live.add(relay)
          wake()
        },
      })
      await within("the subscription to be live", (resolve) => {
        wake = () => {
          if (live.size === transport.relays.length) resolve()
        }
        wake()
      })
      return {
        contents,
        subscription,
        received: (content) =>
          within(`"${content}"`, (resolve) => {
            const look = (): void => {
              if (!contents.has(content)) return
              waiting.delete(look)
              resolve()
            }
            waiting.add(look)
            look()
          }),
      }
    },
  }
}

async function within(what: string, start: (resolve: () => void) => void): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  try {
    await new Promise<void>((resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`waited ${PATIENCE_MS} ms for ${what}`)), PATIENCE_MS)
      start(resolve)
    })
  } finally {
    clearTimeout(timer)
  }
}
