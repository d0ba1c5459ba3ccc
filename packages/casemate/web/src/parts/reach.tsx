import type { JSX } from "preact"
import { errorWords } from "../words/errors.js"

/** That what is shown may be old; the place is always there, so that it is read aloud when it is said. */
export function Reach({ error }: { readonly error: unknown }): JSX.Element {
  return (
    <div role="status" class="live">
      {error !== undefined && (
        <p class="notice careful">{errorWords(error)} It is tried again by itself; what you see may be old.</p>
      )}
    </div>
  )
}
