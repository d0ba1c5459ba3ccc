import { formatPermission, isFreeMethod, type Method, type Permission } from "@casemate/nip46/protocol"
import { FORBIDDEN_KINDS } from "@casemate/nip46/signer"
import type { GrantArgs } from "../../channel/owner-calls.js"

const LOGINS = ["22242", "24242", "27235"]
const LOGINS_TO_DO = ["24242", "27235"]
/** NIP-01: those that have a name of their own, in the `d` tag. */
const NAMED_KINDS = { from: 30_000, to: 39_999 }

type Limits = Omit<GrantArgs, "id" | "perms">

/**
 * Why a permission under these limits could never be used, or would not be what it seems; undefined when nothing
 * speaks against it.
 */
export function flawOfGrant(permission: Permission, limits: Limits): string | undefined {
  const { method, param } = permission
  if (isFreeMethod(method as Method)) return `${method} is for every connected app, whatever you grant or deny`
  if (method === "sign_event" && param !== undefined && FORBIDDEN_KINDS.has(Number(param)))
    return `kind ${param} is never signed by a user key, whatever you grant`
  return (
    flawOfDenial(limits) ??
    (method === "sign_event" ? flawOfSigning(permission, limits) : flawOfMessages(permission, limits))
  )
}

function flawOfDenial({ deny, uses, rate, maxContentBytes }: Limits): string | undefined {
  if (deny !== true) return undefined
  if (uses !== undefined || rate !== undefined)
    return "--deny refuses every time, so it cannot be counted; leave --uses and --rate out"
  if (maxContentBytes !== undefined)
    return "--deny with --max-length would refuse what is short and let pass what is long; leave --max-length out"
  return undefined
}

function flawOfSigning(permission: Permission, limits: Limits): string | undefined {
  const { param } = permission
  const { deny = false, counterparties, tags = [], host, action, dPrefix } = limits
  const name = formatPermission(permission)
  // A denial without a kind is one of every kind; a grant without one contains no login.
  const isOneOf = (kinds: readonly string[]): boolean => (param === undefined ? deny : kinds.includes(param))
  if (counterparties !== undefined)
    return `--with names whom an app may write to and hear from, so it is for encrypt and decrypt, not for ${name}`
  if (host !== undefined && !isOneOf(LOGINS)) return `--host is for logins (${signs(LOGINS)}), not for ${name}`
  if (action !== undefined && !isOneOf(LOGINS_TO_DO))
    return `--action is for logins over HTTP and at media servers (${signs(LOGINS_TO_DO)}), not for ${name}`
  if (dPrefix === undefined) return undefined
  const { from, to } = NAMED_KINDS
  if (param !== undefined && (Number(param) < from || Number(param) > to))
    return `--d is for what has a name of its own (kinds ${from} to ${to}), not for ${name}`
  if (tags.some(([tag, value]) => tag === "d" && !value.startsWith(dPrefix)))
    return "--d and --tag d=… ask for different names; leave one of them out"
  return undefined
}

function flawOfMessages(permission: Permission, limits: Limits): string | undefined {
  const name = formatPermission(permission)
  const { counterparties, tags, host, action, dPrefix, maxContentBytes } = limits
  for (const [flag, value] of [
    ["--tag", tags],
    ["--host", host],
    ["--action", action],
    ["--d", dPrefix],
    ["--max-length", maxContentBytes],
  ] as const) {
    if (value !== undefined) return `${flag} looks at what is signed, so it is for sign_event, not for ${name}`
  }
  if (counterparties !== undefined && permission.param !== undefined)
    return `${permission.method}:… names one public key already; leave it or --with out`
  return undefined
}

function signs(kinds: readonly string[]): string {
  return kinds.map((kind) => `sign_event:${kind}`).join(", ")
}
