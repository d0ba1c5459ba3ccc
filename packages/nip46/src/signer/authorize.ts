import type { EventTemplate } from "../protocol/event.js"
import { isHex32 } from "../protocol/hex.js"
import { isFreeMethod, type Method } from "../protocol/method.js"
import { formatPermission } from "../protocol/permission.js"
import { flawOfLogin } from "./logins.js"
import type { Connection, DecisionEntry, Grant, GrantRate } from "./ports.js"
import { meets } from "./scope.js"
import { FORBIDDEN_KINDS, SENSITIVE_KINDS } from "./sensitive-kinds.js"

/** What is asked, with everything a verdict may depend on. */
export type Ask =
  | { readonly method: "sign_event"; readonly template: EventTemplate }
  | {
      readonly method: "nip04_encrypt" | "nip04_decrypt" | "nip44_encrypt" | "nip44_decrypt"
      /** The third party, 64 lower-case hex digits. */
      readonly counterparty: string
      readonly text: string
    }
  | { readonly method: "connect" | "ping" | "get_public_key" | "switch_relays" | "logout" }

export type Verdict =
  /** `by` names what allowed it; of each grant in `charges` one use is spent. */
  | { readonly kind: "allow"; readonly by: string; readonly charges: readonly string[] }
  /** No grant says anything of it: its owner is asked. */
  | { readonly kind: "ask"; readonly reason: string }
  | { readonly kind: "deny"; readonly reason: string }

/** What a verdict may depend on beside the ask, the connection and the time. */
export interface AuthorizeContext {
  /** Whether owners log in at this signer there, as URLs have their host: no such login is signed. */
  readonly isOwnHost?: (host: string) => boolean
  /** The engine's keyed digest of the ask, for `Conditions.ask`; not needed where no grant has one. */
  readonly askKey?: string | undefined
  /** Unix seconds; now, unless it has waited. */
  readonly arrivedAt?: number
}

const nowhere = (): boolean => false

/**
 * Gate 6. A pure function of what is asked, the connection with its grants, and the time: no key, no I/O.
 * Absence is never permission, and a deny grant outweighs every allow grant.
 *
 * @param now unix seconds
 */
export function authorize(
  ask: Ask,
  connection: Connection,
  now: number,
  { isOwnHost = nowhere, askKey, arrivedAt = now }: AuthorizeContext = {},
): Verdict {
  // Leaving is always allowed.
  if (connection.state === "paused" && ask.method !== "logout") return deny("the owner has paused this app")
  if (connection.state !== "active" && connection.state !== "paused") return deny("this connection is not active")
  if (isFreeMethod(ask.method as Method)) return { kind: "allow", by: "every connected client", charges: [] }
  const refusal = alwaysRefused(ask, connection, isOwnHost, arrivedAt)
  if (refusal !== undefined) return deny(refusal)

  const param = paramOf(ask)
  const matching = connection.grants.filter(
    (grant) => isAlive(grant, now) && covers(grant, ask.method, param) && meets(ask, grant, askKey),
  )
  const denied = matching.find((grant) => grant.effect === "deny")
  if (denied !== undefined) return deny(`the owner denies ${describe(ask)} to this app`)
  // An unlimited grant goes first: a counted one is spent only where nothing else allows.
  const allowed = matching.find((grant) => !isCounted(grant)) ?? matching[0]
  if (allowed !== undefined)
    return {
      kind: "allow",
      by: `grant ${formatPermission(allowed)}`,
      charges: isCounted(allowed) ? [allowed.id] : [],
    }
  return connection.style === "deny"
    ? deny(`${describe(ask)} is not permitted for this app; its owner can allow it`)
    : { kind: "ask", reason: `no grant covers ${describe(ask)}` }
}

/** Each request is held against all grants of its connection: one has no more. */
export const MAX_GRANTS = 200

/** Whether nothing will ever be judged by it any more, from this time in unix seconds on. */
export function isDead({ effect, expiresAt, usesLeft }: Grant, now: number): boolean {
  if (expiresAt !== undefined && expiresAt <= now) return true
  return effect === "allow" && usesLeft !== undefined && usesLeft <= 0
}

/** The param that a grant is matched against: the kind, or the counterparty. */
export function paramOf(ask: Ask): string | undefined {
  if (ask.method === "sign_event") return String(ask.template.kind)
  return "counterparty" in ask ? ask.counterparty : undefined
}

function alwaysRefused(
  ask: Ask,
  connection: Connection,
  isOwnHost: (host: string) => boolean,
  arrivedAt: number,
): string | undefined {
  if (ask.method === "sign_event") {
    const { kind } = ask.template
    if (FORBIDDEN_KINDS.has(kind)) return `kind ${kind} is never signed by a user key`
    return flawOfLogin(ask.template, isOwnHost, arrivedAt)
  }
  if ("counterparty" in ask) {
    if (ask.counterparty === connection.clientPubkey || ask.counterparty === connection.remoteSignerPubkey) {
      return "a transport key is not somebody to write to"
    }
  }
  return undefined
}

function covers(grant: Grant, method: string, param: string | undefined): boolean {
  if (grant.method !== method) return false
  if (grant.param !== undefined) return grant.param === param
  // A deny without a param denies everything; an allow without one stops short of the sensitive kinds.
  return grant.effect === "deny" || method !== "sign_event" || !SENSITIVE_KINDS.has(Number(param))
}

function isAlive(grant: Grant, now: number): boolean {
  if (grant.expiresAt !== undefined && grant.expiresAt <= now) return false
  return grant.effect === "deny" || hasUses(grant, now)
}

/** Whether it can be used once more, at this time in unix seconds. A record that charges it looks the same way. */
export function hasUses({ usesLeft, rate, recentUses }: Grant, now: number): boolean {
  if (usesLeft !== undefined && usesLeft <= 0) return false
  return rate === undefined || usesWithin(recentUses, rate, now).length < rate.uses
}

/** What a record lets become of an approval: an app that does not go on is approved nothing, and time ends everything. */
export function canDecide({ state }: Pick<Connection, "state">, to: DecisionEntry["to"]): boolean {
  if (to === "expired") return true
  return state === "active" || (state === "paused" && to === "denied")
}

/** The same grant after one more use. @param now unix seconds */
export function used(grant: Grant, now: number): Grant {
  const { usesLeft, rate, recentUses } = grant
  return {
    ...grant,
    usesLeft: usesLeft === undefined ? undefined : usesLeft - 1,
    recentUses: rate === undefined ? [] : [...usesWithin(recentUses, rate, now), now],
  }
}

/** Those that a rate still counts. */
export function usesWithin(uses: readonly number[], { seconds }: GrantRate, now: number): readonly number[] {
  return uses.filter((at) => at >= now - seconds)
}

function isCounted({ usesLeft, rate }: Grant): boolean {
  return usesLeft !== undefined || rate !== undefined
}

function describe(ask: Ask): string {
  return ask.method === "sign_event" ? `signing kind ${ask.template.kind}` : ask.method
}

function deny(reason: string): Verdict {
  return { kind: "deny", reason }
}

/** Lower-cases what is a pubkey in any case; undefined for what is none. */
export function readCounterparty(text: string | undefined): string | undefined {
  const pubkey = text?.toLowerCase()
  return isHex32(pubkey) ? pubkey : undefined
}
