import type { Migration } from "../migrations.js"

/** When a connection came to its end: so long after that its app is told why. */
export const endedAt: Migration = {
  version: 2,
  statements: ({ integer }) => [
    `ALTER TABLE connection ADD COLUMN ended_at ${integer}`,
    // Nothing is done on a connection after its end, so that its last audit row is that of the end.
    `UPDATE connection
      SET ended_at = COALESCE((SELECT MAX(at) FROM audit WHERE audit.connection_id = connection.id), created_at)
      WHERE state IN ('revoked', 'logged_out')`,
  ],
}
