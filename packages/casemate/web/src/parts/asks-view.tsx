import type { JSX } from "preact"
import { oneOfKindWords } from "../../../src/channel/kind-names.js"
import type { RequestDetail } from "../../../src/channel/owner-calls.js"
import { npubOf } from "../words/pubkeys.js"
import { dateWarning, dateWords } from "../words/times.js"
import { Warning } from "./notice.js"
import { TagList } from "./tag-list.js"
import { Theirs } from "./theirs.js"
import { WholeText } from "./whole-text.js"

type Asks = RequestDetail["asks"]
export type SignAsks = Extract<Asks, { kind: number }>
type CipherAsks = Exclude<Asks, SignAsks>

/** Exactly what would be signed: nothing left out, nothing added. */
export function EventView({ asks, askedAt }: { readonly asks: SignAsks; readonly askedAt: number }): JSX.Element {
  const { kind, content, tags, createdAt } = asks
  const warning = dateWarning(createdAt, askedAt)
  return (
    <section class="card" aria-labelledby="event">
      <h2 id="event">What would be signed</h2>
      <dl class="facts">
        <div>
          <dt>Kind</dt>
          <dd>{oneOfKindWords(kind)}</dd>
        </div>
        <div>
          <dt>Content</dt>
          <dd>
            <WholeText text={content} label="Content" />
          </dd>
        </div>
        <div>
          <dt>Date</dt>
          <dd>
            {dateWords(createdAt)}
            {warning !== undefined && <Warning>{warning} Approve it only if you know why.</Warning>}
          </dd>
        </div>
        <div>
          <dt>{tags.length === 0 ? "Tags" : `Tags (${tags.length.toLocaleString("en-GB")})`}</dt>
          <dd>{tags.length === 0 ? <span class="ours">none</span> : <TagList tags={tags} label="Tags" />}</dd>
        </div>
      </dl>
    </section>
  )
}

interface CipherViewProps {
  readonly asks: CipherAsks
  readonly userPubkey: string
}

/** What would be encrypted or decrypted, and whom it is shared with. */
export function CipherView({ asks, userPubkey }: CipherViewProps): JSX.Element {
  const { method, counterparty, text } = asks
  const isEncrypting = method.endsWith("_encrypt")
  return (
    <section class="card" aria-labelledby="cipher">
      <h2 id="cipher">{isEncrypting ? "What would be encrypted" : "What would be opened"}</h2>
      <dl class="facts">
        <div>
          <dt>{isEncrypting ? "For" : "Between you and"}</dt>
          <dd>
            {counterparty === userPubkey && "yourself "}
            <code class="pubkey">{npubOf(counterparty) ?? <Theirs text={counterparty} />}</code>
          </dd>
        </div>
        <div>
          <dt>{isEncrypting ? "Text" : "Encrypted text"}</dt>
          <dd>
            <WholeText text={text} label={isEncrypting ? "Text" : "Encrypted text"} />
            {!isEncrypting && <p class="hint">The app gets what is in it. It is not opened before you approve.</p>}
          </dd>
        </div>
        <div>
          <dt>Method</dt>
          <dd>
            <Theirs text={method} />
          </dd>
        </div>
      </dl>
    </section>
  )
}
