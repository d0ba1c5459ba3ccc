import { readClientMetadata } from "./client-metadata.js"
import { Nip46Error } from "./errors.js"
import { parsePermissions, readPermissions } from "./permission.js"
import type { TokenFinding, TokenFindingCode } from "./token-finding.js"
import type { TokenQuery } from "./token-query.js"

const PERMISSION_CODES: Readonly<Record<string, TokenFindingCode>> = {
  form: "PERMISSION_FORM",
  method: "PERMISSION_METHOD",
  kind: "PERMISSION_KIND",
  counterparty: "PERMISSION_COUNTERPARTY",
}

/** What an app says of itself and asks for: nothing here makes a token unusable, for it is only shown. */
export function inspectApp(query: TokenQuery, warnings: TokenFinding[]): void {
  const warn = (code: TokenFindingCode, field: string, message: string): void => {
    warnings.push({ code, field, message })
  }
  for (const entry of readPermissions(query.text("perms") ?? "").ignored) {
    const { field, message } = faultOf(entry)
    warn(PERMISSION_CODES[field] ?? "PERMISSION_FORM", "perms", message)
  }
  const legacy = legacyOf(query.text("metadata"))
  if (legacy.present)
    warn("METADATA_LEGACY", "metadata", "metadata= is of an older draft; write name=, url= and image=")
  if (legacy.present && legacy.value === undefined) {
    warn("METADATA_INVALID", "metadata", "metadata= is no JSON object, and is left out")
  }
  if (query.text("icon") !== undefined) warn("METADATA_LEGACY", "icon", "icon= is of an older draft; write image=")

  const given: Record<string, unknown> = {
    ...legacy.value,
    ...present("name", query.text("name")),
    ...present("url", query.text("url")),
    ...present("image", query.text("image") ?? query.text("icon")),
  }
  const read = readClientMetadata(given)
  if (read.name === undefined) {
    warn("NAME_MISSING", "name", "it has no name, so the owner of the bunker sees only a public key")
  }
  for (const field of ["name", "url", "image"] as const) {
    const text = read[field]
    const whole = given[field]
    if (text === undefined) continue
    if (typeof whole === "string" && whole.trim().length > text.length) {
      warn("TEXT_TOO_LONG", field, `${field} has more characters than the ${text.length} that are kept`)
    } else if (field !== "name" && !isWebUrl(text)) {
      warn("URL_INVALID", field, `${field} is no http:// or https:// URL`)
    }
  }
}

function faultOf(entry: string): { field: string; message: string } {
  try {
    parsePermissions(entry)
  } catch (error) {
    if (error instanceof Nip46Error) return { field: String(error.details["field"]), message: error.message }
    throw error
  }
  return { field: "form", message: "this permission cannot be read" }
}

function legacyOf(json: string | undefined): { present: boolean; value: object | undefined } {
  if (json === undefined) return { present: false, value: undefined }
  try {
    const value: unknown = JSON.parse(json)
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value)
    return { present: true, value: isObject ? value : undefined }
  } catch {
    return { present: true, value: undefined }
  }
}

function present(field: string, text: string | undefined): Record<string, string> {
  return text === undefined || text.trim() === "" ? {} : { [field]: text }
}

function isWebUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)
}
