import type { Approval, Connection, DecideOutcome, OpenedApproval, OwnerDecision, Scope } from "@casemate/nip46/signer"
import type { DecisionExtent, OwnerCalls, RequestDetail, RequestSummary } from "../../channel/owner-calls.js"
import { UserError } from "../../config/user-error.js"
import type { OwnerPorts } from "./ports.js"

const LISTED = 100
/** Of those that were too late, the last so many can be decided. */
const LATE_LISTED = 100
const CANDIDATES = 10

type Args<C extends keyof OwnerCalls> = OwnerCalls[C]["args"]
type Result<C extends keyof OwnerCalls> = Promise<OwnerCalls[C]["result"]>

export async function listRequests(
  { limit = LISTED }: Args<"requests.list">,
  ports: OwnerPorts,
): Result<"requests.list"> {
  const prompts = promptsOf(await openRequests(ports))
  return { total: prompts.length, requests: await summaries(prompts.slice(0, limit), ports) }
}

export async function showRequest({ id }: Args<"requests.show">, ports: OwnerPorts): Result<"requests.show"> {
  const request = await requestOf(id, ports)
  const opened = await ports.engine.approvals.open(request.approval.id)
  const [summary] = await summaries([{ ...request, count: 1 }], ports)
  if (opened === undefined) throw new UserError(GONE)
  if (summary === undefined) throw new UserError(GONE)
  const { digest, scope, connection } = opened
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
  const { approval } = await requestOf(id, ports)
  const opened = await ports.engine.approvals.open(approval.id)
  if (opened === undefined) throw new UserError(GONE)
  return opened.scope
}

const GONE = "this request was decided already, or it is over; `casemate requests list` shows those that wait"

/** @throws UserError when there is nothing to decide any more, or something else was shown */
async function decide(
  id: string,
  decision: OwnerDecision,
  ports: OwnerPorts,
): Promise<Extract<DecideOutcome, { kind: "decided" | "late" }>> {
  const { approval } = await requestOf(id, ports)
  const deciding = ports.engine.approvals.decide(approval.id, decision)
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
async function requestOf(prefix: string, ports: OwnerPorts): Promise<OpenRequest> {
  const [found, ...others] = (await openRequests(ports)).filter(({ approval }) => approval.id.startsWith(prefix))
  if (found === undefined) {
    throw new UserError(`no request that waits has the id ${prefix}; \`casemate requests list\` shows those that do`)
  }
  if (others.length > 0) {
    const ids = [found, ...others].slice(0, CANDIDATES).map(({ approval }) => approval.id)
    throw new UserError(`several requests have ids that begin with ${prefix}: ${ids.join(", ")}; give more of it`)
  }
  return found
}

interface OpenRequest {
  readonly approval: Approval
  readonly connection: Connection
}

/** Those that wait, oldest first, then those that were too late. */
async function openRequests({ engine, record }: OwnerPorts): Promise<readonly OpenRequest[]> {
  const pending = await engine.approvals.waiting()
  const late = await engine.approvals.late(LATE_LISTED)
  const connections = new Map((await record.connections()).map((connection) => [connection.id, connection]))
  return [...pending, ...late].flatMap((approval) => {
    const connection = connections.get(approval.claim.connectionId)
    // What an app asked for that is shut out is nobody's to decide.
    return connection?.state === "active" ? [{ approval, connection }] : []
  })
}

interface Prompt extends OpenRequest {
  readonly count: number
}

/** One for each scope of an app: a flood of the same must not hide what others ask for. */
function promptsOf(requests: readonly OpenRequest[]): Prompt[] {
  const prompts = new Map<string, Prompt>()
  for (const request of requests) {
    const { state, scope, claim } = request.approval
    const key = JSON.stringify([state, claim.connectionId, scope])
    const known = prompts.get(key)
    prompts.set(key, { ...(known ?? request), count: (known?.count ?? 0) + 1 })
  }
  return [...prompts.values()]
}

async function summaries(prompts: readonly Prompt[], { record }: OwnerPorts): Promise<RequestSummary[]> {
  const names = new Map((await record.userKeys()).map(({ name, pubkey }) => [pubkey, name]))
  return prompts.map(({ approval, connection, count }) => ({
    id: approval.id,
    count,
    app: { id: connection.id, name: connection.app.name ?? "" },
    key: names.get(connection.userPubkey) ?? "",
    method: approval.method,
    param: approval.param,
    state: approval.state === "expired" ? "expired" : "pending",
    askedAt: approval.claim.receivedAt,
    deadline: approval.deadline,
  }))
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
