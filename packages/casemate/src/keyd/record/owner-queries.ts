import type { Kysely, Selectable } from "kysely"
import { type None, query } from "./query.js"
import type {
  LastSignedTable,
  NewRow,
  OwnerCodeTable,
  OwnerInvitationTable,
  OwnerPasskeyTable,
  OwnerSessionTable,
  OwnerTable,
  Row,
  Tables,
} from "./schema.js"

type Over = { now: number; limit: number }

/** The statements about owners, and about what was signed last. */
export function ownerQueries(db: Kysely<Tables>) {
  return {
    ...invitationQueries(db),
    ...accountQueries(db),
    ...passkeyQueries(db),
    ...codeQueries(db),
    ...sessionQueries(db),
    ...lastSignedQueries(db),
  }
}

function invitationQueries(db: Kysely<Tables>) {
  return {
    insertInvitation: query<Row<OwnerInvitationTable>>()((p) =>
      db.insertInto("owner_invitation").values({ hash: p.hash, created_at: p.created_at, expires_at: p.expires_at }),
    ),
    invitation: query<{ hash: string }>()((p) =>
      db.selectFrom("owner_invitation").selectAll().where("hash", "=", p.hash),
    ),
    deleteInvitation: query<{ hash: string }>()((p) => db.deleteFrom("owner_invitation").where("hash", "=", p.hash)),
    purgeInvitations: query<Over>()((p) =>
      db
        .deleteFrom("owner_invitation")
        .where("hash", "in", (eb) =>
          eb
            .selectFrom("owner_invitation")
            .select("hash")
            .where("expires_at", "<=", p.now)
            .orderBy("expires_at")
            .limit(p.limit),
        ),
    ),
  }
}

function accountQueries(db: Kysely<Tables>) {
  const owners = db.selectFrom("owner").selectAll()
  return {
    insertOwner: query<NewRow<OwnerTable>>()((p) =>
      db.insertInto("owner").values({
        id: p.id,
        name: p.name,
        name_key: p.name_key,
        created_at: p.created_at,
        password_hash: p.password_hash,
        sealed_totp: p.sealed_totp,
        totp_step: p.totp_step,
      }),
    ),
    owners: query<None>()(() => owners.orderBy("seq")),
    ownerById: query<{ id: string }>()((p) => owners.where("id", "=", p.id)),
    ownerByName: query<{ name_key: string }>()((p) => owners.where("name_key", "=", p.name_key)),
    setPassword: query<Pick<NewRow<OwnerTable>, "id" | "password_hash" | "sealed_totp" | "totp_step">>()((p) =>
      db
        .updateTable("owner")
        .set({ password_hash: p.password_hash, sealed_totp: p.sealed_totp, totp_step: p.totp_step })
        .where("id", "=", p.id),
    ),
    /** Only forwards, and only where there is a password. */
    advanceTotp: query<{ id: string; step: number }>()((p) =>
      db
        .updateTable("owner")
        .set({ totp_step: p.step })
        .where("id", "=", p.id)
        .where("password_hash", "is not", null)
        .where("totp_step", "<", p.step),
    ),
    deleteOwner: query<{ id: string }>()((p) => db.deleteFrom("owner").where("id", "=", p.id)),
  }
}

function passkeyQueries(db: Kysely<Tables>) {
  const passkeys = db.selectFrom("owner_passkey").selectAll()
  return {
    insertPasskey: query<NewRow<OwnerPasskeyTable>>()((p) =>
      db.insertInto("owner_passkey").values({
        id: p.id,
        owner_id: p.owner_id,
        public_key: p.public_key,
        counter: p.counter,
        transports: p.transports,
        rp_id: p.rp_id,
        label: p.label,
        created_at: p.created_at,
        last_used_at: p.last_used_at,
      }),
    ),
    passkeyById: query<{ id: string }>()((p) => passkeys.where("id", "=", p.id)),
    passkeysOf: query<{ owner_id: string }>()((p) => passkeys.where("owner_id", "=", p.owner_id).orderBy("seq")),
    usePasskey: query<{ id: string; counter: number; last_used_at: number }>()((p) =>
      db.updateTable("owner_passkey").set({ counter: p.counter, last_used_at: p.last_used_at }).where("id", "=", p.id),
    ),
    deletePasskey: query<{ id: string }>()((p) => db.deleteFrom("owner_passkey").where("id", "=", p.id)),
    deletePasskeysOf: query<{ owner_id: string }>()((p) =>
      db.deleteFrom("owner_passkey").where("owner_id", "=", p.owner_id),
    ),
  }
}

function codeQueries(db: Kysely<Tables>) {
  return {
    insertCode: query<Row<OwnerCodeTable>>()((p) =>
      db.insertInto("owner_code").values({ hash: p.hash, owner_id: p.owner_id }),
    ),
    deleteCode: query<Row<OwnerCodeTable>>()((p) =>
      db.deleteFrom("owner_code").where("hash", "=", p.hash).where("owner_id", "=", p.owner_id),
    ),
    deleteCodesOf: query<{ owner_id: string }>()((p) => db.deleteFrom("owner_code").where("owner_id", "=", p.owner_id)),
    codesOf: query<{ owner_id: string }>()((p) =>
      db
        .selectFrom("owner_code")
        .select((column) => column.fn.countAll<number>().as("count"))
        .where("owner_id", "=", p.owner_id),
    ),
  }
}

function sessionQueries(db: Kysely<Tables>) {
  const sessions = db.selectFrom("owner_session").selectAll()
  return {
    insertSession: query<NewRow<OwnerSessionTable>>()((p) =>
      db.insertInto("owner_session").values({
        hash: p.hash,
        owner_id: p.owner_id,
        signed_in_by: p.signed_in_by,
        created_at: p.created_at,
        expires_at: p.expires_at,
      }),
    ),
    session: query<{ hash: string }>()((p) => sessions.where("hash", "=", p.hash)),
    sessionsOf: query<{ owner_id: string }>()((p) => sessions.where("owner_id", "=", p.owner_id).orderBy("seq")),
    deleteSession: query<{ hash: string }>()((p) => db.deleteFrom("owner_session").where("hash", "=", p.hash)),
    /** All but the newest `keep` of them. */
    trimSessionsOf: query<{ owner_id: string; keep: number }>()((p) =>
      db
        .deleteFrom("owner_session")
        .where("owner_id", "=", p.owner_id)
        .where("seq", "<=", (eb) =>
          eb
            .selectFrom("owner_session as newer")
            .select("newer.seq")
            .where("newer.owner_id", "=", p.owner_id)
            .orderBy("newer.seq", "desc")
            .limit(1)
            .offset(p.keep),
        ),
    ),
    deleteSessionsOf: query<{ owner_id: string }>()((p) =>
      db.deleteFrom("owner_session").where("owner_id", "=", p.owner_id),
    ),
    deleteOtherSessionsOf: query<{ owner_id: string; but: string }>()((p) =>
      db.deleteFrom("owner_session").where("owner_id", "=", p.owner_id).where("hash", "!=", p.but),
    ),
    purgeSessions: query<Over>()((p) =>
      db
        .deleteFrom("owner_session")
        .where("seq", "in", (eb) =>
          eb
            .selectFrom("owner_session")
            .select("seq")
            .where("expires_at", "<=", p.now)
            .orderBy("expires_at")
            .limit(p.limit),
        ),
    ),
  }
}

function lastSignedQueries(db: Kysely<Tables>) {
  return {
    lastSigned: query<{ slot: string }>()((p) =>
      db.selectFrom("last_signed").select(["created_at", "sealed"]).where("slot", "=", p.slot),
    ),
    insertLastSigned: query<NewRow<LastSignedTable>>()((p) =>
      db
        .insertInto("last_signed")
        .values({ slot: p.slot, user_pubkey: p.user_pubkey, created_at: p.created_at, sealed: p.sealed }),
    ),
    deleteLastSigned: query<{ slot: string }>()((p) => db.deleteFrom("last_signed").where("slot", "=", p.slot)),
    deleteLastSignedOf: query<{ user_pubkey: string }>()((p) =>
      db.deleteFrom("last_signed").where("user_pubkey", "=", p.user_pubkey),
    ),
    /** What comes after the newest `keep` of them. */
    trimLastSigned: query<{ keep: number; limit: number }>()((p) =>
      db
        .deleteFrom("last_signed")
        .where("seq", "in", (eb) =>
          eb.selectFrom("last_signed").select("seq").orderBy("seq", "desc").limit(p.limit).offset(p.keep),
        ),
    ),
  }
}

export type OwnerRow = Selectable<OwnerTable>
export type OwnerPasskeyRow = Selectable<OwnerPasskeyTable>
export type OwnerSessionRow = Selectable<OwnerSessionTable>
export type InvitationRow = Selectable<OwnerInvitationTable>
