import { CELLS, type Cell } from "./cells.js"

/** What a cell came to. */
export interface Outcome {
  readonly text: string
  /** Why it is not a plain yes; becomes a numbered reason below the tables. */
  readonly why?: string | undefined
}

export interface Table {
  readonly title: string
  /** By the name of the column. */
  readonly columns: ReadonlyMap<string, ReadonlyMap<Cell, Outcome>>
}

/** The tables and the reasons, as Markdown that reads well on a terminal too. */
export function renderMatrix(tables: readonly Table[]): string {
  const reasons: string[] = []
  const numberOf = (why: string): number => {
    if (!reasons.includes(why)) reasons.push(why)
    return reasons.indexOf(why) + 1
  }
  const rendered = tables.map(({ title, columns }) => {
    const rows = CELLS.map((cell) => [
      cell,
      ...[...columns].map(([name, outcomes]) => {
        const { text, why } = outcomes.get(cell) ?? { text: "NOT ASKED" }
        return why === undefined ? text : `${text} (${numberOf(`${name}: ${why}`)})`
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

const BEGIN = "<!-- measured: from here -->\n"
const END = "<!-- measured: to here -->"

/** The part of a page that was measured. */
export function measuredPart(page: string): string {
  const { from, to } = bounds(page)
  return page.slice(from, to)
}

export function withMeasuredPart(page: string, measured: string): string {
  const { from, to } = bounds(page)
  return page.slice(0, from) + measured + page.slice(to)
}

function bounds(page: string): { from: number; to: number } {
  const from = page.indexOf(BEGIN) + BEGIN.length
  const to = page.indexOf(END)
  if (from < BEGIN.length || to < from) throw new Error("the page has lost the marks between which the matrix stands")
  return { from, to }
}
