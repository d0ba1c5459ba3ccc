/** Of the year 9999. */
const LAST_SECOND = 253_402_300_799

/** An event that is dated further off than this, in seconds, may be seen by nobody, or be meant for another day. */
const NEAR_NOW = 600

const UNITS: readonly (readonly [seconds: number, name: string])[] = [
  [31_557_600, "year"],
  [2_629_800, "month"],
  [86_400, "day"],
  [3_600, "hour"],
  [60, "minute"],
  [1, "second"],
]

/** Unix seconds as date and time on this device's clock: `Wednesday 4 March 2026, 14:05`. */
export function dateWords(seconds: number): string {
  // No calendar of ours goes further.
  if (!Number.isFinite(seconds) || seconds < 0 || seconds > LAST_SECOND) return `second ${seconds} since 1970`
  const date = new Date(seconds * 1000)
  const day = new Intl.DateTimeFormat("en-GB", { weekday: "long", day: "numeric", month: "long", year: "numeric" })
  return `${day.format(date).replace(",", "")}, ${timeWords(date)}`
}

/** `14:05` */
export function timeWords(date: Date): string {
  return new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" }).format(date)
}

/** The largest unit of which there is one: `3 days`, `1 minute`. */
export function spanWords(seconds: number): string {
  const span = Math.max(0, Math.floor(seconds))
  const [size, name] = UNITS.find(([size]) => span >= size) ?? [1, "second"]
  const count = Math.floor(span / size)
  return `${count.toLocaleString("en-GB")} ${name}${count === 1 ? "" : "s"}`
}

/** `just now`, `3 minutes ago`. Clocks that differ a little do not put it into the future. */
export function agoWords(seconds: number, now: number): string {
  return now - seconds < 5 ? "just now" : `${spanWords(now - seconds)} ago`
}

/** What is left, counted down: `9 min 05 s`, `42 s`. */
export function leftWords(seconds: number): string {
  const left = Math.max(0, Math.ceil(seconds))
  if (left < 60) return `${left} s`
  if (left < 3_600) return `${Math.floor(left / 60)} min ${String(left % 60).padStart(2, "0")} s`
  return spanWords(left)
}

/** Undefined: dated near the time when it was asked for. */
export function dateWarning(createdAt: number, askedAt: number): string | undefined {
  const off = createdAt - askedAt
  if (Math.abs(off) <= NEAR_NOW) return undefined
  return off < 0
    ? `This date is ${spanWords(-off)} before the app asked.`
    : `This date is ${spanWords(off)} after the app asked.`
}
