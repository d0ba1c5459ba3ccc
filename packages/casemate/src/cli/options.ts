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
export function parseDuration(text: string, flag = "--ttl"): number {
  const match = /^(\d{1,7})([smhd])$/.exec(text.trim())
  if (match === null) {
    throw new UserError(
      `${flag} takes a number and a unit, such as 90s, 10m, 1h or 7d, not ${JSON.stringify(text.slice(0, 40))}`,
    )
  }
  return Number(match[1]) * UNITS[match[2] as keyof typeof UNITS]
}

const RATE = /^(\d{1,7})\/([smhd])$/

/** `20/h` as uses in so many seconds. @throws UserError */
export function parseRate(text: string): { uses: number; seconds: number } {
  const [, uses, unit] = RATE.exec(text.trim()) ?? []
  if (uses === undefined) {
    throw new UserError(
      `--rate takes a number of uses and a unit, such as 1/s, 5/m, 20/h or 100/d, not ${JSON.stringify(text.slice(0, 40))}`,
    )
  }
  return { uses: Number(uses), seconds: UNITS[unit as keyof typeof UNITS] }
}

const DATE = /^(\d{4})-(\d\d)-(\d\d)(?:[T ]\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:?\d\d)?)?$/i

/**
 * A date, which ends with its day, or a date and time, on this machine's clock unless it says another; in unix
 * seconds.
 *
 * @throws UserError
 */
export function parseUntil(text: string): number {
  const typed = text.trim()
  const [, year, month, day] = DATE.exec(typed) ?? []
  // Without this the 30th of February would be a day in March.
  const isDay = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day))).getUTCDate() === Number(day)
  const at = Date.parse(typed.length === 10 ? `${typed}T23:59:59` : typed.replace(" ", "T"))
  if (isDay && !Number.isNaN(at)) return Math.floor(at / 1000)
  throw new UserError(
    `--until takes a date or a date with a time, such as 2030-12-31 or 2030-12-31T18:00, not ${JSON.stringify(text.slice(0, 40))}`,
  )
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
