import { Nip46Error } from "../protocol/errors.js"
import { isHex32 } from "../protocol/hex.js"
import { objectOf, parseJson } from "../protocol/json.js"
import { relayUrlsOf } from "../protocol/relay-url.js"
import { bounded } from "../transport/bounded.js"

/** Where a name leads. */
export type NamedSigner =
  /** The old shape, `nip46[pubkey]`: a remote-signer that one connects to. */
  | { readonly kind: "bunker"; readonly remoteSignerPubkey: string; readonly relays: readonly string[] }
  /** The current shape (NIP-46 §Announcing remote-signer metadata): where to meet, and where to send the user. */
  | {
      readonly kind: "pairing"
      readonly relays: readonly string[]
      /** Holds `<nostrconnect>` in place of the token. */
      readonly nostrconnectUrl: string | undefined
      /** Signs the signer's NIP-89 announcement. */
      readonly remoteSignerAppPubkey: string | undefined
    }

export interface LookupOptions {
  /** The platform's own by default. */
  readonly fetch?: typeof globalThis.fetch | undefined
  readonly signal?: AbortSignal | undefined
  /** In milliseconds; 10 s by default. */
  readonly timeoutMs?: number
}

/** NIP-05: the local part has these characters; a domain may have a port. */
const NAME = /^(?:([a-z0-9_.-]{1,64})@)?([a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})+(?::\d{1,5})?)$/i
const MAX_DOCUMENT_BYTES = 1024 * 1024

export function isSignerName(text: string): boolean {
  return NAME.test(text.trim())
}

/**
 * Finds the remote-signer that a name stands for (NIP-05, NIP-46 §Announcing remote-signer metadata).
 * Redirects are not followed, as NIP-05 demands.
 *
 * @param name `bob@example.com`, or `example.com` for `_@example.com`
 * @throws `NAME_NOT_FOUND`
 */
export async function lookupSigner(name: string, options: LookupOptions = {}): Promise<NamedSigner> {
  const [, local = "_", domain] = NAME.exec(name.trim().toLowerCase()) ?? []
  if (domain === undefined) throw notFound(name, "it is not a name like bob@example.com")
  const document = await fetchDocument(name, domain, local, options).catch((error: unknown) => {
    // The domain may know nothing of a name and yet say where its signer is.
    if (local === "_" || (error as Nip46Error).code !== "NAME_NOT_FOUND") throw error
    return {}
  })
  // The current shape is published under "_", and a name's own document may leave it out.
  const found =
    read(document, local) ?? (local === "_" ? undefined : read(await fetchDocument(name, domain, "_", options), "_"))
  if (found === undefined) throw notFound(name, "its domain names no remote-signer")
  return found
}

/** Puts a nostrconnect:// token where the signer wants it. Undefined when the template leads to no https page. */
export function fillNostrconnectUrl(template: string, uri: string): string | undefined {
  const at = template.indexOf("<nostrconnect>")
  if (at === -1) return undefined
  // In a query or a fragment the token's own & and = would fall apart.
  const isNested = /[?#]/.test(template.slice(0, at))
  const url = template.replace("<nostrconnect>", () => (isNested ? encodeURIComponent(uri) : uri))
  return URL.canParse(url) && new URL(url).protocol === "https:" ? url : undefined
}

function read(document: Record<string, unknown>, local: string): NamedSigner | undefined {
  const names = objectOf(document["names"])
  const nip46 = objectOf(document["nip46"])
  const own = names !== undefined && Object.hasOwn(names, local) ? names[local] : undefined
  const pubkey = typeof own === "string" && isHex32(own.toLowerCase()) ? own.toLowerCase() : undefined
  if (nip46 === undefined) return undefined
  if (pubkey !== undefined && Object.hasOwn(nip46, pubkey)) {
    const relays = relayUrlsOf(nip46[pubkey])
    if (relays.length > 0) return { kind: "bunker", remoteSignerPubkey: pubkey, relays }
  }
  const relays = relayUrlsOf(nip46["relays"])
  const url = nip46["nostrconnect_url"]
  const nostrconnectUrl = typeof url === "string" && url.length <= 2_048 ? url : undefined
  if (relays.length === 0 && nostrconnectUrl === undefined) return undefined
  return { kind: "pairing", relays, nostrconnectUrl, remoteSignerAppPubkey: pubkey }
}

async function fetchDocument(
  name: string,
  domain: string,
  local: string,
  { fetch = globalThis.fetch, signal, timeoutMs = 10_000 }: LookupOptions,
): Promise<Record<string, unknown>> {
  const url = `https://${domain}/.well-known/nostr.json?name=${encodeURIComponent(local)}`
  // Not every fetch that an app hands in heeds its signal.
  const end = new AbortController()
  const read = async (): Promise<string | undefined> => {
    const response = await fetch(url, { redirect: "error", credentials: "omit", signal: end.signal })
    if (!response.ok) throw notFound(name, `its domain answered ${response.status}`)
    return textOf(response)
  }
  const text = await bounded(read, { signal, timeoutMs, what: "the lookup" })
    .catch((error: unknown) => {
      if (error instanceof Nip46Error && error.code !== "TIMEOUT") throw error
      throw notFound(name, "its domain could not be reached", error)
    })
    .finally(() => end.abort())
  const document = text === undefined ? undefined : objectOf(parseJson(text))
  if (document === undefined) throw notFound(name, "its domain answered with something that is not NIP-05's JSON")
  return document
}

async function textOf({ body }: Response): Promise<string | undefined> {
  if (body === null) return undefined
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let text = ""
  let size = 0
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return text + decoder.decode()
      size += value.length
      if (size > MAX_DOCUMENT_BYTES) return undefined
      text += decoder.decode(value, { stream: true })
    }
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}

function notFound(name: string, why: string, cause?: unknown): Nip46Error {
  const shown = name.trim().slice(0, 80)
  return new Nip46Error("NAME_NOT_FOUND", `no remote-signer was found for ${JSON.stringify(shown)}: ${why}`, { cause })
}
