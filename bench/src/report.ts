import { cpus } from "node:os"
import type { Contestant } from "./contestants.js"
import type { Options } from "./options.js"
import type { Measured, Measurements } from "./rounds.js"

export interface Row extends Measured {
  readonly name: string
  readonly title: string
  readonly requestsPerSecond: number
  readonly rounds: readonly Measured[]
}

export interface Report {
  readonly node: string
  readonly machine: string
  readonly options: Options
  /** Medians over the rounds; `requests` and `verified` are the sums. */
  readonly rows: readonly Row[]
  /** CPU a request of all processes of a signer, as a multiple of another's. */
  readonly ratios: readonly Ratio[]
  readonly missing: readonly { readonly name: string; readonly why: string }[]
}

export interface Ratio {
  readonly of: string
  readonly to: string
  readonly cpu: number
}

export function reportOf(measurements: Measurements, missing: readonly Contestant[], options: Options): Report {
  const rows = [...measurements].map(([contestant, rounds]) => rowOf(contestant, rounds))
  const processors = cpus()
  return {
    node: process.version,
    machine: `${processors.length} x ${processors[0]?.model ?? "unknown"}`,
    options,
    rows,
    ratios: ratiosOf(rows),
    missing: missing.map(({ name, missing: why = "" }) => ({ name, why })),
  }
}

function rowOf({ name, title }: Contestant, rounds: readonly Measured[]): Row {
  const middle = (pick: (round: Measured) => number): number => median(rounds.map(pick))
  return {
    name,
    title,
    requests: rounds.reduce((sum, round) => sum + round.requests, 0),
    verified: rounds.reduce((sum, round) => sum + round.verified, 0),
    requestsPerSecond: middle(({ requests, seconds }) => requests / seconds),
    seconds: middle(({ seconds }) => seconds),
    signerCpu: middle(({ signerCpu }) => signerCpu),
    relayCpu: middle(({ relayCpu }) => relayCpu),
    loadCpu: middle(({ loadCpu }) => loadCpu),
    p50Ms: middle(({ p50Ms }) => p50Ms),
    p99Ms: middle(({ p99Ms }) => p99Ms),
    memoryMb: middle(({ memoryMb }) => memoryMb),
    rounds,
  }
}

/** Of the first of our rows, which is the fastest curve, to all others: theirs over ours, but ours over the bare loop's. */
function ratiosOf(rows: readonly Row[]): Ratio[] {
  const [ours] = rows
  if (ours === undefined) return []
  return rows.slice(1).map((row) => {
    const [of, to] = row.name === "bare" ? [ours, row] : [row, ours]
    return { of: of.name, to: to.name, cpu: of.signerCpu / to.signerCpu }
  })
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const [low = 0, high = 0] = sorted.length % 2 === 0 ? sorted.slice(middle - 1) : [sorted[middle], sorted[middle]]
  return (low + high) / 2
}

const COLUMNS: readonly (readonly [string, (row: Row) => string])[] = [
  ["signer", ({ title }) => title],
  ["requests/s", ({ requestsPerSecond }) => requestsPerSecond.toFixed(0)],
  ["CPU µs/request", ({ signerCpu }) => signerCpu.toFixed(0)],
  ["p50 ms", ({ p50Ms }) => p50Ms.toFixed(1)],
  ["p99 ms", ({ p99Ms }) => p99Ms.toFixed(1)],
  ["PSS MB", ({ memoryMb }) => memoryMb.toFixed(0)],
  ["load client µs", ({ loadCpu }) => loadCpu.toFixed(0)],
  ["relay µs", ({ relayCpu }) => relayCpu.toFixed(0)],
  ["requests", ({ requests }) => String(requests)],
  ["verified", ({ verified }) => String(verified)],
]

export function renderReport({ node, machine, options, rows, ratios, missing }: Report): string {
  const { rounds, seconds, inFlight } = options
  const cells = [COLUMNS.map(([head]) => head), ...rows.map((row) => COLUMNS.map(([, render]) => render(row)))]
  const widths = COLUMNS.map((_, i) => Math.max(...cells.map((line) => (line[i] ?? "").length)))
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, i) => (i === 0 ? text.padEnd(widths[i] ?? 0) : text.padStart(widths[i] ?? 0)))
      .join("  ")
      .trimEnd()
  return [
    `sign_event, ${inFlight} in flight, medians of ${rounds} rounds of ${seconds} s; Node ${node}, ${machine}`,
    "",
    ...cells.map(line),
    "",
    ...ratios.map(({ of, to, cpu }) => `CPU a request, all processes: ${of} / ${to} = ${cpu.toFixed(2)}`),
    ...missing.map(({ name, why }) => `not measured: ${name} (${why})`),
    "",
  ].join("\n")
}
