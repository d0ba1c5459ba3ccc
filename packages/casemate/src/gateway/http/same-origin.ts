import type { IncomingHttpHeaders } from "node:http"

export interface Asking {
  /** As node:http has it: what a header says twice is joined by a comma, and then holds for neither. */
  readonly headers: IncomingHttpHeaders
  /** A GET or HEAD, which changes nothing. */
  readonly isRead: boolean
  /** A person may open it by typing its address. */
  readonly isDocument?: boolean
}

/**
 * Whether a request to the API comes from a page of this origin, by what browsers say of it and pages cannot forge.
 * A request that may change something has to say where it is from; a program that is no browser sends `Origin` too.
 */
export function isSameOrigin({ headers, isRead, isDocument = false }: Asking, origin: string): boolean {
  const { origin: from, "sec-fetch-site": site } = headers
  if (from !== undefined && from !== origin) return false
  if (site !== undefined) return site === "same-origin" || (site === "none" && isRead && isDocument)
  return isRead || from !== undefined
}
