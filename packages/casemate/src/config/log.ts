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
