import type { JSX } from "preact"
import { piecesOf } from "../words/pieces.js"

interface TheirsProps {
  readonly text: string
  /** Line feeds are lines; else they are shown as what they are. */
  readonly lines?: boolean
}

/**
 * What somebody else wrote, whole and as text. It cannot turn the words around it, and what cannot be seen is shown
 * escaped, in a look that no text has.
 */
export function Theirs({ text, lines = false }: TheirsProps): JSX.Element {
  return (
    <bdi dir="ltr" class="theirs">
      {piecesOf(text, { lines }).map(({ kind, text }, index) =>
        kind === "text" ? (
          text
        ) : (
          <span key={index} class="escape" title="something that cannot be seen">
            {text}
          </span>
        ),
      )}
    </bdi>
  )
}
