import type { JSX } from "preact"
import type { ChangedPart, Changes, ContentChanges } from "../../../src/channel/changes.js"
import type { SignedInfo } from "../../../src/channel/owner-calls.js"
import { dateWords } from "../words/times.js"
import { TagList } from "./tag-list.js"
import { Theirs } from "./theirs.js"

interface ChangesViewProps {
  readonly changes: Changes
  readonly previous: SignedInfo
}

/** Of what takes the place of something: what becomes of it. */
export function ChangesView({ changes, previous }: ChangesViewProps): JSX.Element {
  const { tagsAdded, tagsRemoved, content } = changes
  const isSame = tagsAdded.length === 0 && tagsRemoved.length === 0 && content.kind === "same"
  return (
    <section class="card" aria-labelledby="changes">
      <h2 id="changes">What changes</h2>
      <p class="quiet">
        This takes the place of what was signed here on {dateWords(previous.createdAt)}.{" "}
        {isSame && "Nothing but the date differs."}
      </p>
      <ContentDiff content={content} />
      <TagDiff tags={tagsRemoved} what="removed" />
      <TagDiff tags={tagsAdded} what="added" />
    </section>
  )
}

interface TagDiffProps {
  readonly tags: readonly (readonly string[])[]
  readonly what: "added" | "removed"
}

function TagDiff({ tags, what }: TagDiffProps): JSX.Element | null {
  if (tags.length === 0) return null
  const label = `${tags.length.toLocaleString("en-GB")} tag${tags.length === 1 ? "" : "s"} ${what}`
  return (
    <div class={`diff ${what}`}>
      <h3>{label}</h3>
      <TagList tags={tags} label={label} />
    </div>
  )
}

function ContentDiff({ content }: { readonly content: ContentChanges }): JSX.Element | null {
  if (content.kind === "same") return null
  return (
    <div class="diff">
      <h3>Content</h3>
      <div class="text">
        {content.parts.map((part, index) => (
          <Part key={index} {...part} />
        ))}
      </div>
      <p class="hint">
        <del>Struck out</del> goes, <ins>underlined</ins> comes.
      </p>
    </div>
  )
}

function Part({ kind, text }: ChangedPart): JSX.Element {
  const shown = <Theirs text={text} lines />
  if (kind === "added") return <ins>{shown}</ins>
  return kind === "removed" ? <del>{shown}</del> : shown
}
