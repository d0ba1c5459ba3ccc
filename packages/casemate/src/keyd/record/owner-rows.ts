import type { InvitationRow, OwnerPasskeyRow, OwnerRow, OwnerSessionRow } from "./owner-queries.js"
import type {
  Invitation,
  LastSigned,
  Owner,
  OwnerPasskey,
  OwnerPassword,
  OwnerSession,
  Prompt,
} from "./owners-record.js"
import type { PromptRow } from "./prompt-queries.js"
import type { LastSignedTable, NewRow } from "./schema.js"

/** Rows of owners to values and back, as the other rows are. */

/** Equal for names that a reader takes for the same. */
export function nameKey(name: string): string {
  return name.normalize("NFKC").toLowerCase()
}

export function toOwner(row: OwnerRow): Owner {
  return { id: row.id, name: row.name, createdAt: row.created_at, password: toPassword(row) }
}

function toPassword({ password_hash: hash, sealed_totp: totp, totp_step: lastStep }: OwnerRow): Owner["password"] {
  return hash === null || totp === null ? undefined : { hash, totp: Uint8Array.from(totp), lastStep }
}

export function fromOwner({ id, name, createdAt, password }: Owner): Omit<OwnerRow, "seq"> {
  return { id, name, name_key: nameKey(name), created_at: createdAt, ...fromPassword(password) }
}

export function fromPassword(
  password: OwnerPassword | undefined,
): Pick<OwnerRow, "password_hash" | "sealed_totp" | "totp_step"> {
  return {
    password_hash: password?.hash ?? null,
    sealed_totp: password?.totp ?? null,
    totp_step: password?.lastStep ?? 0,
  }
}

export function toPasskey(row: OwnerPasskeyRow): OwnerPasskey {
  return {
    id: row.id,
    ownerId: row.owner_id,
    publicKey: Uint8Array.from(row.public_key),
    counter: row.counter,
    transports: JSON.parse(row.transports) as string[],
    rpId: row.rp_id,
    label: row.label,
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at ?? undefined,
  }
}

export function fromPasskey(passkey: OwnerPasskey): Omit<OwnerPasskeyRow, "seq"> {
  return {
    id: passkey.id,
    owner_id: passkey.ownerId,
    public_key: passkey.publicKey,
    counter: passkey.counter,
    transports: JSON.stringify(passkey.transports),
    rp_id: passkey.rpId,
    label: passkey.label,
    created_at: passkey.createdAt,
    last_used_at: passkey.lastUsedAt ?? null,
  }
}

export function toSession(row: OwnerSessionRow): OwnerSession {
  const { hash, owner_id: ownerId, signed_in_by: by, created_at: createdAt, expires_at: expiresAt } = row
  return { hash, ownerId, by, createdAt, expiresAt }
}

export function fromSession({ hash, ownerId, by, createdAt, expiresAt }: OwnerSession): Omit<OwnerSessionRow, "seq"> {
  return { hash, owner_id: ownerId, signed_in_by: by, created_at: createdAt, expires_at: expiresAt }
}

export function toInvitation({ hash, created_at: createdAt, expires_at: expiresAt }: InvitationRow): Invitation {
  return { hash, createdAt, expiresAt }
}

export function fromInvitation({ hash, createdAt, expiresAt }: Invitation): InvitationRow {
  return { hash, created_at: createdAt, expires_at: expiresAt }
}

export function fromLastSigned({ slot, userPubkey, createdAt, sealed }: LastSigned): NewRow<LastSignedTable> {
  return { slot, user_pubkey: userPubkey, created_at: createdAt, sealed }
}

export function toPrompt(row: PromptRow): Prompt {
  return {
    id: row.id,
    count: row.count,
    connectionId: row.connection_id,
    method: row.method,
    param: row.param ?? undefined,
    state: row.state,
    receivedAt: row.received_at,
    deadline: row.deadline,
  }
}
