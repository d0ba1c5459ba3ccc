import { createFixtures } from "@casemate/nip46/testing"
import BetterSqlite from "better-sqlite3"
import type {
  Invitation,
  LastSigned,
  NewOwner,
  Owner,
  OwnerPasskey,
  OwnerPassword,
  OwnerSession,
} from "../../src/keyd/record/owners-record.js"
import type { Record } from "../../src/keyd/record/record.js"
import { path } from "./record-bench.js"

/** The moment at which every test begins, in unix seconds. */
export const START = 1_700_000_000

/** Makes what the tests write about owners. A record looks at shapes and equality only, so nothing here is hashed. */
export function createOwnerFixtures() {
  const { hex, audit } = createFixtures()

  const password = (fields: Partial<OwnerPassword> = {}): OwnerPassword => ({
    hash: `$argon2id$v=19$m=65536,t=3,p=1$${hex()}`,
    totp: Uint8Array.from(Buffer.from(`totp ${hex()}`)),
    lastStep: 100,
    ...fields,
  })

  const owner = (fields: Partial<Owner> = {}): Owner => {
    const id = hex().slice(-32)
    return { id, name: `owner ${id}`, createdAt: START, password: password(), ...fields }
  }

  const passkey = (ownerId: string, fields: Partial<OwnerPasskey> = {}): OwnerPasskey => ({
    id: `passkey-${hex()}`,
    ownerId,
    publicKey: Uint8Array.from(Buffer.from(`public ${hex()}`)),
    counter: 0,
    transports: ["internal", "hybrid"],
    rpId: "localhost",
    label: "phone",
    createdAt: START,
    lastUsedAt: undefined,
    ...fields,
  })

  const session = (ownerId: string, fields: Partial<OwnerSession> = {}): OwnerSession => ({
    hash: hex(),
    ownerId,
    by: "passkey",
    createdAt: START,
    expiresAt: START + 12 * 60 * 60,
    ...fields,
  })

  const invitation = (fields: Partial<Invitation> = {}): Invitation => ({
    hash: hex(),
    createdAt: START,
    expiresAt: START + 600,
    ...fields,
  })

  /** An owner with one passkey, a password, three codes and a session, unless told. */
  const entry = (invited: Invitation, fields: Partial<NewOwner> = {}): NewOwner => {
    const joining = fields.owner ?? owner()
    return {
      invitation: invited.hash,
      owner: joining,
      passkey: passkey(joining.id),
      codes: [hex(), hex(), hex()],
      session: session(joining.id, { by: "invitation" }),
      ...fields,
    }
  }

  const signed = (userPubkey: string, fields: Partial<LastSigned> = {}): LastSigned => ({
    slot: hex(),
    userPubkey,
    createdAt: START,
    sealed: Uint8Array.from(Buffer.from(`signed ${hex()}`)),
    ...fields,
  })

  /** Somebody who joined, by an invitation of their own. */
  const joined = async (record: Record, fields: Partial<NewOwner> = {}): Promise<NewOwner> => {
    const invited = invitation()
    await record.addInvitation(invited, audit())
    const made = entry(invited, fields)
    const result = await record.join(made, audit())
    if (result.kind !== "joined") throw new Error(`they should have joined: ${result.kind}`)
    return made
  }

  return { hex, audit, password, owner, passkey, session, invitation, entry, signed, joined }
}

/** Every row of every table, past our own code: equal dumps are equal databases. */
export function dump(at = path): { readonly [table: string]: readonly unknown[] } {
  const db = new BetterSqlite(at, { readonly: true })
  try {
    const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").pluck().all()
    return Object.fromEntries((tables as string[]).map((name) => [name, db.prepare(`SELECT * FROM "${name}"`).all()]))
  } finally {
    db.close()
  }
}
