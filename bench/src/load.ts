import { App } from "./app.js"
import { ready } from "./part.js"

/**
 * The load client, one process for all signers. It keeps so many requests in flight, each made when it is sent, and
 * stops by letting those that are under way come to their end: what was measured is whole requests.
 */

export interface ConnectOrder {
  readonly connect: string
  readonly token: string
  readonly userPubkey: string
}

export interface RunOrder {
  readonly run: string
  readonly inFlight: number
  readonly seconds: number
}

export interface Run {
  readonly requests: number
  /** Of those, how many had their signature verified; author, id and content are compared in each. */
  readonly verified: number
  /** From the first request to the last answer. */
  readonly seconds: number
  readonly p50Ms: number
  readonly p99Ms: number
}

export type LoadReply<T> = { readonly ok: T } | { readonly failed: string }

const apps = new Map<string, App>()

async function obey(order: ConnectOrder | RunOrder): Promise<unknown> {
  if ("connect" in order) {
    apps.set(order.connect, await App.connect(order.token, order.userPubkey))
    return {}
  }
  const app = apps.get(order.run)
  if (app === undefined) throw new Error(`nobody is connected to ${order.run}`)
  return run(app, order)
}

async function run(app: App, { inFlight, seconds }: RunOrder): Promise<Run> {
  const latencies: number[] = []
  let verified = 0
  const started = performance.now()
  const end = started + seconds * 1_000
  const keepAsking = async (): Promise<void> => {
    while (performance.now() < end) {
      const asked = performance.now()
      if (await app.sign()) verified += 1
      latencies.push(performance.now() - asked)
    }
  }
  await Promise.all(Array.from({ length: inFlight }, keepAsking))
  const took = (performance.now() - started) / 1_000
  latencies.sort((a, b) => a - b)
  return {
    requests: latencies.length,
    verified,
    seconds: took,
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
  }
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}

process.on("message", (order: ConnectOrder | RunOrder) => {
  obey(order).then(
    (ok) => process.send?.({ ok } satisfies LoadReply<unknown>),
    (error: unknown) => process.send?.({ failed: String(error) } satisfies LoadReply<unknown>),
  )
})
ready({})
