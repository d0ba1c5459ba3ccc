import type { Browser, BrowserContext, Page } from "playwright-core"

/** What no payload may bring about. */
export type IncidentKind =
  /** Script of somebody else ran: it called `__ran`, or opened a dialog. */
  | "executed"
  | "dialog"
  /** The page's policy stopped something that was in the page. */
  | "violation"
  /** An exception nobody caught, or an error on the console. */
  | "error"
  | "console"
  | "popup"
  | "download"
  /** A request to another origin than the bunker's, whether or not it left the browser. */
  | "request"
  /** The page was led elsewhere. */
  | "navigation"

export interface Incident {
  readonly kind: IncidentKind
  readonly text: string
}

/** A context of its own, such as another person's browser would be, with everything noticed that happens in it. */
export interface Watched {
  readonly context: BrowserContext
  readonly page: Page
  readonly incidents: readonly Incident[]
  of(...kinds: IncidentKind[]): readonly string[]
}

/** What payloads call when they run. */
export const TRIPWIRE = "__ran"

/** @param origin the bunker's own */
export async function openWatched(browser: Browser, origin: string): Promise<Watched> {
  const context = await browser.newContext({ acceptDownloads: false })
  const incidents: Incident[] = []
  const note = (kind: IncidentKind, text: string): void => void incidents.push({ kind, text })

  await context.exposeFunction(TRIPWIRE, (what: unknown) => note("executed", String(what)))
  await context.exposeFunction("__violated", (what: unknown) => note("violation", String(what)))
  await context.addInitScript(() => {
    const tell = (globalThis as unknown as { __violated(what: string): void }).__violated
    addEventListener(
      "securitypolicyviolation",
      ({ effectiveDirective, blockedURI, sourceFile, lineNumber, sample }) =>
        tell(`${effectiveDirective}: ${blockedURI} ${sample} (${sourceFile}:${lineNumber})`),
      true,
    )
  })
  context.on("request", (request) => {
    if (!isOwn(request.url(), origin)) note("request", `${request.method()} ${request.url()}`)
  })
  context.on("weberror", (error) => note("error", error.error().message))
  context.on("console", (message) => {
    if (message.type() === "error") note("console", message.text())
  })
  context.on("dialog", (dialog) => {
    note("dialog", `${dialog.type()}: ${dialog.message()}`)
    void dialog.dismiss()
  })
  const page = await context.newPage()
  page.on("download", (download) => note("download", download.url()))
  page.on("framenavigated", (frame) => {
    if (!isOwn(frame.url(), origin)) note("navigation", frame.url())
  })
  context.on("page", (popup) => note("popup", popup.url()))
  return {
    context,
    page,
    incidents,
    of: (...kinds) => incidents.filter(({ kind }) => kinds.includes(kind)).map(({ kind, text }) => `${kind}: ${text}`),
  }
}

/** What needs no network, such as the icon that the page carries with it, is its own. */
function isOwn(url: string, origin: string): boolean {
  return url === "about:blank" || url.startsWith("data:image/") || url.startsWith(`${origin}/`)
}
