import { existsSync, statSync } from "node:fs"
import { dirname } from "node:path"
import { setImmediate as turn } from "node:timers/promises"
import type { NostrEvent } from "@casemate/nip46/protocol"
import { Nip46Error } from "@casemate/nip46/protocol"
import type {
  Approval,
  ApprovalState,
  AuditEntry,
  Claim,
  ClaimEntry,
  CommitResult,
  Connection,
  DecideResult,
  DecisionEntry,
  Recall,
  Terms,
} from "@casemate/nip46/signer"
import { UserError } from "../../config/user-error.js"
import { ChainWalk, decodeHead, doubtOf, encodeHead, GENESIS, type Link } from "./audit-chain.js"
import { GroupCommit, type Work } from "./group-commit.js"
import { migrate } from "./migrations.js"
import { OwnerWrites } from "./owner-writes.js"
import { buildQueries, type ClaimRow, type ConnectionRow, type GrantRow, type Queries } from "./queries.js"
import type {
  AddUserKeyResult,
  AuditHead,
  AuditQuery,
  AuditRow,
  AuditSeal,
  AuditVerdict,
  FindConnectionResult,
  Record,
  RemoveUserKeyResult,
  RenameUserKeyResult,
  UserKey,
} from "./record.js"
import { createRecordFile, emptied } from "./record-file.js"
import { toApproval, toAuditRow, toClaim, toConnection, toUserKey } from "./rows.js"
import { damaged, isDamage, isStorageDown, openSqlite, type SqliteDatabase, sqliteCompiler } from "./sqlite.js"
import { SqliteOwners } from "./sqlite-owners.js"
import { prepareAll, type Statements } from "./statements.js"
import { type Draft, FLOOR, recall, WRITER, Writes } from "./writes.js"

const VERIFY_PAGE = 1_000
const CANDIDATES = 10
/** About 20 ms of work. */
const PURGE_SLICE = 500

export interface SqliteRecordOptions {
  readonly seal: AuditSeal
  /** Called after each committed transaction with the number of writes in it. */
  readonly onCommit?: (writes: number) => void
  /** Told once, as it opens, when the end of the audit chain is not the one that was sealed. */
  readonly onBrokenAudit?: (why: string) => void
}

/**
 * Opens or creates the record in a file. The caller holds the lock of the data folder.
 *
 * @throws UserError when the file cannot be opened, is of a newer schema, belongs to another root key, or was
 * emptied: it is made whole, so one without a schema had its keys, and nothing is put in their place
 */
export function openSqliteRecord(file: string, options: SqliteRecordOptions): Record {
  if (!existsSync(file)) createRecordFile(file, (db) => migrateRecord(db, buildQueries(sqliteCompiler()), options))
  if (statSync(file).size === 0) throw emptied(file, "is empty")
  const db = openSqlite(file)
  try {
    if (db.schemaVersion() === 0) throw emptied(file, "holds nothing of casemate's")
    return createSqliteRecord(db, options)
  } catch (error) {
    db.close()
    throw isDamage(error) ? damaged(file, error) : error
  }
}

/** The same over a database that is open already; the record closes it. */
export function createSqliteRecord(db: SqliteDatabase, options: SqliteRecordOptions): Record {
  const queries = buildQueries(sqliteCompiler())
  migrateRecord(db, queries, options)
  return new SqliteRecord(db, prepareAll(db, queries), options)
}

function migrateRecord(db: SqliteDatabase, queries: Queries, { seal }: SqliteRecordOptions): void {
  migrate(db, {
    seed: () =>
      void db.prepare(queries.setAuditHead).run({ writer: WRITER, sealed: seal.sealHead(WRITER, encodeHead(GENESIS)) }),
  })
}

/**
 * Reads see what is committed. One exception: `recall` also sees answers that wait for the next commit,
 * because they are published already and a repeat shall get the same one.
 */
class SqliteRecord extends SqliteOwners implements Record {
  protected readonly sql: Statements
  protected readonly ownerWrites: OwnerWrites
  readonly #db: SqliteDatabase
  readonly #seal: AuditSeal
  readonly #onCommit: SqliteRecordOptions["onCommit"]
  readonly #writes: Writes
  readonly #commits: GroupCommit<Draft>
  readonly #answers = new Map<string, NostrEvent>()
  /** By remote-signer-pubkey; nobody but this object writes the database. */
  readonly #connections = new Map<string, Connection>()
  #head: Link
  #floor: number
  #closed = false

  constructor(db: SqliteDatabase, statements: Statements, options: SqliteRecordOptions) {
    super()
    const { seal, onCommit } = options
    this.#db = db
    this.sql = statements
    this.#seal = seal
    this.#onCommit = onCommit
    this.#writes = new Writes(statements, seal)
    this.ownerWrites = new OwnerWrites(statements, (draft, audit) => this.#writes.note(draft, audit))
    this.#commits = new GroupCommit({
      run: (works) => this.#transaction(works),
      isHopeless: isStorageDown,
      toError: (error) => failed("committed", error),
    })
    const head = this.#storedHead()
    if (head === undefined) {
      throw new UserError(
        `the audit head in ${db.name} is missing or does not open with this root key: put back the root key that belongs to it, or a backup of the record`,
      )
    }
    const last = statements.lastAudit.all({ writer: WRITER, limit: 1 })[0]
    if (last === undefined && (head.seq > 0 || this.#holdsAnything())) {
      throw new UserError(
        `the audit of ${db.name} was emptied, so nobody can say what happened to the keys in it: put the file back from your backup, or move ${dirname(db.name)} away to start anew with a new key`,
      )
    }
    const doubt = doubtOf(head, last ?? GENESIS)
    if (doubt !== undefined) options.onBrokenAudit?.(doubt)
    // Rows that somebody appended are not overwritten: verifying names them, and the chain goes on after them.
    this.#head = { ...head, seq: Math.max(head.seq, last?.seq ?? 0) }
    this.#floor = Number(statements.setting.get({ name: FLOOR })?.value ?? -1)
  }

  createConnection(connection: Connection, audit: AuditEntry): Promise<void> {
    return this.write((draft) => this.#writes.createConnection(draft, connection, audit))
  }

  async connection(remoteSignerPubkey: string): Promise<Connection | undefined> {
    const cached = this.#connections.get(remoteSignerPubkey)
    if (cached !== undefined && !this.#closed) return cached
    return this.read(() => {
      const row = this.sql.connectionByKey.get({ remote_signer_pubkey: remoteSignerPubkey })
      if (row === undefined) return undefined
      const connection = this.#withGrants(row)
      this.#connections.set(remoteSignerPubkey, connection)
      return connection
    })
  }

  async connections(): Promise<readonly Connection[]> {
    return this.read(() => {
      const grants = new Map<string, GrantRow[]>()
      for (const grant of this.sql.grants.all({})) {
        const siblings = grants.get(grant.connection_id)
        if (siblings === undefined) grants.set(grant.connection_id, [grant])
        else siblings.push(grant)
      }
      return this.sql.connections.all({}).map((row) => toConnection(row, grants.get(row.id) ?? []))
    })
  }

  setState(id: string, state: "active" | "paused" | "revoked", audit: AuditEntry): Promise<boolean> {
    return this.write((draft) => this.#writes.setState(draft, id, state, audit))
  }

  setNip04Transport(id: string, allowed: boolean, audit: AuditEntry): Promise<boolean> {
    return this.write((draft) => this.#writes.setNip04Transport(draft, id, allowed, audit))
  }

  setTerms(id: string, terms: Terms, audit: AuditEntry): Promise<boolean> {
    return this.write((draft) => this.#writes.setTerms(draft, id, terms, audit))
  }

  async recall(eventId: string, repeatKey: string, createdAt: number): Promise<Recall> {
    return this.read(() =>
      recall(this.sql, this.#floor, eventId, repeatKey, createdAt, (row) => this.#withWaitingAnswer(row)),
    )
  }

  commit(entry: ClaimEntry): Promise<CommitResult> {
    return this.write((draft) => this.#writes.commit(draft, entry))
  }

  async answer(eventId: string, answer: NostrEvent): Promise<void> {
    this.#answers.set(eventId, answer)
    try {
      await this.write(() => this.#writes.answer(eventId, answer), { lazy: true })
    } finally {
      if (this.#answers.get(eventId) === answer) this.#answers.delete(eventId)
    }
  }

  async approvals(state: ApprovalState, connectionId?: string): Promise<readonly Approval[]> {
    return this.read(() => {
      const rows =
        connectionId === undefined
          ? this.sql.approvals.all({ state })
          : this.sql.approvalsOf.all({ state, connection_id: connectionId })
      return rows.map(toApproval)
    })
  }

  async dueApprovals(at: number): Promise<readonly Approval[]> {
    return this.read(() => this.sql.dueApprovals.all({ at }).map(toApproval))
  }

  async lateApprovals(after: number, limit: number): Promise<readonly Approval[]> {
    return this.read(() => this.sql.lateApprovals.all({ after, limit }).map(toApproval))
  }

  async approval(id: string): Promise<Approval | undefined> {
    return this.read(() => {
      const row = this.sql.approvalById.get({ id })
      return row === undefined ? undefined : toApproval(row)
    })
  }

  challenge(id: string, challenge: NostrEvent): Promise<void> {
    return this.write(() => this.#writes.challenge(id, challenge))
  }

  decide(entry: DecisionEntry): Promise<DecideResult> {
    return this.write((draft) => this.#writes.decide(draft, entry))
  }

  async unanswered(): Promise<readonly Claim[]> {
    this.#commits.flush()
    return this.read(() => this.sql.unanswered.all({}).map(toClaim)).filter(({ verdict }) => verdict.kind !== "ask")
  }

  async answeredSince(at: number): Promise<readonly Claim[]> {
    this.#commits.flush()
    return this.read(() => this.sql.answeredSince.all({ at }).map(toClaim))
  }

  async purge(now: number): Promise<void> {
    while (await this.write((draft) => this.#writes.purge(draft, now, PURGE_SLICE))) {
      // Whoever came meanwhile is in the same transactions.
    }
  }

  addUserKey(key: UserKey, audit: AuditEntry): Promise<AddUserKeyResult> {
    return this.write((draft) => this.#writes.addUserKey(draft, key, audit))
  }

  renameUserKey(pubkey: string, name: string, audit: AuditEntry): Promise<RenameUserKeyResult> {
    return this.write((draft) => this.#writes.renameUserKey(draft, pubkey, name, audit))
  }

  async removeUserKey(pubkey: string, audit: AuditEntry): Promise<RemoveUserKeyResult> {
    const result = await this.write((draft) => this.#writes.removeUserKey(draft, pubkey, audit))
    if (result.kind === "removed") this.emptyLog()
    return result
  }

  async userKeys(): Promise<readonly UserKey[]> {
    return this.read(() => this.sql.userKeys.all({}).map(toUserKey))
  }

  async userKey(pubkeyOrName: string): Promise<UserKey | undefined> {
    return this.read(() => {
      const row =
        this.sql.userKeyByPubkey.get({ pubkey: pubkeyOrName }) ?? this.sql.userKeyByName.get({ name: pubkeyOrName })
      return row === undefined ? undefined : toUserKey(row)
    })
  }

  async findConnection(idOrPrefix: string): Promise<FindConnectionResult> {
    return this.read(() => {
      const exact = this.sql.connectionById.get({ id: idOrPrefix })
      if (exact !== undefined) return { kind: "found", connection: this.#withGrants(exact) }
      const rows = this.sql.connectionsByPrefix.all({ prefix: idOrPrefix, limit: CANDIDATES })
      const [first, second] = rows
      if (first === undefined || idOrPrefix === "") return { kind: "none" }
      if (second === undefined) return { kind: "found", connection: this.#withGrants(first) }
      return { kind: "ambiguous", ids: rows.map((row) => row.id) }
    })
  }

  note(audit: AuditEntry): Promise<void> {
    return this.write((draft) => this.#writes.note(draft, audit))
  }

  async audit({ after, limit }: AuditQuery): Promise<readonly AuditRow[]> {
    return this.read(() => {
      const rows =
        after === undefined
          ? this.sql.lastAudit.all({ writer: WRITER, limit }).reverse()
          : this.sql.auditAfter.all({ writer: WRITER, after, limit })
      return rows.map(toAuditRow)
    })
  }

  async verifyAudit(expected?: AuditHead): Promise<AuditVerdict> {
    const walk = new ChainWalk(this.#seal, expected)
    for (let after = Number.MIN_SAFE_INTEGER; ; ) {
      const page = this.read(() => this.sql.auditAfter.all({ writer: WRITER, after, limit: VERIFY_PAGE }))
      for (const row of page) walk.step(row)
      // The head is read in the turn of the last page: a commit between them would look like tampering.
      if (page.length < VERIFY_PAGE || walk.broken !== undefined) return walk.end(this.read(() => this.#storedHead()))
      after = page.at(-1)?.seq ?? after
      await turn()
    }
  }

  async setting(name: string): Promise<string | undefined> {
    return this.read(() => this.sql.setting.get({ name })?.value)
  }

  setSetting(name: string, value: string): Promise<void> {
    return this.write(() => this.#writes.setSetting(name, value))
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#commits.flush()
    this.#closed = true
    this.#db.close()
  }

  protected async write<T>(work: (draft: Draft) => T, options?: { lazy: boolean }): Promise<T> {
    if (this.#closed) throw closed()
    return await this.#commits.write(work, options)
  }

  protected read<T>(work: () => T): T {
    if (this.#closed) throw closed()
    try {
      return work()
    } catch (error) {
      throw failed("read", error)
    }
  }

  protected emptyLog(): void {
    if (!this.#closed) this.#db.emptyLog()
  }

  #transaction(works: readonly Work<Draft>[]): unknown[] {
    const draft: Draft = { head: this.#head, floor: this.#floor, touched: new Set() }
    const results = this.#db.transaction(() => {
      const done = works.map((work) => work(draft))
      if (draft.head !== this.#head) {
        this.sql.setAuditHead.run({ writer: WRITER, sealed: this.#seal.sealHead(WRITER, encodeHead(draft.head)) })
      }
      return done
    })
    this.#head = draft.head
    this.#floor = draft.floor
    for (const remoteSignerPubkey of draft.touched) this.#connections.delete(remoteSignerPubkey)
    // Not here: what a hook throws must not look like a commit that failed.
    queueMicrotask(() => this.#onCommit?.(works.length))
    return results
  }

  #holdsAnything(): boolean {
    return this.sql.userKeys.all({}).length > 0 || this.sql.connections.all({}).length > 0
  }

  #storedHead(): Link | undefined {
    const sealed = this.sql.auditHead.get({ writer: WRITER })?.sealed
    if (sealed === undefined) return undefined
    try {
      return decodeHead(this.#seal.openHead(WRITER, sealed))
    } catch {
      return undefined
    }
  }

  #withGrants(row: ConnectionRow): Connection {
    return toConnection(row, this.sql.grantsOf.all({ connection_id: row.id }))
  }

  #withWaitingAnswer(row: ClaimRow): Claim {
    const claim = toClaim(row)
    const waiting = row.repeat_key === null ? undefined : this.#answers.get(row.event_id)
    return waiting === undefined ? claim : { ...claim, answer: waiting }
  }
}

function failed(what: "read" | "committed", cause: unknown): Error {
  if (cause instanceof Nip46Error) return cause
  const why = what === "read" ? "" : "; nothing was changed"
  return new Nip46Error("RECORD_FAILED", `the record could not be ${what}${why}`, { cause })
}

function closed(): Nip46Error {
  return new Nip46Error("RECORD_FAILED", "the record is closed")
}
