import type { OwnerDecision } from "../../src/signer/approvals.js"
import type { Connection } from "../../src/signer/ports.js"
import { type Bench, type BenchOptions, createBench, type Reading, type TestClient } from "./signer-bench.js"

/** Where an approval is decided, by its id. */
export const URL_OF = (id: string): string => `https://bunker.example/approve/${id}`
export const ONCE = { kind: "approve", extent: { kind: "once" } } as const
export const ALWAYS = { kind: "approve", extent: { kind: "always" } } as const
export const HOUR = { kind: "approve", extent: { kind: "for", seconds: 3_600 } } as const
export const DENY = { kind: "deny", block: false } as const
export const BLOCK = { kind: "deny", block: true } as const

export type Say = typeof ONCE | typeof ALWAYS | typeof HOUR | typeof DENY | typeof BLOCK

/** A bench whose signer has a page to send its clients to. */
export const at = (options: BenchOptions = {}): Bench => createBench({ ...options, signer: { approvalUrl: URL_OF } })

/** A client that holds nothing, and whose owner is asked. */
export const asking = (bench: Bench, fields: Partial<Connection> = {}): Promise<TestClient> =>
  bench.connected([], { style: "hold", ...fields })

/** The id of the approval that a request became. */
export function waitingIn(reading: Reading): string {
  if (!("waiting" in reading)) throw new Error(`does not wait: ${JSON.stringify(reading)}`)
  return reading.waiting
}

export async function shown(bench: Bench, id: string) {
  const opened = await bench.engine.approvals.open(id)
  if (opened === undefined) throw new Error("there is no such approval")
  return opened
}

/** Decides what is shown, and gives what its clients read, in order. */
export async function decide(bench: Bench, client: TestClient, id: string, say: Say): Promise<Reading[]> {
  const { digest } = await shown(bench, id)
  const outcome = await bench.engine.approvals.decide(id, { ...say, digest, by: "owner" } as OwnerDecision)
  if (outcome.kind !== "decided") throw new Error(outcome.kind)
  return outcome.answers.map((answer) => client.open(answer))
}

export function resultOf(reading: Reading): string {
  if (!("result" in reading) || reading.error !== undefined) throw new Error(`no result: ${JSON.stringify(reading)}`)
  return reading.result
}
