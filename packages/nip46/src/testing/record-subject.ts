import type { ApprovalState, SignerRecord } from "../signer/ports.js"
import { equal } from "./assert.js"
import type { Fixtures } from "./record-fixtures.js"

/** A record under test, empty and with its own storage. */
export interface RecordSubject {
  readonly record: SignerRecord
  /** For durable records: end the one in use as a restart would, and open what is stored again. */
  reopen?(): Promise<SignerRecord>
  /** How many audit rows there are, where the record can tell: checks that a refused commit leaves none. */
  auditCount?(): Promise<number>
  close(): Promise<void> | void
}

const APPROVAL_STATES: readonly ApprovalState[] = ["pending", "approved", "denied", "expired"]

export interface RecordCheck {
  readonly title: string
  /** Needs `reopen`. */
  readonly durable?: true
  run(subject: RecordSubject, fixtures: Fixtures): Promise<void>
}

/** All that can be read of what is stored, but for claims that were answered and purged. */
export async function everything(record: SignerRecord): Promise<unknown[]> {
  const claims = [await record.unanswered(), await record.answeredSince(0)]
  const approvals = await Promise.all(APPROVAL_STATES.map((state) => record.approvals(state)))
  return [await record.connections(), claims, approvals]
}

/** Whatever came of it, nothing that is stored changed. */
export async function unchanged<T>(
  { record, auditCount }: Pick<RecordSubject, "record" | "auditCount">,
  work: () => Promise<T>,
): Promise<T> {
  const read = async () => [await everything(record), await auditCount?.()]
  const before = await read()
  const result = await work()
  equal(await read(), before, "what is stored")
  return result
}

/** For checks that are marked durable. */
export async function reopened(subject: RecordSubject): Promise<SignerRecord> {
  if (subject.reopen === undefined) throw new Error("this check is for durable records: give the subject a reopen()")
  return await subject.reopen()
}
