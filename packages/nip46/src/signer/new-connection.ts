import { bytesToHex } from "@noble/hashes/utils.js"
import type { CryptoBackend } from "../crypto/backend.js"
import { Nip46Error } from "../protocol/errors.js"
import type { Permission } from "../protocol/permission.js"
import type { ApprovalStyle, Conditions, Connection, Grant, SignerKeys } from "./ports.js"

/** What both flows share. */
export interface NewConnection {
  readonly userPubkey: string
  readonly permissions: readonly Permission[]
  /** Normalised. */
  readonly relays: readonly string[]
  readonly style: ApprovalStyle
}

/** A connection with its own transport key and nobody bound to it; not recorded. @throws `INVALID_KEY` */
export async function newConnection(
  { userPubkey, permissions, relays, style }: NewConnection,
  { keys, crypto, now }: { keys: SignerKeys; crypto: CryptoBackend; now: number },
): Promise<Connection> {
  if (!crypto.isPubkey(userPubkey)) {
    throw new Nip46Error("INVALID_KEY", "a connection needs the public key of a user, 64 hex digits")
  }
  const transport = await keys.createTransportKey()
  return {
    id: randomId(crypto),
    userPubkey,
    remoteSignerPubkey: transport.pubkey,
    sealedTransportKey: transport.sealed,
    clientPubkey: undefined,
    state: "offered",
    secretHash: undefined,
    secretExpiresAt: undefined,
    expiresAt: undefined,
    relays,
    clientRelays: relays,
    guardedRelays: [],
    connectResponse: undefined,
    nip04Transport: false,
    style,
    app: {},
    requestedPerms: "",
    grants: permissions.map((permission) => newGrant(permission, crypto)),
    createdAt: now,
    lastUsedAt: undefined,
    endedAt: undefined,
    revision: 0,
  }
}

/** Without a limit. */
export function newGrant(
  { method, param, conditions = {} }: Permission & { readonly conditions?: Conditions },
  crypto: CryptoBackend,
): Grant {
  return {
    id: randomId(crypto),
    method,
    param,
    effect: "allow",
    expiresAt: undefined,
    usesLeft: undefined,
    rate: undefined,
    recentUses: [],
    conditions,
  }
}

/** 64 random bits, 16 hex digits. */
export function randomId(crypto: CryptoBackend): string {
  return bytesToHex(crypto.randomBytes(8))
}
