/** A page of ours, as browsers tell it from others. */
export interface OurPage {
  readonly origin: string
  /** Whose passkeys it may ask for: WebAuthn's RP ID, the host name. */
  readonly rpId: string
}

/** Undefined: no page of ours has that origin, whatever the gateway says. @param urls of our pages */
export function pageAt(origin: string, urls: readonly string[]): OurPage | undefined {
  const url = urls.map((each) => new URL(each)).find((each) => each.origin === origin)
  return url === undefined ? undefined : { origin: url.origin, rpId: url.hostname }
}
