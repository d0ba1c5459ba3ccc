import { Nip46Error } from "./errors.js"
import { MAX_KIND } from "./event.js"
import { isHex32 } from "./hex.js"
import { isMethod, METHODS } from "./method.js"

/**
 * `method[:param]` (NIP-46 §Requested permissions). For `sign_event` the param is the kind in decimal; for
 * encrypt and decrypt, where NIP-46 leaves it open, the counterparty's public key in lower-case hex.
 */
export interface Permission {
  readonly method: string
  readonly param: string | undefined
}

const PERMISSION = /^([a-z][a-z0-9_]{0,63})(?::([^\s,]{1,256}))?$/
const COUNTERPARTY_METHOD = /^nip(?:04|44)_/
const KIND = /^(?:0|[1-9][0-9]{0,4})$/

/**
 * Reads permissions as an owner writes them: comma-separated, spaces allowed around each, none unknown.
 *
 * @throws `INVALID_PERMISSION` that names the entry and what is wrong with it; `details.field` is `form`,
 * `method`, `kind` or `counterparty`
 * @example
 * parsePermissions("sign_event:1, nip44_encrypt")
 * // [{ method: "sign_event", param: "1" }, { method: "nip44_encrypt", param: undefined }]
 */
export function parsePermissions(text: string): Permission[] {
  return distinct(entriesOf(text).map(parsePermission))
}

/**
 * Reads permissions as clients send them: what cannot be read is set aside, not refused, since a
 * request for permissions is only shown.
 */
export function readPermissions(text: string): { permissions: Permission[]; ignored: string[] } {
  const permissions: Permission[] = []
  const ignored: string[] = []
  for (const entry of entriesOf(text)) {
    try {
      permissions.push(parsePermission(entry))
    } catch {
      ignored.push(entry)
    }
  }
  return { permissions: distinct(permissions), ignored }
}

/** The wire form; `parsePermissions` gives back the same list. */
export function formatPermissions(permissions: readonly Permission[]): string {
  return permissions.map(formatPermission).join(",")
}

export function formatPermission({ method, param }: Permission): string {
  return param === undefined ? method : `${method}:${param}`
}

function entriesOf(text: string): string[] {
  return text
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "")
}

function parsePermission(entry: string): Permission {
  const shown = JSON.stringify(entry.slice(0, 80))
  const match = PERMISSION.exec(entry)
  if (match === null)
    throw refusal("form", `${shown} is not a permission; write method or method:param, such as sign_event:1`)
  const [, method = "", param] = match
  if (!isMethod(method)) throw refusal("method", `${shown} names an unknown method; there are ${METHODS.join(", ")}`)
  if (method === "sign_event" && param !== undefined && !(KIND.test(param) && Number(param) <= MAX_KIND)) {
    throw refusal("kind", `${shown} has no valid kind; sign_event takes a number from 0 to ${MAX_KIND}`)
  }
  // A refusal of a counterparty that never matches would refuse nothing.
  if (param !== undefined && COUNTERPARTY_METHOD.test(method)) {
    const counterparty = param.toLowerCase()
    if (!isHex32(counterparty))
      throw refusal("counterparty", `${shown} has no valid param; ${method} takes a public key of 64 hex digits`)
    return { method, param: counterparty }
  }
  return { method, param }
}

function refusal(field: "form" | "method" | "kind" | "counterparty", message: string): Nip46Error {
  return new Nip46Error("INVALID_PERMISSION", message, { details: { field } })
}

function distinct(permissions: Permission[]): Permission[] {
  const seen = new Map(permissions.map((permission) => [formatPermission(permission), permission]))
  return [...seen.values()]
}
