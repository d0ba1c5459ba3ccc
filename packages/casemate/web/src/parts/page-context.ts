import { createContext } from "preact"
import { useContext } from "preact/hooks"
import type { Api } from "../api.js"

export interface PageContext {
  readonly api: Api
  /** What stands before every path of ours: `/bunker`, or nothing. */
  readonly base: string
  /** A question, while something would be lost by leaving. */
  readonly held: { current: string | undefined }
  /** To another page, by its path without the base. `replace`: not back to this one. */
  readonly go: (path: string, options?: { readonly replace?: boolean }) => void
}

export const PageContextOf = createContext<PageContext | undefined>(undefined)

export function usePage(): PageContext {
  const context = useContext(PageContextOf)
  if (context === undefined) throw new Error("a part was drawn outside of the page")
  return context
}
