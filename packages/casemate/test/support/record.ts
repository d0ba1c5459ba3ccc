import { join } from "node:path"
import { createNodeBackend } from "@casemate/nip46/crypto/node"
import BetterSqlite from "better-sqlite3"
import { RECORD_FILE } from "../../src/config/folders.js"
import type { AuditVerdict, Record } from "../../src/keyd/record/record.js"
import { openSqliteRecord } from "../../src/keyd/record/sqlite-record.js"
import { loadRootKey } from "../../src/keyd/vault/root-key.js"
import { Vault } from "../../src/keyd/vault/vault.js"
import type { Folders } from "./bunker.js"

export interface AuditLine {
  readonly seq: number
  readonly actor: string
  readonly action: string
  readonly param: string | null
  readonly verdict: string
  readonly why: string
  readonly event_id: string | null
  readonly connection_id: string | null
}

/** What SQLite says, past our own code. A bunker may be running. */
export function readAudit(folders: Folders): AuditLine[] {
  return select<AuditLine>(
    folders,
    "SELECT seq, actor, action, param, verdict, why, event_id, connection_id FROM audit ORDER BY seq",
  )
}

export function select<T>(folders: Folders, sql: string): T[] {
  const db = new BetterSqlite(join(folders.data, RECORD_FILE), { readonly: true, timeout: 5_000 })
  try {
    return db.prepare(sql).all() as T[]
  } finally {
    db.close()
  }
}

/**
 * Lets so many seconds pass for all that is granted for a time. keyd keeps what it has read: it must be started anew.
 * A clock that is moved would move for the apps too, or tell them that theirs is wrong.
 */
export function passTime(folders: Folders, seconds: number): void {
  const db = new BetterSqlite(join(folders.data, RECORD_FILE), { timeout: 5_000 })
  try {
    db.prepare('UPDATE "grant" SET expires_at = expires_at - ?').run(seconds)
  } finally {
    db.close()
  }
}

/** Walks the audit chain of a bunker that has stopped, with its root key. */
export function verifyAudit(folders: Folders): Promise<AuditVerdict> {
  return withRecord(folders, (record) => record.verifyAudit())
}

/** The record of a bunker that has stopped, opened with its root key. */
export async function withRecord<T>(folders: Folders, work: (record: Record) => Promise<T>): Promise<T> {
  const crypto = createNodeBackend()
  const { rootKey, vaultId } = loadRootKey({
    dataDir: folders.data,
    configDir: folders.config,
    sealedFile: RECORD_FILE,
    randomBytes: (length) => crypto.randomBytes(length),
  })
  const vault = new Vault({ rootKey, vaultId, crypto, loadUserKey: async () => undefined })
  const record = openSqliteRecord(join(folders.data, RECORD_FILE), {
    seal: {
      mac: (bytes) => vault.auditMac(bytes),
      sealHead: (writer, head) => vault.sealAuditHead(writer, head),
      openHead: (writer, sealed) => vault.openAuditHead(writer, sealed),
    },
  })
  try {
    return await work(record)
  } finally {
    await record.close()
    vault.close()
  }
}
