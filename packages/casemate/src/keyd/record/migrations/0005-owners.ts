import type { Migration } from "../migrations.js"

/** Who may decide in a browser, and what was signed last of each kind of which relays keep one. */
export const owners: Migration = {
  version: 5,
  statements: ({ serial, integer, bytes }) => [
    `CREATE TABLE owner (
      seq ${serial},
      id TEXT NOT NULL UNIQUE,
      name TEXT NOT NULL,
      name_key TEXT NOT NULL UNIQUE,
      created_at ${integer} NOT NULL,
      password_hash TEXT,
      sealed_totp ${bytes},
      totp_step ${integer} NOT NULL DEFAULT 0,
      CHECK ((password_hash IS NULL) = (sealed_totp IS NULL))
    )`,
    `CREATE TABLE owner_passkey (
      seq ${serial},
      id TEXT NOT NULL UNIQUE,
      owner_id TEXT NOT NULL REFERENCES owner (id),
      public_key ${bytes} NOT NULL,
      counter ${integer} NOT NULL,
      transports TEXT NOT NULL,
      rp_id TEXT NOT NULL,
      label TEXT NOT NULL,
      created_at ${integer} NOT NULL,
      last_used_at ${integer}
    )`,
    "CREATE INDEX owner_passkey_owner ON owner_passkey (owner_id)",
    `CREATE TABLE owner_code (
      hash TEXT NOT NULL PRIMARY KEY,
      owner_id TEXT NOT NULL REFERENCES owner (id)
    )`,
    "CREATE INDEX owner_code_owner ON owner_code (owner_id)",
    `CREATE TABLE owner_session (
      seq ${serial},
      hash TEXT NOT NULL UNIQUE,
      owner_id TEXT NOT NULL REFERENCES owner (id),
      signed_in_by TEXT NOT NULL CHECK (signed_in_by IN ('passkey', 'password', 'recovery', 'invitation')),
      created_at ${integer} NOT NULL,
      expires_at ${integer} NOT NULL
    )`,
    "CREATE INDEX owner_session_owner ON owner_session (owner_id)",
    "CREATE INDEX owner_session_expires ON owner_session (expires_at)",
    `CREATE TABLE owner_invitation (
      hash TEXT NOT NULL PRIMARY KEY,
      created_at ${integer} NOT NULL,
      expires_at ${integer} NOT NULL
    )`,
    "CREATE INDEX owner_invitation_expires ON owner_invitation (expires_at)",
    `CREATE TABLE last_signed (
      seq ${serial},
      slot TEXT NOT NULL UNIQUE,
      user_pubkey TEXT NOT NULL,
      created_at ${integer} NOT NULL,
      sealed ${bytes} NOT NULL
    )`,
    "CREATE INDEX last_signed_key ON last_signed (user_pubkey)",
  ],
}
