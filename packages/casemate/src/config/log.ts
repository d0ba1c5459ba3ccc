import { type DestinationStream, destination, type Logger, pino } from "pino"
import type { LogLevel } from "./config.js"

export type { Logger }

/**
 * Logs go to stderr, one JSON object a line: what a person asked to see is on stdout. Call sites name the
 * fields that they log, ids and counts and reasons; nothing logs an object whole.
 */
export function createLogger(
  process: string,
  level: LogLevel,
  stream: DestinationStream = destination({ fd: 2, sync: true }),
): Logger {
  return pino({ level, base: { process }, formatters: { level: (label) => ({ level: label }) } }, stream)
}

/**
 * What a log says of an error: its sentence, and the code of what lies beneath, such as SQLITE_FULL. That one's own
 * words stay out, as they may hold what was to be written.
 */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown"
  const code = (error.cause as { code?: unknown } | undefined)?.code
  return typeof code === "string" ? `${error.message} (${code})` : error.message
}
