import { npubEncode } from "nostr-tools/nip19"
import { safe, UNSEEN } from "../channel/visible-text.js"
import { asTyped } from "./npm.js"

export { safe }

export function print(line = ""): void {
  process.stdout.write(`${line}\n`)
}

/** A line of ours that says what to type. */
export function printHint(line: string): void {
  print(asTyped(line))
}

/** One JSON object a line; what a terminal would act on is escaped, which changes nothing for a reader of JSON. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value).replace(UNSEEN, escapeUnits))
}

function escapeUnits(character: string): string {
  return Array.from({ length: character.length }, (_, i) => `\\u${hex4(character.charCodeAt(i))}`).join("")
}

function hex4(unit: number): string {
  return unit.toString(16).padStart(4, "0")
}

/** One line on stderr for a person, whatever they typed. */
export function complain(text: string, kind?: "error" | "warning"): void {
  const said = kind === undefined ? text : `${kind}: ${safe(text)}`
  process.stderr.write(`casemate: ${hideSecrets(asTyped(said))}\n`)
}

export function printTable(header: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = header.map((title, i) => Math.max(title.length, ...rows.map((row) => (row[i] ?? "").length)))
  for (const row of [header, ...rows])
    print(
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join("  ")
        .trimEnd(),
    )
}

/** The same in quotes that what is inside cannot close. */
export function quoted(text: string): string {
  return `"${safe(text.replace(/["\\]/g, "\\$&"))}"`
}

/** Cut into pieces that are at most so many columns wide; letters of East Asian scripts and pictures take two. */
export function wrapped(text: string, columns: number): string[] {
  const pieces: string[] = []
  let piece = ""
  let width = 0
  for (const character of text) {
    const own = (character.codePointAt(0) ?? 0) > 0x10ff ? 2 : 1
    if (width + own > columns && piece !== "") {
      pieces.push(piece)
      piece = ""
      width = 0
    }
    piece += character
    width += own
  }
  return [...pieces, piece]
}

/** What must not reach a screen or a log by way of an error, whatever a person typed where. */
export function hideSecrets(text: string): string {
  return text
    .replace(/(nsec1|ncryptsec1)[a-z0-9]+/gi, "$1…")
    .replace(/(:\/\/)[^/\s"@]+@/g, "$1…@")
    .replace(/(secret=)[^&\s"]+/gi, "$1…")
    .replace(/(?<![\w/])[0-9a-f]{64}(?![\w/])/gi, "[64 hex digits]")
}

/** Text as one word of a POSIX shell. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}

export function npub(pubkey: string): string {
  return npubEncode(pubkey)
}

/** Of the year 9999. */
const LAST_SECOND = 253_402_300_799

/** Unix seconds as date and time on this machine's clock. */
export function when(seconds: number | undefined): string {
  if (seconds === undefined) return "never"
  // No calendar of ours goes further.
  if (seconds > LAST_SECOND) return `second ${seconds} since 1970`
  const date = new Date(seconds * 1000)
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000)
  return local.toISOString().replace("T", " ").slice(0, 16)
}
