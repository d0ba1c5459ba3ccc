import { createHmac } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Connection } from "@casemate/nip46/signer"
import { createFixtures } from "@casemate/nip46/testing"
import BetterSqlite from "better-sqlite3"
import { afterEach, beforeEach } from "vitest"
import type { AuditSeal, Record } from "../../src/keyd/record/record.js"
import { openSqliteRecord, type SqliteRecordOptions } from "../../src/keyd/record/sqlite-record.js"

/** Seals with a plain MAC: what the record needs of a vault, and quick. */
export function createSeal(key: string): AuditSeal {
  const mac = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHmac("sha256", key).update(bytes).digest())
  const headMac = (writer: string, head: Uint8Array) => mac(Buffer.concat([Buffer.from(writer), head]))
  return {
    mac,
    sealHead: (writer, head) => Buffer.concat([headMac(writer, head), head]),
    openHead(writer, sealed) {
      const head = sealed.subarray(32)
      if (Buffer.compare(headMac(writer, head), sealed.subarray(0, 32)) !== 0) throw new Error("not sealed here")
      return head
    },
  }
}

export const seal = createSeal("one")

/** The folder of the test that runs, and the database in it. */
export let folder: string
export let path: string

/** A folder for each test of a file, and nothing of it left afterwards. */
export function useRecordBench(): void {
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "casemate-record-"))
    path = join(folder, "record.db")
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))
}

export function open({ at = path, ...options }: Partial<SqliteRecordOptions> & { at?: string } = {}): Record {
  return openSqliteRecord(at, { seal, ...options })
}

/** A record with an active connection in it. */
export async function withConnection(record: Record, fields: Partial<Connection> = {}): Promise<Connection> {
  const fixtures = createFixtures()
  const connection = fixtures.active(fields)
  await record.createConnection(connection, fixtures.audit())
  return connection
}

/** What an attacker with the file can do. */
export function tamper(sql: string): void {
  const db = new BetterSqlite(path)
  db.exec(sql)
  db.close()
}
