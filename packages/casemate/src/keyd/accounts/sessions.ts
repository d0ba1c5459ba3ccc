import { timingSafeEqual } from "node:crypto"
import type { NewSession, SessionKeys } from "../../channel/web-calls.js"
import type { Owner, OwnerSession } from "../record/owners-record.js"
import type { AccountPorts } from "./ports.js"

/** From when it begins, whatever happens in it. */
const SESSION_SECONDS = 12 * 3_600
const KEY_BYTES = 32
/** `<cookie>.<token>`. */
const KEYS = /^[\w-]{43}\.[\w-]{43}$/

export interface SignedIn {
  readonly owner: Owner
  readonly session: OwnerSession
}

/** A session and its keys, which are nowhere else: the record has a hash of both. */
export function newSession(
  ownerId: string,
  by: OwnerSession["by"],
  { vault, crypto, now }: AccountPorts,
): { session: OwnerSession; keys: SessionKeys } {
  const keys = { cookie: keyOf(crypto), token: keyOf(crypto) }
  const createdAt = now()
  const hash = vault.ownerHash("session", `${keys.cookie}.${keys.token}`)
  return { session: { hash, ownerId, by, createdAt, expiresAt: createdAt + SESSION_SECONDS }, keys }
}

export function sessionInfo({ name }: Owner, { expiresAt }: OwnerSession, keys: SessionKeys): NewSession {
  return { owner: name, expiresAt, keys }
}

/** Whose session this is; undefined when it is nobody's, or over. */
export async function signedInBy(
  keys: string | undefined,
  { record, vault, now }: AccountPorts,
): Promise<SignedIn | undefined> {
  if (keys === undefined || !KEYS.test(keys)) return undefined
  const hash = vault.ownerHash("session", keys)
  const session = await record.session(hash)
  if (session === undefined || !timingSafeEqual(Buffer.from(session.hash), Buffer.from(hash))) return undefined
  if (session.expiresAt <= now()) return undefined
  const owner = await record.owner(session.ownerId)
  return owner?.id === session.ownerId ? { owner, session } : undefined
}

function keyOf(crypto: AccountPorts["crypto"]): string {
  return Buffer.from(crypto.randomBytes(KEY_BYTES)).toString("base64url")
}
