import type { Migration } from "../migrations.js"

/** What a nostrconnect:// connection needs beside, and the switch for NIP-04 as transport encryption. */
export const nostrconnectAndNip04: Migration = {
  version: 3,
  statements: ({ integer }) => [
    "ALTER TABLE connection ADD COLUMN guarded_relays TEXT NOT NULL DEFAULT '[]'",
    "ALTER TABLE connection ADD COLUMN connect_response TEXT",
    `ALTER TABLE connection ADD COLUMN nip04_transport ${integer} NOT NULL DEFAULT 0`,
  ],
}
