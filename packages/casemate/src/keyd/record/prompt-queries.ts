import { type Kysely, sql } from "kysely"
import { query } from "./query.js"
import type { ApprovalTable, Tables } from "./schema.js"

/** What an owner is to decide, without the requests themselves: thousands may wait, and each may be long. */
export function promptQueries(db: Kysely<Tables>) {
  const ofActive = db
    .selectFrom("approval")
    .innerJoin("connection", "connection.id", "approval.connection_id")
    .where("connection.state", "=", sql.lit("active"))
  const prompts = ofActive
    .where("approval.state", "=", sql.lit("pending"))
    .select((column) => [column.fn.min("approval.seq").as("first"), column.fn.countAll<number>().as("count")])
    .groupBy(["approval.connection_id", "approval.scope"])
  return {
    prompts: query<{ limit: number }>()((p) =>
      db
        .selectFrom(prompts.as("prompt"))
        .innerJoin("approval", "approval.seq", "prompt.first")
        .select(["count", "id", "connection_id", "method", "param", "state", "received_at", "deadline"])
        .orderBy("received_at")
        .orderBy("first")
        .limit(p.limit),
    ),
    promptCount: query<Record<never, never>>()(() =>
      db.selectFrom(prompts.as("prompt")).select((column) => column.fn.countAll<number>().as("count")),
    ),
    /** `after`: of those that were too late, only with a later deadline. */
    openApprovals: query<{ from: string; to: string; after: number; limit: number }>()((p) =>
      ofActive
        .select("approval.id")
        .where("approval.id", ">=", p.from)
        .where("approval.id", "<", p.to)
        .where((is) =>
          is.or([
            is("approval.state", "=", sql.lit("pending")),
            is.and([is("approval.state", "=", sql.lit("expired")), is("approval.deadline", ">", p.after)]),
          ]),
        )
        .orderBy("approval.id")
        .limit(p.limit),
    ),
  }
}

export type PromptRow = Pick<
  ApprovalTable,
  "id" | "connection_id" | "method" | "param" | "state" | "received_at" | "deadline"
> & { count: number }
