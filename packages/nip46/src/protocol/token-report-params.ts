import { isPercentEncoded } from "./percent.js"
import type { TokenFinding } from "./token-finding.js"
import type { TokenQuery } from "./token-query.js"

const PARAMS = {
  bunker: ["relay", "secret"],
  nostrconnect: ["relay", "secret", "perms", "name", "url", "image", "icon", "metadata"],
} as const

/** What looks like a name is shown; anything else may be a secret whose `secret=` was lost. */
const NAME = /^[a-z][a-z_-]{0,31}$/i

/** Of the params as such: which there are, how often, and how they are encoded. */
export function inspectParams(query: TokenQuery, scheme: keyof typeof PARAMS, warnings: TokenFinding[]): void {
  const counts = new Map<string, number>()
  for (const [name] of query.pairs) counts.set(name, (counts.get(name) ?? 0) + 1)
  for (const [name, count] of counts) {
    if (!(PARAMS[scheme] as readonly string[]).includes(name)) {
      const isName = NAME.test(name) && query.raw(name) !== ""
      const shown = isName ? JSON.stringify(name) : "what has no name that can be shown"
      const message = `${shown} is no param of a ${scheme}:// token, and is left out`
      warnings.push({ code: "PARAM_UNKNOWN", field: isName ? name : "params", message })
    } else {
      if (count > 1 && name !== "relay") {
        const message = `${name} is there ${count} times; the first one counts`
        warnings.push({ code: "PARAM_REPEATED", field: name, message })
      }
      inspectEncoding(
        name,
        query.pairs.filter(([key]) => key === name).map(([, value]) => value),
        warnings,
      )
    }
  }
}

function inspectEncoding(field: string, values: readonly string[], warnings: TokenFinding[]): void {
  if (values.some((value) => !isPercentEncoded(value))) {
    const message = `${field} has a % that begins no escape, so it is taken as it stands; a percent sign is written %25`
    warnings.push({ code: "PERCENT_ENCODING", field, message })
  }
  if ((field === "secret" || field === "relay") && values.some((value) => value.includes("+"))) {
    const message = `${field} has a +, which some readers take for a space; it is written %2B`
    warnings.push({ code: "PLUS_AMBIGUOUS", field, message })
  }
}
