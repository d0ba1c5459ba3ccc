import { approvalChecks } from "./record-approval-checks.js"
import { claimChecks } from "./record-claim-checks.js"
import { connectionChecks } from "./record-connection-checks.js"
import { decisionChecks } from "./record-decision-checks.js"
import { createFixtures } from "./record-fixtures.js"
import { modelChecks } from "./record-model-checks.js"
import { purgeChecks } from "./record-purge-checks.js"
import type { RecordCheck, RecordSubject } from "./record-subject.js"
import { termsChecks } from "./record-terms-checks.js"

/** The contract of `SignerRecord`, one named check each. */
export const recordChecks: readonly RecordCheck[] = [
  ...connectionChecks,
  ...termsChecks,
  ...claimChecks,
  ...approvalChecks,
  ...decisionChecks,
  ...purgeChecks,
  ...modelChecks,
]

export interface RecordSuiteOptions {
  /** `test` or `it` of vitest, node:test, jest, Deno. */
  readonly test: (title: string, run: () => Promise<void>) => unknown
  /** A fresh, empty record for each check. */
  readonly create: () => Promise<RecordSubject> | RecordSubject
  /** True for records that outlive the process: their subjects must have `reopen`. */
  readonly durable: boolean
}

/**
 * Registers every check with a test runner.
 *
 * @example
 * import { test } from "node:test"
 * recordSuite({ test, durable: false, create: () => ({ record: createMemoryRecord(), close() {} }) })
 */
export function recordSuite({ test, create, durable }: RecordSuiteOptions): void {
  for (const check of recordChecks) {
    if (check.durable === true && !durable) continue
    test(check.title, async () => {
      const subject = await create()
      try {
        await check.run(subject, createFixtures())
      } finally {
        await subject.close()
      }
    })
  }
}
