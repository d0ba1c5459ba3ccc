import { execFileSync } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { setTimeout as wait } from "node:timers/promises"

/** What Linux tells of processes. */

const ticksPerSecond = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }))
const LOOK_EVERY_MS = 50
/** Longer than anything a signer puts off, such as writing down an answer. */
const QUIET_MS = 200
const QUIET_WITHIN_MS = 5_000

/** Seconds of CPU that a process has used so far, in all its threads, for itself and in the kernel. */
export function cpuSeconds(pid: number): number {
  const fields = statOf(pid)
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

export function sumOf(pids: readonly number[], measure: (pid: number) => number): number {
  return pids.reduce((sum, pid) => sum + measure(pid), 0)
}

/** Its share of the memory, in MB: pages that several processes use are counted in parts. */
export function proportionalMemory(pid: number): number {
  const kilobytes = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1]
  if (kilobytes === undefined) throw new Error("smaps_rollup names no Pss")
  return Number(kilobytes) / 1024
}

/** Resolves when processes have come to rest: what they put off while they answered is part of its price. */
export async function quiet(pids: readonly number[]): Promise<void> {
  const end = Date.now() + QUIET_WITHIN_MS
  let last = sumOf(pids, cpuSeconds)
  for (let since = Date.now(); Date.now() - since < QUIET_MS && Date.now() < end; ) {
    await wait(LOOK_EVERY_MS)
    const now = sumOf(pids, cpuSeconds)
    if (now !== last) since = Date.now()
    last = now
  }
}

export function childrenOf(parent: number): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return Number(statOf(pid)[1]) === parent
      } catch {
        return false
      }
    })
}

/** From the third field on: the name before it may hold anything. */
function statOf(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")
}
