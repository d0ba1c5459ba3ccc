import type { SignerRecord } from "../signer/ports.js"
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

export interface RecordCheck {
  readonly title: string
  /** Needs `reopen`. */
  readonly durable?: true
  run(subject: RecordSubject, fixtures: Fixtures): Promise<void>
}

/** For checks that are marked durable. */
export async function reopened(subject: RecordSubject): Promise<SignerRecord> {
  if (subject.reopen === undefined) throw new Error("this check is for durable records: give the subject a reopen()")
  return await subject.reopen()
}
