import {
  type Approval,
  type DecideOutcome,
  LATE_FOR,
  type OpenedApproval,
  type OwnerDecision,
  type Scope,
} from "@casemate/nip46/signer"
import type { DecisionExtent, OwnerCalls, RequestDetail, RequestSummary } from "../../channel/owner-calls.js"
import { UserError } from "../../config/user-error.js"
import type { Prompt } from "../record/owners-record.js"
import type { OwnerPorts } from "./ports.js"

const LISTED = 100
/** Of those that were too late, the last so many can be decided. */
const LATE_LISTED = 100

type Args<C extends keyof OwnerCalls> = OwnerCalls[C]["args"]
type Result<C extends keyof OwnerCalls> = Promise<OwnerCalls[C]["result"]>

export async function listRequests(
  { limit = LISTED }: Args<"requests.list">,
  ports: OwnerPorts,
): Result<"requests.list"> {
  const { total, prompts } = await ports.record.prompts(limit)
  const late = await summaries(latePrompts(await ports.engine.approvals.late(LATE_LISTED)), ports)
  const requests = [...(await summaries(prompts, ports)), ...late]
  return { total: total + late.length, requests: requests.slice(0, limit) }
}

export async function showRequest({ id }: Args<"requests.show">, ports: OwnerPorts): Result<"requests.show"> {
  const opened = await openedOf(id, ports)
  const { digest, scope, connection } = opened
  const [summary] = await summaries([promptOf(opened.approval)], ports)
  if (summary === undefined) throw new UserError(GONE)
  const asks = await asksOf(opened, ports)
  return { ...summary, digest, scope, userPubkey: connection.userPubkey, asks }
}

export async function approveRequest(
  { id, digest, extent }: Args<"requests.approve">,
  ports: OwnerPorts,
): Result<"requests.approve"> {
  const outcome = await decide(id, { kind: "approve", extent: toExtent(extent), digest, by: ports.actor }, ports)
  return { served: outcome.kind === "decided" ? outcome.count : 0, isLate: outcome.kind === "late" }
}

export async function denyRequest(
  { id, digest, block }: Args<"requests.deny">,
  ports: OwnerPorts,
): Result<"requests.deny"> {
  const outcome = await decide(id, { kind: "deny", block, digest, by: ports.actor }, ports)
  return { isLate: outcome.kind === "late" }
}

/** What an approval for a time or always would cover. @throws UserError when there is nothing to decide */
export async function scopeOfRequest({ id }: Pick<Args<"requests.approve">, "id">, ports: OwnerPorts): Promise<Scope> {
  return (await openedOf(id, ports)).scope
}

const GONE = "this request was decided already, or it is over; `casemate requests list` shows those that wait"

/** @throws UserError when there is nothing to decide any more, or something else was shown */
async function decide(
  id: string,
  decision: OwnerDecision,
  ports: OwnerPorts,
): Promise<Extract<DecideOutcome, { kind: "decided" | "late" }>> {
  const deciding = ports.engine.approvals.decide(await idOf(id, ports), decision)
  await ports.door.publishAll(deciding.then((outcome) => ("answers" in outcome ? outcome.answers : [])))
  const outcome = await deciding
  switch (outcome.kind) {
    case "gone":
      throw new UserError(GONE)
    case "denied":
      throw new UserError(`nothing was decided: ${outcome.reason}; \`casemate apps ungrant\` takes that back`)
    case "mismatch":
      throw new UserError("this is not the request that was shown to you, so nothing was decided; look at it again")
    case "decided":
    case "late":
      return outcome
  }
}

/** @throws UserError when no request that is open has an id that begins so, or several have */
async function idOf(prefix: string, { record, now }: OwnerPorts): Promise<string> {
  const [id, ...others] = await record.findApprovals(prefix, now() - LATE_FOR)
  if (id === undefined) {
    throw new UserError(`no request that waits has the id ${prefix}; \`casemate requests list\` shows those that do`)
  }
  if (others.length > 0) {
    throw new UserError(
      `several requests have ids that begin with ${prefix}: ${[id, ...others].join(", ")}; give more of it`,
    )
  }
  return id
}

async function openedOf(prefix: string, ports: OwnerPorts): Promise<OpenedApproval> {
  const opened = await ports.engine.approvals.open(await idOf(prefix, ports))
  if (opened === undefined) throw new UserError(GONE)
  return opened
}

/** One for each scope of an app, as the record has it for those that wait. */
function latePrompts(late: readonly Approval[]): Prompt[] {
  const prompts = new Map<string, Prompt>()
  for (const approval of late) {
    const key = JSON.stringify([approval.claim.connectionId, approval.scope])
    const known = prompts.get(key)
    prompts.set(key, known === undefined ? promptOf(approval) : { ...known, count: known.count + 1 })
  }
  return [...prompts.values()]
}

function promptOf({ id, claim, method, param, state, deadline }: Approval): Prompt {
  const { connectionId, receivedAt } = claim
  return { id, count: 1, connectionId, method, param, state, receivedAt, deadline }
}

/** Without those of apps that are shut out: what they asked for is nobody's to decide. */
async function summaries(prompts: readonly Prompt[], { record }: OwnerPorts): Promise<RequestSummary[]> {
  if (prompts.length === 0) return []
  const names = new Map((await record.userKeys()).map(({ name, pubkey }) => [pubkey, name]))
  const connections = new Map((await record.connections()).map((connection) => [connection.id, connection]))
  return prompts.flatMap(({ connectionId, receivedAt, state, ...prompt }) => {
    const connection = connections.get(connectionId)
    if (connection?.state !== "active") return []
    const { id, app, userPubkey } = connection
    return {
      ...prompt,
      app: { id, name: app.name ?? "" },
      key: names.get(userPubkey) ?? "",
      state: state === "expired" ? "expired" : "pending",
      askedAt: receivedAt,
    }
  })
}

async function asksOf({ ask, connection }: OpenedApproval, { signed }: OwnerPorts): Promise<RequestDetail["asks"]> {
  if (ask.method === "sign_event") {
    const { kind, content, tags, created_at: createdAt } = ask.template
    const previous = await signed.last({ kind, tags, pubkey: connection.userPubkey })
    return { method: ask.method, kind, content, tags, createdAt, ...(previous && { previous }) }
  }
  if ("counterparty" in ask) return { method: ask.method, counterparty: ask.counterparty, text: ask.text }
  throw new UserError(GONE)
}

function toExtent(extent: DecisionExtent): Extract<OwnerDecision, { kind: "approve" }>["extent"] {
  return typeof extent === "string" ? { kind: extent } : { kind: "for", seconds: extent.seconds }
}
