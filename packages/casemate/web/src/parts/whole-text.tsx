import type { JSX } from "preact"
import { sizeOf, sizeWords } from "../words/sizes.js"
import { Theirs } from "./theirs.js"

interface WholeTextProps {
  readonly text: string
  readonly label: string
}

/** All of a text of an app's. A long one scrolls in a frame, and says so: nobody takes its beginning for all of it. */
export function WholeText({ text, label }: WholeTextProps): JSX.Element {
  const size = sizeOf(text)
  if (text === "") return <p class="text ours">empty</p>
  if (!size.isTall) {
    return (
      <div class="text">
        <Theirs text={text} lines />
      </div>
    )
  }
  return (
    <>
      <p class="notice careful">{sizeWords(size)}: scroll in the frame to read all of it.</p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be within reach of the keyboard */}
      <section class="text tall" aria-label={label} tabIndex={0}>
        <Theirs text={text} lines />
      </section>
    </>
  )
}
