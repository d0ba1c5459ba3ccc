import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js"
import type { CryptoBackend } from "../crypto/backend.js"
import { buildBunkerToken } from "../protocol/connection-token.js"
import { Nip46Error } from "../protocol/errors.js"
import type { Permission } from "../protocol/permission.js"
import { normalizeRelayUrls } from "../protocol/relay-url.js"
import { newConnection } from "./new-connection.js"
import type { ApprovalStyle, Connection, SignerKeys, SignerRecord } from "./ports.js"

export interface OfferOptions {
  readonly userPubkey: string
  /** What the app may do once it connects; what it asks for is shown, never granted. */
  readonly permissions: readonly Permission[]
  /** Where it is served; at least one ws:// or wss:// URL. */
  readonly relays: readonly string[]
  /** Seconds until the token dies unredeemed. */
  readonly ttl: number
  /** What becomes of what is not granted; `deny` unless told. */
  readonly style?: ApprovalStyle
}

/**
 * Makes a bunker:// token (NIP-46 §Direct connection initiated by remote-signer): a connection of its own
 * transport key, and a secret of 128 random bits that is kept only as a hash.
 *
 * @throws `INVALID_TOKEN` when no relay is a ws:// or wss:// URL, `INVALID_KEY` for a user-pubkey that is none,
 * `RECORD_FAILED`
 */
export async function offer(
  { userPubkey, permissions, relays: given, ttl, style = "deny" }: OfferOptions,
  { record, keys, crypto, now }: { record: SignerRecord; keys: SignerKeys; crypto: CryptoBackend; now: number },
): Promise<{ token: string; connection: Connection }> {
  const relays = normalizeRelayUrls(given)
  if (relays.length === 0) {
    throw new Nip46Error("INVALID_TOKEN", "a token needs at least one ws:// or wss:// relay", {
      details: { field: "relay" },
    })
  }
  const secret = bytesToHex(crypto.randomBytes(16))
  const connection: Connection = {
    ...(await newConnection({ userPubkey, permissions, relays, style }, { keys, crypto, now })),
    secretHash: hashSecret(secret, crypto),
    secretExpiresAt: now + ttl,
  }
  await record.createConnection(connection, {
    at: now,
    actor: "owner",
    connectionId: connection.id,
    action: "owner.offer",
    param: undefined,
    verdict: "allow",
    why: "a token was made",
    eventId: undefined,
  })
  return { token: buildBunkerToken({ remoteSignerPubkey: connection.remoteSignerPubkey, relays, secret }), connection }
}

/** What the record keeps of a secret. */
export function hashSecret(secret: string, crypto: CryptoBackend): string {
  return bytesToHex(crypto.sha256(utf8ToBytes(secret)))
}
