import type { Migration } from "../migrations.js"

/** Keys, connections and grants, claims, the audit. */
export const initial: Migration = {
  version: 1,
  statements: ({ serial, bytes, integer }) => [
    `CREATE TABLE user_key (
      seq ${serial},
      name TEXT NOT NULL UNIQUE,
      pubkey TEXT NOT NULL UNIQUE,
      sealed ${bytes} NOT NULL,
      created_at ${integer} NOT NULL
    )`,
    `CREATE TABLE connection (
      seq ${serial},
      id TEXT NOT NULL UNIQUE,
      user_pubkey TEXT NOT NULL,
      remote_signer_pubkey TEXT NOT NULL UNIQUE,
      sealed_transport_key ${bytes} NOT NULL,
      client_pubkey TEXT,
      state TEXT NOT NULL CHECK (state IN ('offered', 'active', 'paused', 'revoked', 'logged_out')),
      secret_hash TEXT,
      secret_expires_at ${integer},
      expires_at ${integer},
      relays TEXT NOT NULL,
      client_relays TEXT NOT NULL,
      app TEXT NOT NULL,
      requested_perms TEXT NOT NULL,
      created_at ${integer} NOT NULL,
      last_used_at ${integer},
      revision ${integer} NOT NULL
    )`,
    `CREATE TABLE "grant" (
      connection_id TEXT NOT NULL REFERENCES connection (id),
      id TEXT NOT NULL,
      position ${integer} NOT NULL,
      method TEXT NOT NULL,
      param TEXT,
      effect TEXT NOT NULL CHECK (effect IN ('allow', 'deny')),
      expires_at ${integer},
      uses_left ${integer} CHECK (uses_left >= 0),
      PRIMARY KEY (connection_id, id)
    )`,
    `CREATE TABLE claim (
      seq ${serial},
      event_id TEXT NOT NULL UNIQUE,
      connection_id TEXT NOT NULL REFERENCES connection (id),
      repeat_key TEXT UNIQUE,
      event TEXT NOT NULL,
      created_at ${integer} NOT NULL,
      received_at ${integer} NOT NULL,
      verdict TEXT NOT NULL,
      answer TEXT,
      answered_at ${integer}
    )`,
    "CREATE INDEX claim_received ON claim (received_at)",
    "CREATE INDEX claim_unanswered ON claim (received_at) WHERE answered_at IS NULL",
    "CREATE INDEX claim_answered ON claim (answered_at) WHERE answer IS NOT NULL",
    `CREATE TABLE audit (
      writer TEXT NOT NULL,
      seq ${integer} NOT NULL,
      at ${integer} NOT NULL,
      actor TEXT NOT NULL,
      connection_id TEXT,
      action TEXT NOT NULL,
      param TEXT,
      verdict TEXT NOT NULL CHECK (verdict IN ('allow', 'ask', 'deny')),
      why TEXT NOT NULL,
      event_id TEXT,
      mac ${bytes} NOT NULL,
      PRIMARY KEY (writer, seq)
    )`,
    `CREATE TABLE audit_head (writer TEXT PRIMARY KEY, sealed ${bytes} NOT NULL)`,
    "CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
  ],
}
