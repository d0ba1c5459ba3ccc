import { print, safe, wrapped } from "./output.js"

/** A value that is longer than the screen goes on behind a colon: nothing of an app's begins a line. */
export function row(label: string, value: string): void {
  const [first = "", ...rest] = wrapped(value, screenWidth())
  print(`${label.padEnd(15)} ${first}`)
  for (const more of rest) print(`${" ".repeat(14)}: ${more}`)
}

/** Lines as lines, each behind a bar, everything else that cannot be seen escaped, and nothing left out. */
export function block(label: string, text: string): void {
  const lines = text === "" ? [] : text.split("\n")
  if (lines.length === 0) row(label, "(empty)")
  for (const [n, line] of lines.entries()) row(n === 0 ? label : "", `| ${visible(line)}`)
}

/** An escape that the app wrote itself must not look like one of ours. */
export function visible(line: string): string {
  return safe(line.replaceAll("\\u{", "\\\\u{"))
}

function screenWidth(): number {
  const { columns } = process.stdout
  return columns === undefined ? Number.POSITIVE_INFINITY : Math.max(20, columns - 17)
}
