import type { JSX } from "preact"
import { npubOf } from "../words/pubkeys.js"
import { tagWords } from "../words/tags.js"
import { Theirs } from "./theirs.js"

interface TagListProps {
  readonly tags: readonly (readonly string[])[]
  readonly label: string
}

/** Every tag with every part, in order. */
export function TagList({ tags, label }: TagListProps): JSX.Element {
  return (
    <ol class="tags" aria-label={label}>
      {tags.map((tag, index) => (
        <li key={index}>
          <Tag tag={tag} />
        </li>
      ))}
    </ol>
  )
}

function Tag({ tag }: { readonly tag: readonly string[] }): JSX.Element {
  const [name, value] = tag
  const words = tagWords(name)
  const npub = value !== undefined && (name === "p" || name === "P") ? npubOf(value) : undefined
  return (
    <>
      {words !== undefined && <span class="tag-words">{words}</span>}
      <span class="tag-parts">
        {tag.length === 0 && <span class="ours">a tag without parts</span>}
        {tag.map((part, index) => (
          <span key={index} class={index === 0 ? "part name" : "part"}>
            {part === "" ? <span class="ours">empty</span> : <Theirs text={part} />}
          </span>
        ))}
      </span>
      {npub !== undefined && <span class="tag-npub">{npub}</span>}
    </>
  )
}
