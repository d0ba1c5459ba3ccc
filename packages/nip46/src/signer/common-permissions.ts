import { formatPermission, type Permission } from "../protocol/permission.js"
import { SENSITIVE_KINDS } from "./sensitive-kinds.js"

/**
 * What is in both lists, as permissions: `sign_event` and `sign_event:1` have `sign_event:1` in common. As
 * everywhere, a permission without a param stops short of the sensitive kinds.
 */
export function commonPermissions(a: readonly Permission[], b: readonly Permission[]): Permission[] {
  const common = a.flatMap((one) => b.flatMap((other) => commonOf(one, other) ?? []))
  return [...new Map(common.map((permission) => [formatPermission(permission), permission])).values()]
}

function commonOf(a: Permission, b: Permission): Permission | undefined {
  if (a.method !== b.method) return undefined
  if (a.param === b.param) return a
  if (a.param !== undefined && b.param !== undefined) return undefined
  const narrow = a.param === undefined ? b : a
  return narrow.method === "sign_event" && SENSITIVE_KINDS.has(Number(narrow.param)) ? undefined : narrow
}
