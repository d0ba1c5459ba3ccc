import { readdirSync, readFileSync, readlinkSync } from "node:fs"

/** What Linux tells of a process. */

const INTERNET = ["tcp", "tcp6", "udp", "udp6", "raw", "raw6"] as const

export interface InternetSocket {
  readonly protocol: (typeof INTERNET)[number]
  readonly inode: string
  readonly isListening: boolean
}

/** The internet sockets that a process holds. */
export function internetSockets(pid: number): InternetSocket[] {
  const held = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? []
      } catch {
        return []
      }
    }),
  )
  return INTERNET.flatMap((protocol) =>
    readFileSync(`/proc/${pid}/net/${protocol}`, "utf8")
      .split("\n")
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter((columns) => held.has(columns[9] ?? ""))
      .map((columns) => ({ protocol, inode: columns[9] ?? "", isListening: columns[3] === "0A" })),
  )
}

/** Its share of the memory, in MB: pages that several processes use are counted in parts. */
export function proportionalMemory(pid: number): number {
  const kilobytes = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1]
  if (kilobytes === undefined) throw new Error("smaps_rollup names no Pss")
  return Number(kilobytes) / 1024
}

/** Soft and hard limit of a core file. */
export function coreLimit(pid: number): string[] {
  const line = /^Max core file size\s+(\S+)\s+(\S+)/m.exec(readFileSync(`/proc/${pid}/limits`, "utf8"))
  if (line === null) throw new Error("limits names no core file size")
  return line.slice(1, 3)
}
