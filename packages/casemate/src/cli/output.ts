import { npubEncode } from "nostr-tools/nip19"

export function print(line = ""): void {
  process.stdout.write(`${line}\n`)
}

/** One JSON object a line. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value))
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

/** What somebody else wrote, made safe for a terminal: no control characters, no direction tricks. */
export function safe(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (c) => `\\u{${c.codePointAt(0)?.toString(16)}}`)
}

export function npub(pubkey: string): string {
  return npubEncode(pubkey)
}

/** Unix seconds as local date and time. */
export function when(seconds: number | undefined): string {
  if (seconds === undefined) return "never"
  return new Date(seconds * 1000).toISOString().replace("T", " ").slice(0, 16)
}
