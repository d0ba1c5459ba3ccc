import type { Command } from "commander"
import { UserError } from "../config/user-error.js"

/** Every command takes it. */
export function withDataDir(command: Command): Command {
  return command.option(
    "--data-dir <folder>",
    "where the bunker keeps its record (default: the platform's data folder)",
  )
}

/** `--relay` may be given several times. */
export function collect(value: string, earlier: string[] | undefined): string[] {
  return [...(earlier ?? []), value]
}

const UNITS = { s: 1, m: 60, h: 3_600, d: 86_400 } as const

/** `90s`, `10m`, `1h`, `7d` as seconds. @throws UserError */
export function parseDuration(text: string): number {
  const match = /^(\d{1,7})([smhd])$/.exec(text.trim())
  if (match === null) {
    throw new UserError(
      `--ttl takes a number and a unit, such as 90s, 10m, 1h or 7d, not ${JSON.stringify(text.slice(0, 40))}`,
    )
  }
  return Number(match[1]) * UNITS[match[2] as keyof typeof UNITS]
}

/** Seconds as a person says them. */
export function formatDuration(seconds: number): string {
  for (const [unit, size] of [
    ["d", 86_400],
    ["h", 3_600],
    ["min", 60],
  ] as const) {
    if (seconds >= size && seconds % size === 0) return `${seconds / size} ${unit}`
  }
  return `${seconds} s`
}
