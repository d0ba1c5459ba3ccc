import { utf8ToBytes } from "@noble/hashes/utils.js"
import type { EventTemplate } from "../protocol/event.js"
import type { Ask } from "./authorize.js"
import { loginOf } from "./logins.js"
import type { Conditions, Grant } from "./ports.js"

/** What one "always" covers, and what is one prompt: asks of the same scope wait together. */
export interface Scope {
  readonly method: string
  readonly param: string | undefined
  readonly conditions: Conditions
}

/** How far from `Conditions.near` an event may be dated, in seconds. */
const NEAR = 1_200

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

/**
 * Whether the conditions of a grant hold for an ask. Where an ask leaves open what a condition is about, or says it
 * twice, no allowance covers it and every denial does.
 *
 * @param askKey the engine's keyed digest of the ask, whatever its `created_at`
 */
export function meets(
  ask: Ask,
  { conditions, effect }: Pick<Grant, "conditions" | "effect">,
  askKey: string | undefined,
): boolean {
  const { counterparties, tags, host, action, dPrefix, maxContentBytes, ask: exact, near } = conditions
  const isDenial = effect === "deny"
  if (exact !== undefined && askKey !== exact) return false
  if (counterparties !== undefined && !("counterparty" in ask && counterparties.includes(ask.counterparty)))
    return false
  const isAboutEvents = [tags, host, action, dPrefix, maxContentBytes].some((condition) => condition !== undefined)
  if (ask.method !== "sign_event") return !isAboutEvents
  const { template } = ask
  if (near !== undefined && Math.abs(template.created_at - near) > NEAR) return false
  if (tags?.some(([name, value]) => !template.tags.some((tag) => tag[0] === name && tag[1] === value)) === true)
    return false
  if ((host !== undefined || action !== undefined) && !isLoginAt(template, { host, action }, isDenial)) return false
  if (dPrefix !== undefined && !isNamed(template, dPrefix, isDenial)) return false
  return maxContentBytes === undefined || utf8ToBytes(template.content).length <= maxContentBytes
}

function isLoginAt(
  template: EventTemplate,
  { host, action }: { host: string | undefined; action: string | undefined },
  isDenial: boolean,
): boolean {
  const login = loginOf(template)
  if (login === undefined) return false
  const holds = (wanted: string | undefined, said: string | undefined): boolean =>
    wanted === undefined || said === wanted || (isDenial && said === undefined)
  return holds(host, login.host) && holds(action, login.action)
}

/** Only addressable events (NIP-01) are known by their `d` tag, and by the first of them. */
function isNamed({ kind, tags }: EventTemplate, prefix: string, isDenial: boolean): boolean {
  if (kind < 30_000 || kind > 39_999) return false
  const names = tags.filter((tag) => tag[0] === "d").map((tag) => tag[1] ?? "")
  if (isDenial) return names.some((name) => name.startsWith(prefix))
  return names.length === 1 && names[0]?.startsWith(prefix) === true
}
