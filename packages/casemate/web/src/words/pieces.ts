import { UNSEEN } from "../../../src/channel/visible-text.js"

/** `escape` stands for what cannot be seen: it is ours, and looks it. */
export interface Piece {
  readonly kind: "text" | "escape"
  readonly text: string
}

const RUN = new RegExp(`(?:${UNSEEN.source})+`, "gu")
const RUN_IN_LINES = new RegExp(`(?:(?!\\n)(?:${UNSEEN.source}))+`, "gu")

/**
 * What somebody else wrote, whole: what can be seen as it is, everything else escaped. `lines`: line feeds stay.
 */
export function piecesOf(text: string, { lines = false } = {}): Piece[] {
  const pieces: Piece[] = []
  let end = 0
  for (const { 0: run, index } of text.matchAll(lines ? RUN_IN_LINES : RUN)) {
    if (index > end) pieces.push(seen(text.slice(end, index)))
    pieces.push({ kind: "escape", text: Array.from(run, escaped).join("") })
    end = index + run.length
  }
  if (end < text.length) pieces.push(seen(text.slice(end)))
  return pieces
}

/** An escape that an app wrote itself must not read like one of ours, not even where colours are lost. */
function seen(text: string): Piece {
  return { kind: "text", text: text.replaceAll("\\u{", "\\\\u{") }
}

function escaped(character: string): string {
  return `\\u{${character.codePointAt(0)?.toString(16)}}`
}
