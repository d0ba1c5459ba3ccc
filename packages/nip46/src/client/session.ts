import type { Nip44Backend } from "../crypto/backend.js"
import { attempt } from "../protocol/attempt.js"
import { Nip46Error } from "../protocol/errors.js"
import { bytesToHex, hexToBytes, isHex32 } from "../protocol/hex.js"
import { objectOf, readJson } from "../protocol/json.js"
import { relayUrlsOf } from "../protocol/relay-url.js"

/**
 * Everything that is needed to go on after a restart, as plain JSON. It holds the client's secret key: whoever
 * has it can ask the signer in this app's name. Keep it as you keep a login cookie, and delete it on logout.
 */
export interface Session {
  readonly version: 1
  /** 64 lower-case hex digits. Made for this session alone; it is not the user's. */
  readonly clientSecretKey: string
  readonly remoteSignerPubkey: string
  readonly relays: readonly string[]
  /** Known once `get_public_key` was answered. */
  readonly userPubkey?: string
}

/** A session in hand. */
export interface SessionParts {
  readonly clientSecretKey: Uint8Array
  readonly remoteSignerPubkey: string
  readonly relays: readonly string[]
  readonly userPubkey: string | undefined
}

/** Reads what `onSession` gave, as the object or as its JSON. @throws `INVALID_SESSION` */
export function parseSession(stored: unknown, crypto: Pick<Nip44Backend, "isPubkey" | "keypair">): SessionParts {
  const session = objectOf(readJson(stored))
  if (session === undefined) throw refusal("it is not the JSON that onSession gave")
  const { version, clientSecretKey, remoteSignerPubkey, relays, userPubkey } = session
  if (version !== 1) throw refusal("it was written by another version of this library")
  if (!isHex32(clientSecretKey)) throw refusal("its client key is missing or damaged")
  if (!isHex32(remoteSignerPubkey) || !crypto.isPubkey(remoteSignerPubkey))
    throw refusal("its remote-signer's key is missing or damaged")
  if (userPubkey !== undefined && !isHex32(userPubkey)) throw refusal("its user's key is damaged")
  const urls = relayUrlsOf(relays)
  if (urls.length === 0) throw refusal("it names no relay")
  const secretKey = hexToBytes(clientSecretKey)
  const keypair = attempt(() => crypto.keypair(secretKey))
  if (keypair === undefined) throw refusal("its client key is missing or damaged")
  keypair.wipe()
  return { clientSecretKey: secretKey, remoteSignerPubkey, relays: urls, userPubkey }
}

export function sessionOf({ clientSecretKey, userPubkey, ...rest }: SessionParts): Session {
  const session = { version: 1, clientSecretKey: bytesToHex(clientSecretKey), ...rest } as const
  return userPubkey === undefined ? session : { ...session, userPubkey }
}

function refusal(what: string): Nip46Error {
  return new Nip46Error(
    "INVALID_SESSION",
    `this stored session cannot be restored: ${what}; have the user connect again`,
  )
}
