import type { Migration } from "../migrations.js"

/** What is left to the owner, and what else a grant may depend on. */
export const approvals: Migration = {
  version: 4,
  statements: ({ serial, integer }) => [
    `ALTER TABLE connection ADD COLUMN style TEXT NOT NULL DEFAULT 'deny'
      CHECK (style IN ('auth_url', 'hold', 'deny'))`,
    `ALTER TABLE "grant" ADD COLUMN rate_uses ${integer}`,
    `ALTER TABLE "grant" ADD COLUMN rate_seconds ${integer}`,
    `ALTER TABLE "grant" ADD COLUMN recent_uses TEXT NOT NULL DEFAULT '[]'`,
    `ALTER TABLE "grant" ADD COLUMN conditions TEXT NOT NULL DEFAULT '{}'`,
    `CREATE TABLE approval (
      seq ${serial},
      id TEXT NOT NULL UNIQUE,
      event_id TEXT NOT NULL UNIQUE REFERENCES claim (event_id),
      connection_id TEXT NOT NULL REFERENCES connection (id),
      user_pubkey TEXT NOT NULL,
      received_at ${integer} NOT NULL,
      method TEXT NOT NULL,
      param TEXT,
      scope TEXT NOT NULL,
      ask TEXT NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'denied', 'expired')),
      deadline ${integer} NOT NULL,
      challenge TEXT,
      decided_at ${integer}
    )`,
    "CREATE INDEX approval_state ON approval (state, received_at)",
    "CREATE INDEX approval_connection ON approval (connection_id, state, received_at)",
    "CREATE INDEX approval_deadline ON approval (state, deadline)",
    "CREATE INDEX approval_key ON approval (user_pubkey, state)",
  ],
}
