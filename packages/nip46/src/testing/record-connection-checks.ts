import type { ClaimEffect, Connection, ConnectionState, SignerRecord } from "../signer/ports.js"
import { check, equal, rejects } from "./assert.js"
import { START } from "./record-fixtures.js"
import type { RecordCheck } from "./record-subject.js"
import { reopened } from "./record-subject.js"

const RACERS = 48

/** Connections: made, activated once, stopped, revoked for good. */
export const connectionChecks: readonly RecordCheck[] = [
  {
    title: "a connection is read back as it was made",
    async run({ record }, { active, offered, event, grant, audit, hex }) {
      const grants = [
        grant({ usesLeft: 3, expiresAt: START + 5 }),
        grant({ param: undefined, effect: "deny" }),
        grant({ usesLeft: 0, rate: { uses: 2, seconds: 60 }, recentUses: [START - 61, START - 5] }),
        grant({ conditions: { counterparties: [hex()], tags: [["t", "\u0000 \ud83d\udd11"]], maxContentBytes: 0 } }),
      ]
      const first = active({ grants, expiresAt: START + 9, clientRelays: [], lastUsedAt: START - 1, revision: 7 })
      const second = offered({
        guardedRelays: ["wss://theirs.example"],
        connectResponse: event(),
        nip04Transport: true,
        style: "auth_url",
        endedAt: START + 1,
      })
      await record.createConnection(first, audit())
      await record.createConnection(second, audit())
      equal(await record.connection(first.remoteSignerPubkey), first, "the first connection")
      equal(await record.connection(second.remoteSignerPubkey), second, "the second connection")
      equal(await record.connections(), [first, second], "all connections, in the order they were made")
      equal(await record.connection(hex()), undefined, "a connection that nobody made")
    },
  },
  {
    title: "a second connection with the same id or remote-signer-pubkey is RECORD_FAILED and changes nothing",
    async run(subject, { active, audit }) {
      const { record } = subject
      const first = active()
      await record.createConnection(first, audit())
      const before = await subject.auditCount?.()
      const sameId = active({ id: first.id })
      const sameKey = active({ remoteSignerPubkey: first.remoteSignerPubkey })
      await rejects(record.createConnection(sameId, audit()), "RECORD_FAILED", "the same id")
      await rejects(record.createConnection(sameKey, audit()), "RECORD_FAILED", "the same remote-signer-pubkey")
      equal(await record.connections(), [first], "the connections")
      equal(await subject.auditCount?.(), before, "audit rows")
    },
  },
  {
    title: "of many racers with the right secret exactly one activates the connection",
    async run(subject, fixtures) {
      const { record } = subject
      const connection = fixtures.offered()
      await record.createConnection(connection, fixtures.audit())
      const before = await subject.auditCount?.()
      const entries = Array.from({ length: RACERS }, () =>
        fixtures.entry(connection, { effect: activation(connection, fixtures.hex()) }),
      )
      const results = await Promise.all(entries.map((entry) => record.commit(entry)))
      const winners = entries.filter((_, i) => results[i]?.kind === "committed")
      equal(winners.length, 1, "winners")
      equal(
        results.filter((result) => result.kind === "moved").length,
        RACERS - 1,
        "losers that are told to look again",
      )
      const winner = winners[0]?.effect
      check(winner?.kind === "activate", "the winner activates")
      equal(
        await record.connection(connection.remoteSignerPubkey),
        {
          ...connection,
          state: "active",
          clientPubkey: winner.clientPubkey,
          app: winner.app,
          requestedPerms: winner.requestedPerms,
          secretHash: undefined,
          secretExpiresAt: undefined,
          lastUsedAt: START,
          revision: connection.revision + 1,
        },
        "the connection after the race",
      )
      equal((await record.unanswered()).length, 1, "claims")
      if (before !== undefined) equal(await subject.auditCount?.(), before + 1, "audit rows")
    },
  },
  {
    title: "a secret that was redeemed is not redeemed again, at whatever revision",
    async run({ record }, fixtures) {
      const connection = fixtures.offered()
      await record.createConnection(connection, fixtures.audit())
      const effect = activation(connection, fixtures.hex())
      equal((await record.commit(fixtures.entry(connection, { effect }))).kind, "committed", "the first")
      const bound = await present(record, connection)
      const again = { ...effect, clientPubkey: fixtures.hex() }
      equal((await record.commit(fixtures.entry(bound, { effect: again }))).kind, "moved", "the second")
      equal(await present(record, connection), bound, "the connection")
    },
  },
  {
    title: "a wrong secret, an expired one and a wrong revision move nothing and write nothing",
    async run(subject, fixtures) {
      const { record } = subject
      const connection = fixtures.offered()
      await record.createConnection(connection, fixtures.audit())
      const effect = activation(connection, fixtures.hex())
      const late = { effect, receivedAt: START + 600 }
      await refused(subject, connection, async () => [
        await record.commit(fixtures.entry(connection, { effect: { ...effect, secretHash: fixtures.hex() } })),
        await record.commit(fixtures.entry(connection, late)),
        await record.commit(fixtures.entry(connection, { effect, expectedRevision: connection.revision + 1 })),
      ])
      const inTime = { effect, receivedAt: START + 599 }
      equal((await record.commit(fixtures.entry(connection, inTime))).kind, "committed", "in the last second")
    },
  },
  {
    title: "an offered token without an expiry stays good",
    async run({ record }, fixtures) {
      const connection = fixtures.offered({ secretExpiresAt: undefined })
      await record.createConnection(connection, fixtures.audit())
      const effect = activation(connection, fixtures.hex())
      const entry = fixtures.entry(connection, { effect, receivedAt: START + 1_000_000 })
      equal((await record.commit(entry)).kind, "committed", "a year later")
    },
  },
  {
    title: "a claim needs a live connection",
    async run(subject, fixtures) {
      const { record } = subject
      for (const state of ["offered", "revoked", "logged_out"] as const) {
        const connection = fixtures.active({ state })
        await record.createConnection(connection, fixtures.audit())
        await refused(subject, connection, async () => [
          await record.commit(fixtures.entry(connection)),
          await record.commit(fixtures.entry(connection, { effect: { kind: "logout" } })),
        ])
      }
      const nowhere = fixtures.entry(fixtures.active())
      equal((await record.commit(nowhere)).kind, "moved", "a connection that is not in the record")
      equal((await record.recall(nowhere.eventId, nowhere.repeatKey, START)).kind, "new", "its claim")
      const paused = fixtures.active({ state: "paused" })
      await record.createConnection(paused, fixtures.audit())
      equal((await record.commit(fixtures.entry(paused))).kind, "committed", "paused")
    },
  },
  {
    title: "setState pauses, resumes and revokes, raises the revision, and final is final",
    async run(subject, fixtures) {
      const { record } = subject
      const connection = fixtures.active()
      await record.createConnection(connection, fixtures.audit())
      const steps: readonly ["active" | "paused" | "revoked", boolean, ConnectionState][] = [
        ["paused", true, "paused"],
        ["active", true, "active"],
        ["revoked", true, "revoked"],
        ["active", false, "revoked"],
        ["paused", false, "revoked"],
        ["revoked", false, "revoked"],
      ]
      let revision = connection.revision
      for (const [asked, done, state] of steps) {
        const rows = await subject.auditCount?.()
        equal(await record.setState(connection.id, asked, fixtures.audit()), done, `setState ${asked}`)
        const now = await present(record, connection)
        equal(now.state, state, `the state after ${asked}`)
        if (done) check(now.revision > revision, `${asked} raises the revision`)
        else equal(now.revision, revision, "the revision of what did not change")
        if (rows !== undefined) equal(await subject.auditCount?.(), rows + (done ? 1 : 0), "audit rows")
        revision = now.revision
      }
      equal(await record.setState(fixtures.hex(), "revoked", fixtures.audit()), false, "no such connection")
    },
  },
  {
    title: "an offered connection can be revoked, and is activated by its secret only",
    async run({ record }, fixtures) {
      const connection = fixtures.offered()
      await record.createConnection(connection, fixtures.audit())
      for (const state of ["active", "paused"] as const) {
        equal(await record.setState(connection.id, state, fixtures.audit()), false, `setState ${state}`)
      }
      equal(await present(record, connection), connection, "the connection")
      equal(await record.setState(connection.id, "revoked", fixtures.audit()), true, "revoked")
      const revoked = await present(record, connection)
      const effect = activation(connection, fixtures.hex())
      equal((await record.commit(fixtures.entry(revoked, { effect }))).kind, "moved", "its secret")
      equal((await present(record, connection)).state, "revoked", "the state")
    },
  },
  {
    title: "a commit that was authorized before the revocation is moved",
    async run(subject, fixtures) {
      const { record } = subject
      const connection = fixtures.active()
      await record.createConnection(connection, fixtures.audit())
      const [revoked, committed] = await Promise.all([
        record.setState(connection.id, "revoked", fixtures.audit()),
        record.commit(fixtures.entry(connection)),
      ])
      equal([revoked, committed.kind], [true, "moved"], "revocation, then commit")
      equal(await record.unanswered(), [], "claims")
    },
  },
  {
    title: "logout ends the session for good",
    async run({ record }, fixtures) {
      const connection = fixtures.active()
      await record.createConnection(connection, fixtures.audit())
      const entry = fixtures.entry(connection, { effect: { kind: "logout" } })
      equal((await record.commit(entry)).kind, "committed", "logout")
      const after = await present(record, connection)
      equal(after.state, "logged_out", "the state")
      check(after.revision > connection.revision, "logout raises the revision")
      equal(await record.setState(connection.id, "active", fixtures.audit()), false, "no way back")
      equal((await record.commit(fixtures.entry(connection))).kind, "moved", "what was authorized before")
    },
  },
  {
    title: "client_relays remembers what the client knows and disturbs nobody",
    async run({ record }, fixtures) {
      const connection = fixtures.active({ clientRelays: ["wss://old.example"] })
      await record.createConnection(connection, fixtures.audit())
      const effect: ClaimEffect = { kind: "client_relays", relays: connection.relays }
      const results = await Promise.all([
        record.commit(fixtures.entry(connection, { effect })),
        record.commit(fixtures.entry(connection)),
      ])
      equal(results, [{ kind: "committed" }, { kind: "committed" }], "both at one revision")
      const after = await present(record, connection)
      equal(after.clientRelays, connection.relays, "what the client was told")
      equal(after.relays, connection.relays, "where it is served")
      equal(after.revision, connection.revision, "the revision")
    },
  },
  {
    title: "the first claim drops the connect response, a repeat or a refused commit does not",
    async run({ record }, fixtures) {
      const connection = fixtures.active({ connectResponse: fixtures.event() })
      await record.createConnection(connection, fixtures.audit())
      const stale = fixtures.entry(connection, { expectedRevision: connection.revision + 1 })
      equal((await record.commit(stale)).kind, "moved", "a commit that expects another revision")
      equal((await present(record, connection)).connectResponse, connection.connectResponse, "before the first claim")
      await record.commit(fixtures.entry(connection))
      const after = await present(record, connection)
      equal(after.connectResponse, undefined, "after the first claim")
      equal(after.secretHash, connection.secretHash, "what the token is known by")
      equal(after.revision, connection.revision, "the revision")
    },
  },
  {
    title: "NIP-04 transport is switched on and off, and stays as it is once the connection has ended",
    async run(subject, fixtures) {
      const { record } = subject
      const connection = fixtures.active()
      const offered = fixtures.offered()
      for (const each of [connection, offered]) await record.createConnection(each, fixtures.audit())
      equal(await record.setNip04Transport(connection.id, true, fixtures.audit()), true, "on")
      const on = await present(record, connection)
      equal([on.nip04Transport, on.revision], [true, connection.revision + 1], "what is stored when on")
      equal(await record.setNip04Transport(connection.id, true, fixtures.audit()), true, "on again")
      equal((await present(record, connection)).revision, on.revision, "the revision when nothing changed")
      equal(await record.setNip04Transport(connection.id, false, fixtures.audit()), true, "off")
      equal((await present(record, connection)).nip04Transport, false, "what is stored when off")
      equal(await record.setNip04Transport(offered.id, true, fixtures.audit()), true, "an offered one")

      await record.setState(connection.id, "revoked", fixtures.audit())
      const rows = await subject.auditCount?.()
      equal(await record.setNip04Transport(connection.id, true, fixtures.audit()), false, "a revoked one")
      equal(await record.setNip04Transport(fixtures.hex(), true, fixtures.audit()), false, "one that nobody made")
      equal((await present(record, connection)).nip04Transport, false, "the revoked one")
      equal(await subject.auditCount?.(), rows, "audit rows")
    },
  },
  {
    title: "lastUsedAt follows commits to the minute",
    async run({ record }, fixtures) {
      const connection = fixtures.active()
      await record.createConnection(connection, fixtures.audit())
      const seen: (number | undefined)[] = []
      for (const after of [0, 59, 60, 3_600]) {
        await record.commit(fixtures.entry(connection, { receivedAt: START + after }))
        seen.push((await present(record, connection)).lastUsedAt)
      }
      equal(seen, [START, START, START + 60, START + 3_600], "lastUsedAt")
    },
  },
  {
    title: "endedAt is the time of the revocation or the logout, and of nothing else",
    async run({ record }, fixtures) {
      const [revoked, loggedOut, cancelled] = [fixtures.active(), fixtures.active(), fixtures.offered()]
      for (const connection of [revoked, loggedOut, cancelled])
        await record.createConnection(connection, fixtures.audit())
      const at = START + 7_200
      for (const state of ["paused", "active"] as const)
        await record.setState(revoked.id, state, fixtures.audit({ at: START + 60 }))
      equal((await present(record, revoked)).endedAt, undefined, "of a live one")
      for (const { id } of [revoked, cancelled]) await record.setState(id, "revoked", fixtures.audit({ at }))
      await record.commit(fixtures.entry(loggedOut, { effect: { kind: "logout" }, receivedAt: at }))
      await record.setState(revoked.id, "revoked", fixtures.audit({ at: at + 60 }))
      for (const connection of [revoked, loggedOut, cancelled])
        equal((await present(record, connection)).endedAt, at, "of one that has ended")
    },
  },
  {
    title: "connections, states and told relays outlive a restart",
    durable: true,
    async run(subject, fixtures) {
      const { record } = subject
      const offered = fixtures.offered({ grants: [fixtures.grant({ usesLeft: 2 })] })
      const revoked = fixtures.active()
      const told = fixtures.active({ clientRelays: [] })
      for (const connection of [offered, revoked, told]) await record.createConnection(connection, fixtures.audit())
      await record.commit(fixtures.entry(offered, { effect: activation(offered, fixtures.hex()) }))
      await record.setState(revoked.id, "revoked", fixtures.audit())
      const effect: ClaimEffect = { kind: "client_relays", relays: told.relays }
      await record.commit(fixtures.entry(told, { effect }))
      const before = await record.connections()
      const rows = await subject.auditCount?.()

      const after = await reopened(subject)
      equal(await after.connections(), before, "the connections")
      equal(await subject.auditCount?.(), rows, "audit rows")
      equal(await after.setState(revoked.id, "active", fixtures.audit()), false, "a revoked one stays revoked")
    },
  },
]

/** The effect of redeeming the connection's secret. */
export function activation(connection: Connection, clientPubkey: string): ClaimEffect & { kind: "activate" } {
  const app = { name: `App of ${clientPubkey.slice(-4)}` }
  const secretHash = connection.secretHash ?? "0".repeat(64)
  return { kind: "activate", secretHash, clientPubkey, app, requestedPerms: "sign_event:1,nip44_encrypt" }
}

/** The connection as it is now. */
export async function present(record: SignerRecord, { remoteSignerPubkey }: Connection): Promise<Connection> {
  const connection = await record.connection(remoteSignerPubkey)
  if (connection === undefined) throw new Error(`the connection of ${remoteSignerPubkey} is gone`)
  return connection
}

/** Every commit is `moved`, and neither connection, claims nor audit changed. */
export async function refused(
  subject: { record: SignerRecord; auditCount?(): Promise<number> },
  connection: Connection,
  commits: () => Promise<{ kind: string }[]>,
): Promise<void> {
  const { record } = subject
  const read = async () => [
    await record.connection(connection.remoteSignerPubkey),
    await record.unanswered(),
    await subject.auditCount?.(),
  ]
  const before = await read()
  for (const [i, { kind }] of (await commits()).entries())
    equal(kind, "moved", `commit ${i + 1} of ${connection.state}`)
  equal(await read(), before, "what is stored")
}
