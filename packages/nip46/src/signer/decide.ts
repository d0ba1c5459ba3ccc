import { utf8ToBytes } from "@noble/hashes/utils.js"
import type { CryptoBackend } from "../crypto/backend.js"
import { equalBytes } from "../crypto/constant-time.js"
import { parseClientMetadata } from "../protocol/client-metadata.js"
import type { Request } from "../protocol/message.js"
import { isMethod } from "../protocol/method.js"
import { type Ask, type AuthorizeContext, authorize, paramOf, type Verdict } from "./authorize.js"
import { hashSecret } from "./offer.js"
import type { AuditEntry, Claim, ClaimEffect, ClaimVerdict, Connection } from "./ports.js"
import type { ReadAsk } from "./read-ask.js"
import { hasMoved, isMovedByWord } from "./relay-move.js"
import { type Standing, standingOf } from "./standing.js"

/** After a crash, a request that waited longer than this, in seconds, is told so instead of executed. */
const RECOVER_WITHIN = 300

/** Gate 6: what is to be committed for a request, or that its sender has no connection to commit it on. */
export type Decision =
  | { readonly kind: "decided"; readonly verdict: Verdict; readonly effect: ClaimEffect | undefined }
  | { readonly kind: "unconnected"; readonly reason: string }

export interface Asked {
  readonly request: Request
  readonly read: ReadAsk
  readonly client: string
  readonly connection: Connection
  readonly standing: Standing
  /** The names of the relay that brought it, where that is known. */
  readonly via: readonly string[] | undefined
  /** Unix seconds. */
  readonly now: number
  readonly context: AuthorizeContext
}

/** Changes nothing and uses no key. */
export function decide(asked: Asked, crypto: CryptoBackend): Decision {
  const { read, connection, standing, now } = asked
  if (standing.kind === "offered") return redeem(asked, crypto)
  if (read.kind === "invalid") return decided({ kind: "deny", reason: read.reason })
  const verdict = authorize(read.ask, connection, now, asked.context)
  return decided(verdict, verdict.kind === "allow" ? effectOf(read.ask, connection, asked.via) : undefined)
}

/** A first `connect` on an offered token; anything else from there is a stranger's. */
function redeem({ request: { method, params }, read, connection, client }: Asked, crypto: CryptoBackend): Decision {
  if (method !== "connect" || read.kind !== "ask") {
    return unconnected("this app is not connected; send connect with the token's secret first")
  }
  const secretHash = hashSecret(params[1] ?? "", crypto)
  if (connection.secretHash === undefined || !equalText(secretHash, connection.secretHash)) {
    return unconnected("the secret is not that of this connection token; copy the whole token again")
  }
  return decided(
    { kind: "allow", by: "the token's secret", charges: [] },
    {
      kind: "activate",
      secretHash,
      clientPubkey: client,
      app: parseClientMetadata(params[3]),
      requestedPerms: (params[2] ?? "").slice(0, 1_024),
    },
  )
}

function effectOf(
  { method }: Ask,
  connection: Connection,
  via: readonly string[] | undefined,
): ClaimEffect | undefined {
  if (method === "logout") return { kind: "logout" }
  const { relays } = connection
  if (hasMoved(connection, via)) return { kind: "client_relays", relays }
  if (method === "switch_relays" && isMovedByWord(connection, via)) return { kind: "client_relays", relays }
  return undefined
}

/** What is stored of a verdict: execution follows it, also after a crash. */
export function storedVerdict(verdict: Verdict): ClaimVerdict {
  return verdict.kind === "deny" ? verdict : { kind: verdict.kind }
}

/** Names what NIP-46 names; a client's own words for a method stay out of the audit. */
export function auditOf(
  { request, read, client, connection, now }: Asked,
  verdict: Verdict,
  eventId: string,
): AuditEntry {
  const { method } = request
  return {
    at: now,
    actor: client,
    connectionId: connection.id,
    action: read.kind === "ask" ? read.ask.method : `refused:${isMethod(method) ? method : "unknown"}`,
    param: read.kind === "ask" ? paramOf(read.ask) : undefined,
    verdict: verdict.kind,
    why: verdict.kind === "allow" ? verdict.by : verdict.reason,
    eventId,
  }
}

/** Whether a claim that a crash left unanswered is still to be executed. @param now unix seconds */
export function recoveredVerdict(claim: Claim, connection: Connection, { method }: Request, now: number): ClaimVerdict {
  const isLogout = connection.state === "logged_out" && method === "logout"
  if (claim.verdict.kind === "deny" || isLogout) return claim.verdict
  const { kind } = standingOf(connection, claim.event.pubkey, now)
  if (kind !== "live" || connection.state !== "active") {
    return { kind: "deny", reason: "this connection is no longer active" }
  }
  const { verdict } = claim
  const since = verdict.kind === "allow" ? (verdict.decidedAt ?? claim.receivedAt) : claim.receivedAt
  if (now - since > RECOVER_WITHIN) {
    return { kind: "deny", reason: "the signer was away for too long; ask again" }
  }
  return claim.verdict
}

function decided(verdict: Verdict, effect?: ClaimEffect): Decision {
  return { kind: "decided", verdict, effect }
}

function unconnected(reason: string): Decision {
  return { kind: "unconnected", reason }
}

function equalText(a: string, b: string): boolean {
  return equalBytes(utf8ToBytes(a), utf8ToBytes(b))
}
