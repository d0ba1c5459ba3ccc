import { percentDecode } from "./percent.js"

/** The part of a connection token after its `?`. */
export interface TokenQuery {
  /** In the order of the token, not decoded. */
  readonly pairs: readonly (readonly [key: string, value: string])[]
  /** Percent-decoded; `+` stays `+`, as secrets need it. Of several the first. */
  raw(name: string): string | undefined
  /** As a form encodes text: `+` is a space. Of several the first. */
  text(name: string): string | undefined
  /** Percent-decoded. */
  all(name: string): string[]
}

/** The parts of a token, read and not yet judged; undefined where there is no `something://`. */
export function splitToken(text: string): { scheme: string; pubkey: string; query: TokenQuery } | undefined {
  const match = /^([a-z]+):\/\/([^/?#]*)\/?(?:\?([^#]*))?(?:#.*)?$/i.exec(text)
  if (match === null) return undefined
  const [, scheme = "", pubkey = "", query = ""] = match
  return { scheme, pubkey, query: parseQuery(query) }
}

function parseQuery(text: string): TokenQuery {
  const pairs = text
    .split("&")
    .filter((pair) => pair !== "")
    .map((pair) => {
      const at = pair.indexOf("=")
      return at === -1 ? ([pair, ""] as const) : ([pair.slice(0, at), pair.slice(at + 1)] as const)
    })
  const find = (name: string): string | undefined => pairs.find(([key]) => key === name)?.[1]
  const mapped = (value: string | undefined, f: (value: string) => string): string | undefined =>
    value === undefined ? undefined : f(value)
  return {
    pairs,
    raw: (name) => mapped(find(name), percentDecode),
    text: (name) => mapped(find(name), (value) => percentDecode(value.replaceAll("+", " "))),
    all: (name) => pairs.filter(([key]) => key === name).map(([, value]) => percentDecode(value)),
  }
}
