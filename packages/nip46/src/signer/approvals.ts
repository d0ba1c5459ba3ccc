import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js"
import type { CryptoBackend } from "../crypto/backend.js"
import type { RequestId } from "../protocol/message.js"
import { parseRequest } from "../protocol/message.js"
import { type Answer, type Answerer, senderOf } from "./answerer.js"
import { type Ask, authorize, isDead, MAX_GRANTS, paramOf, type Verdict } from "./authorize.js"
import { newGrant } from "./new-connection.js"
import type {
  Approval,
  ApprovalEntry,
  AuditEntry,
  Claim,
  ClaimVerdict,
  Connection,
  DecisionEntry,
  Grant,
  SignerRecord,
} from "./ports.js"
import { readAsk } from "./read-ask.js"
import { type Scope, scopeOf } from "./scope.js"
import { standingOf } from "./standing.js"

/** How an owner is asked. */
export interface ApprovalOptions {
  /** The page at which an approval is decided; undefined where there is none, and clients are left waiting instead. */
  readonly approvalUrl?: (approvalId: string) => string | undefined
  /** Whether owners log in there, as URLs have their host: no such login is signed. */
  readonly isOwnHost?: (host: string) => boolean
}

/** What an owner says of an approval. */
export type OwnerDecision = {
  /** Of what was shown (`OpenedApproval.digest`): what is decided is what was seen. */
  readonly digest: string
  /** Who decides, for the audit. */
  readonly by: string
} & (
  | {
      readonly kind: "approve"
      /** `for`: everything of the same scope for so many seconds. `always`: for good. */
      readonly extent:
        | { readonly kind: "once" }
        | { readonly kind: "for"; readonly seconds: number }
        | { readonly kind: "always" }
    }
  /** `block`: this app is not to ask for this scope again. */
  | { readonly kind: "deny"; readonly block: boolean }
)

/** An approval with what it is about, opened. Holds plaintext: it is for its owner's eyes. */
export interface OpenedApproval {
  readonly approval: Approval
  readonly connection: Connection
  readonly ask: Ask
  /** What "always" and "for a time" grant. */
  readonly scope: Scope
  /** The id of the event that would be signed, or a SHA-256 of method and params; 64 hex digits. */
  readonly digest: string
}

export type DecideOutcome =
  | {
      readonly kind: "decided"
      /** How many equal requests this decided. */
      readonly count: number
      /** For them, and for what else waited and is covered now. */
      readonly answers: readonly Answer[]
    }
  /**
   * Its client was told that nobody had decided; asked again within ten minutes it is served at once. The answers are
   * for what else waited and is covered now.
   */
  | { readonly kind: "late"; readonly answers: readonly Answer[] }
  /** Somebody else decided, or it is over. */
  | { readonly kind: "gone" }
  /** It cannot be decided so: another grant of the owner denies it, or the app has as many as it may. */
  | { readonly kind: "denied"; readonly reason: string }
  /** The digest is not that of what it asks for. */
  | { readonly kind: "mismatch" }

export interface ApprovalsPorts extends ApprovalOptions {
  readonly record: SignerRecord
  readonly crypto: CryptoBackend
  readonly answerer: Answerer
  /** Unix seconds. */
  readonly now: () => number
  readonly onFault: (fault: unknown) => void
  /** Does what was decided of a claim and seals the answer; undefined when there is nobody to answer. */
  readonly complete: (claim: Claim, connection: Connection, verdict: ClaimVerdict) => Promise<Answer | undefined>
}

/** A client that was sent to a page waits this long, in seconds. */
const CHALLENGED_FOR = 600
/** One that hears nothing, this long: most give up soon after. */
const HELD_FOR = 60
/** A decision that comes this long after its deadline, in seconds, serves the client that asks again (QUIRKS 9). */
export const LATE_FOR = 600
/** Equal asks are decided as one when their `created_at` are no further apart, in seconds. */
const ALIKE_WITHIN = 600
/** Different things that may wait for one client at a time: more would be a flood of prompts. */
const MAX_SCOPES = 5
/** Requests of one client that may wait; more than an album has pictures. */
const MAX_OF_CONNECTION = 50
/** Requests that may wait for one user key, */
const MAX_WAITING = 100
/** but so many of each client always may: two that fill the key's places must not shut out a third. */
const RESERVED = 5

/** Requests that wait for their owner, and what becomes of them. */
export class Approvals {
  readonly #ports: ApprovalsPorts

  constructor(ports: ApprovalsPorts) {
    this.#ports = ports
  }

  /** What is committed with a claim that its owner is to decide. */
  async entryOf(ask: Ask, connection: Connection, client: string): Promise<ApprovalEntry> {
    const { crypto, answerer, now } = this.#ports
    const id = bytesToHex(crypto.randomBytes(16))
    const isChallenged = connection.style === "auth_url" && this.#url(id) !== undefined
    return {
      id,
      method: ask.method,
      param: paramOf(ask),
      scope: await answerer.scopeKey(scopeOf(ask), connection, client),
      ask: await answerer.askKey(ask, connection, client),
      deadline: now() + (isChallenged ? CHALLENGED_FOR : HELD_FOR),
      maxScopes: MAX_SCOPES,
      maxOfConnection: MAX_OF_CONNECTION,
      maxWaiting: MAX_WAITING,
      reserved: RESERVED,
    }
  }

  /** The challenge for a claim that was committed as waiting; undefined for a client that is left waiting. */
  async challenge(
    claim: Pick<Claim, "event">,
    id: string,
    requestId: RequestId,
    connection: Connection,
  ): Promise<Answer | undefined> {
    const { record, answerer, now, onFault } = this.#ports
    const url = connection.style === "auth_url" ? this.#url(id) : undefined
    if (url === undefined) return undefined
    const challenge = await answerer.challenge(requestId, url, connection, senderOf(claim.event), now())
    // Kept before anybody has it, so that a restart sends the very same event again: some clients take a second one
    // for an error, others open a second page.
    await record.challenge(id, challenge.event).catch(onFault)
    return challenge
  }

  /** What waits, oldest first, without looking into it; of one connection only where one is named. */
  async waiting(connectionId?: string): Promise<readonly Approval[]> {
    return this.#ports.record.approvals("pending", connectionId)
  }

  /** What came too late for its client and can be decided still, the latest first, so many at most. */
  async late(limit: number): Promise<readonly Approval[]> {
    const { record, now } = this.#ports
    return record.lateApprovals(now() - LATE_FOR, limit)
  }

  /** Undefined when there is no such approval any more, or it does not open. */
  async open(id: string): Promise<OpenedApproval | undefined> {
    const approval = await this.#ports.record.approval(id)
    return approval === undefined ? undefined : this.#opened(approval)
  }

  /** Decides an approval and what is equal to it; answers are to be published. */
  async decide(id: string, decision: OwnerDecision): Promise<DecideOutcome> {
    const { record, now } = this.#ports
    const opened = await this.open(id)
    if (opened === undefined) return { kind: "gone" }
    const { approval, connection, digest } = opened
    if (decision.digest !== digest) return { kind: "mismatch" }
    const at = now()
    // An app that is paused, or whose session is over, does nothing.
    if (!isServed(opened, at)) return { kind: "gone" }
    const isLate = approval.state === "expired" && at < approval.deadline + LATE_FOR
    if (approval.state !== "pending" && !isLate) return { kind: "gone" }
    const verdict = this.#authorize(opened, at)
    if (decision.kind === "approve" && verdict.kind === "deny") return { kind: "denied", reason: verdict.reason }
    const grant = this.#grantOf(decision, opened, { at, isLate })
    const dead = connection.grants.filter((each) => isDead(each, at)).map((each) => each.id)
    if (grant !== undefined && connection.grants.length - dead.length >= MAX_GRANTS) {
      return { kind: "denied", reason: `this app has ${MAX_GRANTS} grants and denials already` }
    }
    const alike = isLate ? [] : await this.#alike(opened)
    const result = await record.decide({
      connectionId: connection.id,
      ids: [id, ...alike],
      from: isLate ? "expired" : "pending",
      to: decision.kind === "approve" ? "approved" : "denied",
      verdict: decision.kind === "approve" ? { kind: "allow", decidedAt: at } : DENIED,
      at,
      terms: grant === undefined ? undefined : { addGrants: [grant], removeGrants: dead },
      charged: undefined,
      audit: this.#audit(opened, decision, at),
    })
    if (result.kind === "gone") return { kind: "gone" }
    const changed = (await record.connection(connection.remoteSignerPubkey)) ?? connection
    if (isLate) return { kind: "late", answers: await this.settle(changed) }
    const answers = await this.#complete(result.claims, changed)
    return { kind: "decided", count: result.claims.length, answers: [...answers, ...(await this.settle(changed))] }
  }

  /** Ends what nobody decided in time; answers are to be published. */
  async expire(): Promise<Answer[]> {
    const { record, now } = this.#ports
    const due = await record.dueApprovals(now())
    return this.#end(due, () => "nobody decided in time; ask again")
  }

  /** Ends all that waits on a connection that its owner paused or revoked; a paused one is told. */
  async stop(connectionId: string): Promise<Answer[]> {
    return this.#end(await this.waiting(connectionId), ({ state }) =>
      state === "paused" ? "the owner has paused this app" : "this connection has ended",
    )
  }

  async #end(approvals: readonly Approval[], reason: (connection: Connection) => string): Promise<Answer[]> {
    const { record, now } = this.#ports
    const at = now()
    return this.#each(approvals, async (approval) => {
      const connection = await this.#connectionOf(approval)
      if (connection === undefined) return []
      const why = reason(connection)
      const result = await record.decide({
        ...single(approval),
        to: "expired",
        verdict: { kind: "deny", reason: why },
        at,
        terms: undefined,
        charged: undefined,
        audit: rowOf(approval, { at, actor: "time", action: "approval.expire", verdict: "deny", why }),
      })
      return result.kind === "decided" && isLive(connection) ? this.#complete(result.claims, connection) : []
    })
  }

  /** One that fails is told to `onFault` and left for the next time: it must not keep the others from their answers. */
  async #each(approvals: readonly Approval[], work: (approval: Approval) => Promise<Answer[]>): Promise<Answer[]> {
    const done = approvals.map(async (approval) => {
      try {
        return await work(approval)
      } catch (fault) {
        this.#ports.onFault(fault)
        return []
      }
    })
    return (await Promise.all(done)).flat()
  }

  /** After a restart: what grants decide by now, and the challenges that may not have been published. */
  async recover(youngerThan: number): Promise<Answer[]> {
    const { record, answerer, now } = this.#ports
    const pending = await record.approvals("pending")
    const oneOfEach = [...new Map(pending.map((approval) => [approval.claim.connectionId, approval])).values()]
    const settled = await this.#each(oneOfEach, async (approval) => {
      const connection = await this.#connectionOf(approval)
      return connection === undefined ? [] : this.settle(connection)
    })
    const challenged = await this.#each(await record.approvals("pending"), async (approval) => {
      const { challenge, claim } = approval
      const connection = await this.#connectionOf(approval)
      if (connection?.state !== "active" || now() - claim.receivedAt > youngerThan) return []
      if (challenge !== undefined) return [await answerer.resend(challenge, connection, claim.event.pubkey, now())]
      const parsed = parseRequest((await answerer.open(claim.event, connection)) ?? "")
      if (parsed.kind !== "request") return []
      const fresh = await this.challenge(claim, approval.id, parsed.request.id, connection)
      return fresh === undefined ? [] : [fresh]
    })
    return [...settled, ...challenged]
  }

  /** Carries out what the grants of a connection decide by now of what waits on it; answers are to be published. */
  async settle({ id }: Pick<Connection, "id">): Promise<Answer[]> {
    const { record, now } = this.#ports
    const answers: Answer[] = []
    // One after the other: each may spend what the next would need.
    for (const approval of await record.approvals("pending", id)) {
      const settled = await this.#each([approval], async () => {
        const opened = await this.#opened(approval)
        const at = now()
        if (opened === undefined || !isServed(opened, at)) return []
        const verdict = this.#authorize(opened, at)
        if (verdict.kind === "ask") return []
        const isAllowed = verdict.kind === "allow"
        const result = await record.decide({
          ...single(approval),
          to: isAllowed ? "approved" : "denied",
          verdict: isAllowed ? { kind: "allow", decidedAt: at } : verdict,
          at,
          terms: undefined,
          charged: isAllowed ? { grants: verdict.charges, expectedRevision: opened.connection.revision } : undefined,
          audit: rowOf(approval, {
            at,
            actor: approval.claim.event.pubkey,
            action: approval.method,
            verdict: verdict.kind,
            why: isAllowed ? verdict.by : verdict.reason,
          }),
        })
        return result.kind === "decided" ? this.#complete(result.claims, opened.connection) : []
      })
      answers.push(...settled)
    }
    return answers
  }

  /** What its grants say of it now. */
  #authorize({ approval, ask, connection }: OpenedApproval, at: number): Verdict {
    const { isOwnHost } = this.#ports
    return authorize(ask, connection, at, {
      ...(isOwnHost && { isOwnHost }),
      askKey: approval.ask,
      arrivedAt: approval.claim.receivedAt,
    })
  }

  async #complete(claims: readonly Claim[], connection: Connection): Promise<Answer[]> {
    const { complete, onFault } = this.#ports
    const answers: Answer[] = []
    for (const claim of claims) {
      try {
        const answer = await complete(claim, connection, claim.verdict)
        if (answer !== undefined) answers.push(answer)
      } catch (fault) {
        // It is decided and recorded: a restart does what failed here.
        onFault(fault)
      }
    }
    return answers
  }

  async #alike({ approval, connection, ask }: OpenedApproval): Promise<string[]> {
    const others = await this.#ports.record.approvals("pending", connection.id)
    const same = others.filter((other) => other.ask === approval.ask && other.id !== approval.id)
    const opened = await Promise.all(same.map((other) => this.#opened(other)))
    return opened.flatMap((other) => (other !== undefined && areAlike(ask, other.ask) ? [other.approval.id] : []))
  }

  async #opened(approval: Approval): Promise<OpenedApproval | undefined> {
    const { answerer } = this.#ports
    const connection = await this.#connectionOf(approval)
    if (connection === undefined) return undefined
    const { event, receivedAt } = approval.claim
    const parsed = parseRequest((await answerer.open(event, connection)) ?? "")
    const read = parsed.kind === "request" ? readAsk(parsed.request, connection.userPubkey, receivedAt) : undefined
    if (read?.kind !== "ask") return undefined
    const { ask } = read
    return { approval, connection, ask, scope: scopeOf(ask), digest: this.#digest(ask, connection) }
  }

  #digest(ask: Ask, { userPubkey }: Connection): string {
    const { crypto } = this.#ports
    if (ask.method === "sign_event") return crypto.eventId({ ...ask.template, pubkey: userPubkey })
    const words = "counterparty" in ask ? [ask.method, ask.counterparty, ask.text] : [ask.method]
    return bytesToHex(crypto.sha256(utf8ToBytes(JSON.stringify(words))))
  }

  async #connectionOf({ claim }: Approval): Promise<Connection | undefined> {
    const pubkey = claim.event.tags.find(([name]) => name === "p")?.[1]
    return pubkey === undefined ? undefined : this.#ports.record.connection(pubkey)
  }

  #grantOf(
    decision: OwnerDecision,
    { approval, ask, scope }: OpenedApproval,
    { at, isLate }: { at: number; isLate: boolean },
  ): Grant | undefined {
    const blank = newGrant(scope, this.#ports.crypto)
    if (decision.kind === "deny") return decision.block ? { ...blank, effect: "deny" } : undefined
    const { extent } = decision
    if (extent.kind === "always") return blank
    if (extent.kind === "for") return { ...blank, expiresAt: at + extent.seconds }
    if (!isLate) return undefined
    const conditions = { ask: approval.ask, ...(ask.method === "sign_event" && { near: ask.template.created_at }) }
    return { ...blank, conditions, usesLeft: 1, expiresAt: at + LATE_FOR }
  }

  #audit({ approval }: OpenedApproval, decision: OwnerDecision, at: number): AuditEntry {
    const isApproved = decision.kind === "approve"
    const how = isApproved ? HOW[decision.extent.kind] : decision.block ? "and not to be asked again" : "this once"
    return rowOf(approval, {
      at,
      actor: decision.by,
      action: isApproved ? "owner.approve" : "owner.deny",
      verdict: isApproved ? "allow" : "deny",
      why: `the owner ${isApproved ? "approved" : "denied"} ${approval.method}, ${how}`,
    })
  }

  #url(id: string): string | undefined {
    return this.#ports.approvalUrl?.(id)
  }
}

const DENIED: ClaimVerdict = { kind: "deny", reason: "the owner denied this" }
const HOW = { once: "this once", for: "for a time", always: "for good" }

/** The same words of the same kind, and so near in time that who saw the one has seen the other. */
function areAlike(one: Ask, other: Ask): boolean {
  if (one.method !== "sign_event" || other.method !== "sign_event") return one.method === other.method
  return Math.abs(one.template.created_at - other.template.created_at) <= ALIKE_WITHIN
}

function single({ id, claim }: Approval): Pick<DecisionEntry, "connectionId" | "ids" | "from"> {
  return { connectionId: claim.connectionId, ids: [id], from: "pending" }
}

function rowOf(
  { claim, param }: Approval,
  row: Pick<AuditEntry, "at" | "actor" | "action" | "verdict" | "why">,
): AuditEntry {
  return { ...row, connectionId: claim.connectionId, param, eventId: claim.eventId }
}

/** Whether its client is still the one that is bound, and is served. @param now unix seconds */
function isServed({ approval, connection }: OpenedApproval, now: number): boolean {
  const { kind } = standingOf(connection, approval.claim.event.pubkey, now)
  return kind === "live" && connection.state === "active"
}

function isLive({ state }: Connection): boolean {
  return state === "active" || state === "paused"
}
