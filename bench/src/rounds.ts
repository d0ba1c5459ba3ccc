import type { Contestant } from "./contestants.js"
import type { ConnectOrder, LoadReply, Run, RunOrder } from "./load.js"
import type { Options } from "./options.js"
import { nextMessage, type Part, startPart } from "./part.js"
import { cpuSeconds, proportionalMemory, quiet, sumOf } from "./proc.js"
import type { RunningSigner } from "./signers/running.js"

/** What one signer came to in one round. CPU is in microseconds a request. */
export interface Measured extends Run {
  readonly signerCpu: number
  readonly relayCpu: number
  readonly loadCpu: number
  /** Of all the signer's processes, in MB, after the round. */
  readonly memoryMb: number
}

/** By contestant, one entry a round. */
export type Measurements = ReadonlyMap<Contestant, readonly Measured[]>

/** How long the load client may take beyond the time that it was given, in ms. */
const PATIENCE_MS = 60_000

/**
 * Starts everything, and gives each signer its turn: A B C, then B C A, so that nobody always follows the same one.
 * Who is not in its turn is idle.
 */
export async function runRounds(contestants: readonly Contestant[], options: Options): Promise<Measurements> {
  const closers: (() => Promise<void>)[] = []
  try {
    const relay = await startPart<{ url: string }>("./relay.js")
    closers.push(relay.close)
    const load = await startPart<object>("./load.js")
    closers.push(load.close)
    const signers = new Map<Contestant, RunningSigner>()
    for (const contestant of contestants) {
      const signer = await contestant.start(relay.ready.url)
      closers.push(signer.close)
      signers.set(contestant, signer)
      const { token, userPubkey } = signer
      await tell(load, { connect: contestant.name, token, userPubkey }, 0)
    }

    const measure = async (contestant: Contestant, seconds: number): Promise<Measured> => {
      const { pids } = signers.get(contestant) as RunningSigner
      const cpu = (): number[] => [sumOf(pids, cpuSeconds), cpuSeconds(relay.pid), cpuSeconds(load.pid)]
      const before = cpu()
      const run = (await tell(load, { run: contestant.name, inFlight: options.inFlight, seconds }, seconds)) as Run
      await quiet([...pids, relay.pid, load.pid])
      const [signerCpu = 0, relayCpu = 0, loadCpu = 0] = cpu().map(
        (after, i) => ((after - (before[i] as number)) * 1e6) / run.requests,
      )
      return { ...run, signerCpu, relayCpu, loadCpu, memoryMb: sumOf(pids, proportionalMemory) }
    }

    for (const contestant of contestants) await measure(contestant, options.warmup)
    const measured = new Map(contestants.map((contestant) => [contestant, [] as Measured[]]))
    for (let round = 0; round < options.rounds; round++) {
      const first = round % contestants.length
      for (const contestant of [...contestants.slice(first), ...contestants.slice(0, first)]) {
        measured.get(contestant)?.push(await measure(contestant, options.seconds))
      }
    }
    return measured
  } finally {
    for (const close of closers.reverse()) await close()
  }
}

async function tell(load: Part<object>, order: ConnectOrder | RunOrder, seconds: number): Promise<unknown> {
  const replied = nextMessage<LoadReply<unknown>>(load.process, seconds * 1_000 + PATIENCE_MS)
  load.process.send(order)
  const reply = await replied
  if ("failed" in reply) throw new Error(`${"run" in order ? order.run : order.connect}: ${reply.failed}`)
  return reply.ok
}
