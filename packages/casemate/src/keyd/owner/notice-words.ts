import type { Approval, Connection } from "@casemate/nip46/signer"
import { kindWords } from "../../channel/kind-names.js"
import { safe } from "../../channel/visible-text.js"

/** What a notice says, for whatever shows it: no field of it is more than a few lines. */
export interface NoticeWords {
  readonly title: string
  readonly message: string
  /** The page where it is decided. */
  readonly url?: string
  /** Where it is one request that waits. */
  readonly requestId?: string
  readonly requests?: readonly RequestWords[]
}

export interface RequestWords {
  readonly id: string
  readonly app: string
  readonly asks: string
}

interface Waiting {
  readonly approval: Approval
  readonly connection: Connection
}

/** Named in one notice; a phone shows no more. */
const NAMED = 5
const NAME_LENGTH = 60

/** Never a word of what would be signed, encrypted or decrypted, and without `details` not who asks for it either. */
export function waitingWords(
  prompts: readonly Waiting[],
  { pages, details }: { readonly pages: string | undefined; readonly details: boolean },
): NoticeWords {
  const [only, ...others] = prompts
  const requestId = others.length === 0 ? only?.approval.id : undefined
  const requests = details ? prompts.slice(0, NAMED).map(requestWords) : undefined
  return {
    title: prompts.length === 1 ? "A request waits for you" : `${prompts.length} requests wait for you`,
    message: requests === undefined ? plainMessage(pages) : namedMessage(requests, prompts.length),
    ...(pages !== undefined && {
      url: requestId === undefined ? `${pages}/requests` : `${pages}/requests/${requestId}`,
    }),
    ...(requestId !== undefined && { requestId }),
    ...(requests !== undefined && { requests }),
  }
}

function plainMessage(pages: string | undefined): string {
  return pages === undefined
    ? "Your bunker asks for a decision: casemate requests list"
    : "Your bunker asks for a decision."
}

function namedMessage(requests: readonly RequestWords[], count: number): string {
  const lines = requests.map(({ app, asks }) => `${app} wants to ${asks}`)
  return [...lines, ...(count > requests.length ? [`and ${count - requests.length} more`] : [])].join("\n")
}

function requestWords({ approval, connection }: Waiting): RequestWords {
  return { id: approval.id, app: appName(connection), asks: asksWords(approval) }
}

function appName({ app, id }: Connection): string {
  const name = safe(
    Array.from((app.name ?? "").trim())
      .slice(0, NAME_LENGTH)
      .join(""),
  )
  return name === "" ? `App ${id.slice(0, 8)}` : `“${name}”`
}

/** With whom it encrypts or decrypts is told at the place where it is decided. */
function asksWords({ method, param }: Approval): string {
  if (method === "sign_event") return `sign ${kindWords(param ?? "")}`
  return method.endsWith("_encrypt") ? "encrypt a text" : "decrypt a text"
}
