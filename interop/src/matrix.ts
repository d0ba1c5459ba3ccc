import { CELLS } from "./cells.js"

/** What a cell came to. */
export interface Outcome {
  readonly text: string
  /** Why it is not a plain yes; becomes a numbered reason below the tables. */
  readonly why?: string | undefined
  /** Whose reason it is; the column's own name unless given. */
  readonly whose?: string
}

export interface Table {
  readonly title: string
  /** By the name of the column, then by that of the row. */
  readonly columns: ReadonlyMap<string, ReadonlyMap<string, Outcome>>
}

/** The tables and the reasons, as Markdown that reads well on a terminal too. */
export function renderMatrix(tables: readonly Table[], titles: readonly string[] = CELLS): string {
  const reasons: string[] = []
  const numberOf = (why: string): number => {
    if (!reasons.includes(why)) reasons.push(why)
    return reasons.indexOf(why) + 1
  }
  const rendered = tables.map(({ title, columns }) => {
    const rows = titles.map((row) => [
      row,
      ...[...columns].map(([name, outcomes]) => {
        const { text, why, whose = name } = outcomes.get(row) ?? { text: "NOT ASKED" }
        return why === undefined ? text : `${text} (${numberOf(`${whose}: ${why}`)})`
      }),
    ])
    return `### Over ${title}\n\n${renderTable(["", ...columns.keys()], rows)}`
  })
  const list = reasons.map((why, index) => `${index + 1}. ${why}`).join("\n")
  return `${rendered.join("\n\n")}\n\n${list}\n`
}

function renderTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)))
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n")
}

/** What is measured on a page: our bunker with other people's clients, or our client with their signers. */
type Part = "measured" | "signers measured"

/** A part of a page that was measured. */
export function measuredPart(page: string, part: Part = "measured"): string {
  const { from, to } = bounds(page, part)
  return page.slice(from, to)
}

export function withMeasuredPart(page: string, measured: string, part: Part = "measured"): string {
  const { from, to } = bounds(page, part)
  return page.slice(0, from) + measured + page.slice(to)
}

function bounds(page: string, part: Part): { from: number; to: number } {
  const begin = `<!-- ${part}: from here -->\n`
  const from = page.indexOf(begin) + begin.length
  const to = page.indexOf(`<!-- ${part}: to here -->`)
  if (from < begin.length || to < from) throw new Error(`the page has lost the marks around what is ${part}`)
  return { from, to }
}
