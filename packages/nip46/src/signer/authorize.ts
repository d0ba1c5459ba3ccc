import type { EventTemplate } from "../protocol/event.js"
import { isHex32 } from "../protocol/hex.js"
import { isFreeMethod, type Method } from "../protocol/method.js"
import { formatPermission } from "../protocol/permission.js"
import type { Connection, Grant } from "./ports.js"
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
  | { readonly kind: "deny"; readonly reason: string }

/**
 * Gate 6. A pure function of what is asked, the connection with its grants, and the time: no key, no I/O.
 * Absence is never permission, and a deny grant outweighs every allow grant.
 *
 * @param now unix seconds
 */
export function authorize(ask: Ask, connection: Connection, now: number): Verdict {
  // Leaving is always allowed.
  if (connection.state === "paused" && ask.method !== "logout") return deny("the owner has paused this app")
  if (connection.state !== "active" && connection.state !== "paused") return deny("this connection is not active")
  if (isFreeMethod(ask.method as Method)) return { kind: "allow", by: "every connected client", charges: [] }
  const refusal = alwaysRefused(ask, connection)
  if (refusal !== undefined) return deny(refusal)

  const param = paramOf(ask)
  const matching = connection.grants.filter((grant) => isAlive(grant, now) && covers(grant, ask.method, param))
  const denied = matching.find((grant) => grant.effect === "deny")
  if (denied !== undefined) return deny(`the owner denies ${describe(ask)} to this app`)
  // An unlimited grant goes first: a counted one is spent only where nothing else allows.
  const allowed = matching.find((grant) => grant.usesLeft === undefined) ?? matching[0]
  if (allowed === undefined) return deny(`${describe(ask)} is not permitted for this app; its owner can allow it`)
  return { kind: "allow", by: `grant ${formatPermission(allowed)}`, charges: counted(allowed) }
}

/** The param that a grant is matched against: the kind, or the counterparty. */
export function paramOf(ask: Ask): string | undefined {
  if (ask.method === "sign_event") return String(ask.template.kind)
  return "counterparty" in ask ? ask.counterparty : undefined
}

function alwaysRefused(ask: Ask, connection: Connection): string | undefined {
  if (ask.method === "sign_event") {
    return FORBIDDEN_KINDS.has(ask.template.kind)
      ? `kind ${ask.template.kind} is never signed by a user key`
      : undefined
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
  return grant.effect === "deny" || grant.usesLeft === undefined || grant.usesLeft > 0
}

function counted(grant: Grant): string[] {
  return grant.usesLeft === undefined ? [] : [grant.id]
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
