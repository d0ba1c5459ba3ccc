import { utf8ToBytes } from "@noble/hashes/utils.js"
import type { Ask } from "./authorize.js"
import { loginOf } from "./logins.js"
import type { Conditions } from "./ports.js"

/** What one "always" covers, and what is one prompt: asks of the same scope wait together. */
export interface Scope {
  readonly method: string
  readonly param: string | undefined
  readonly conditions: Conditions
}

/**
 * The narrowest that makes sense to allow for good: a kind; for logins, one host; for encrypt and decrypt, one
 * counterparty (QUIRKS: once per host for 27235 and 24242, once per app for 30078).
 */
export function scopeOf(ask: Ask): Scope {
  if (ask.method !== "sign_event") {
    return { method: ask.method, param: "counterparty" in ask ? ask.counterparty : undefined, conditions: {} }
  }
  const login = loginOf(ask.template)
  return { method: ask.method, param: String(ask.template.kind), conditions: login === undefined ? {} : where(login) }
}

function where({ host, action }: { host: string | undefined; action: string | undefined }): Conditions {
  if (host !== undefined) return { host }
  return action === undefined ? {} : { action }
}

/** The same text for the same scope, and only for it. */
export function scopeKey({ method, param, conditions: { host, action } }: Scope): string {
  return JSON.stringify([method, param ?? null, host ?? null, action ?? null])
}

/** @param askKey the engine's keyed digest of the ask, whatever its `created_at` */
export function meets(ask: Ask, conditions: Conditions, askKey: string | undefined): boolean {
  const { counterparties, tags, host, action, dPrefix, maxContentBytes, ask: exact } = conditions
  if (exact !== undefined && askKey !== exact) return false
  if (counterparties !== undefined && !("counterparty" in ask && counterparties.includes(ask.counterparty)))
    return false
  const template = ask.method === "sign_event" ? ask.template : undefined
  if (
    tags !== undefined &&
    !tags.every(([name, value]) => template?.tags.some((tag) => tag[0] === name && tag[1] === value))
  )
    return false
  if (host !== undefined || action !== undefined) {
    const login = template === undefined ? undefined : loginOf(template)
    if (login === undefined) return false
    if (host !== undefined && login.host !== host) return false
    if (action !== undefined && login.action !== action) return false
  }
  // The first counts for whoever reads it, so there must be no other.
  const d = template?.tags.filter((tag) => tag[0] === "d") ?? []
  if (dPrefix !== undefined && !(d.length === 1 && d[0]?.[1]?.startsWith(dPrefix) === true)) return false
  if (
    maxContentBytes !== undefined &&
    !(template !== undefined && utf8ToBytes(template.content).length <= maxContentBytes)
  )
    return false
  return true
}
