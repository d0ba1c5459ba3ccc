import { createHmac } from "node:crypto"
import type { CryptoBackend, Keypair } from "@casemate/nip46/crypto"
import { Nip46Error } from "@casemate/nip46/protocol"
import type { Connection, SignerKeys } from "@casemate/nip46/signer"
import { KeypairCache } from "./keypair-cache.js"
import { deriveSubkeys, joined, type SealContext, type Subkeys, seal, unseal } from "./seal.js"
import type { Secret } from "./secret.js"

const TRANSPORT_KEYS = 4_096
const USER_KEYS = 256

export interface VaultOptions {
  /** The vault takes what it needs from it; the caller wipes it. */
  readonly rootKey: Secret
  /** Bound into everything that is sealed. */
  readonly vaultId: string
  readonly crypto: CryptoBackend
  /** The sealed row of a user key, or undefined when there is none. */
  readonly loadUserKey: (userPubkey: string) => Promise<Uint8Array | undefined>
  /** How many handles of transport keys are kept open; 4,096 unless told. */
  readonly transportKeys?: number
}

/** What an owner's text is, that the record keeps a hash of. */
export type OwnerHashPurpose = "session" | "invitation" | "recovery-code"

/** Keys at rest and the handles on those in use. Nothing here returns a secret key unsealed; one door lends it. */
export class Vault implements SignerKeys {
  readonly #id: string
  readonly #crypto: CryptoBackend
  readonly #loadUserKey: VaultOptions["loadUserKey"]
  readonly #subkeys: Subkeys
  readonly #transportKeys: KeypairCache
  readonly #userKeys = new KeypairCache(USER_KEYS)
  #closed = false

  constructor({ rootKey, vaultId, crypto, loadUserKey, transportKeys = TRANSPORT_KEYS }: VaultOptions) {
    this.#id = vaultId
    this.#crypto = crypto
    this.#loadUserKey = loadUserKey
    this.#subkeys = deriveSubkeys(rootKey)
    this.#transportKeys = new KeypairCache(transportKeys)
  }

  async createTransportKey(): Promise<{ pubkey: string; sealed: Uint8Array }> {
    const secretKey = this.#crypto.generateSecretKey()
    try {
      const handle = this.#crypto.keypair(secretKey)
      const sealed = this.#seal("transport-key", handle.pubkey, secretKey)
      return { pubkey: this.#transportKeys.add(handle).pubkey, sealed }
    } finally {
      secretKey.fill(0)
    }
  }

  async transportKey({ remoteSignerPubkey, sealedTransportKey }: Connection): Promise<Keypair> {
    const open = this.#transportKeys.get(remoteSignerPubkey)
    return open ?? this.#transportKeys.add(this.#open("transport-key", remoteSignerPubkey, sealedTransportKey))
  }

  async userKey(userPubkey: string): Promise<Keypair> {
    const open = this.#userKeys.get(userPubkey)
    return open ?? this.#userKeys.add(this.#open("user-key", userPubkey, await this.#sealedUserKey(userPubkey)))
  }

  /** Copies nothing and keeps nothing: the caller stores the sealed bytes and wipes its own. @throws `INVALID_KEY` */
  sealUserKey(secretKey: Uint8Array): { pubkey: string; sealed: Uint8Array } {
    const handle = this.#crypto.keypair(secretKey)
    handle.wipe()
    return { pubkey: handle.pubkey, sealed: this.#seal("user-key", handle.pubkey, secretKey) }
  }

  /**
   * Lends the bytes of a user key for the length of a call, for an export by its owner; then they are wiped.
   *
   * @throws `INVALID_KEY` when there is no such key or it does not open
   */
  async lendUserKey<T>(userPubkey: string, borrow: (secretKey: Uint8Array) => T): Promise<T> {
    return this.#unsealed("user-key", userPubkey, await this.#sealedUserKey(userPubkey), (handle, secretKey) => {
      handle.wipe()
      return borrow(secretKey)
    })
  }

  /** Wipes the handles on a key that was revoked or taken away. */
  forget(pubkey: string): void {
    this.#transportKeys.forget(pubkey)
    this.#userKeys.forget(pubkey)
  }

  auditMac(bytes: Uint8Array): Uint8Array {
    return hmac(this.#subkeys.auditMac, bytes)
  }

  sealAuditHead(writer: string, head: Uint8Array): Uint8Array {
    return this.#sealed(this.#subkeys.auditHead, headContext(writer), head)
  }

  /** @throws `INVALID_KEY` */
  openAuditHead(writer: string, sealed: Uint8Array): Uint8Array {
    return unseal(this.#subkeys.auditHead, headContext(writer), sealed)
  }

  /** The secret of an owner's authenticator app. */
  sealTotp(ownerId: string, secret: Uint8Array): Uint8Array {
    return this.#sealed(this.#subkeys.totp, this.#totpContext(ownerId), secret)
  }

  /** The caller wipes what it gets. @throws `INVALID_KEY` */
  openTotp(ownerId: string, sealed: Uint8Array): Uint8Array {
    return unseal(this.#subkeys.totp, this.#totpContext(ownerId), sealed)
  }

  /** What the record keeps instead of a text that opens something for an owner. 64 hex digits. */
  ownerHash(purpose: OwnerHashPurpose, text: string): string {
    return hex(hmac(this.#subkeys.ownerHash, joined(purpose, text)))
  }

  /** Lends the pepper of the owners' passwords, 32 bytes, until `borrow` is done; then it is wiped. */
  async lendPepper<T>(borrow: (pepper: Uint8Array) => T | Promise<T>): Promise<T> {
    const pepper = this.#subkeys.pepper.use((key) => Uint8Array.from(key))
    try {
      return await borrow(pepper)
    } finally {
      pepper.fill(0)
    }
  }

  /** Names where the last event of a kind, and of a `d` where the kind has one, is kept. 64 hex digits. */
  signedSlot(userPubkey: string, kind: number, d = ""): string {
    return hex(hmac(this.#subkeys.signedSlot, joined(userPubkey, String(kind), d)))
  }

  sealSigned(slot: string, event: Uint8Array): Uint8Array {
    return this.#sealed(this.#subkeys.signed, this.#signedContext(slot), event)
  }

  /** @throws `INVALID_KEY` */
  openSigned(slot: string, sealed: Uint8Array): Uint8Array {
    return unseal(this.#subkeys.signed, this.#signedContext(slot), sealed)
  }

  /** HMAC-SHA-256 of what a webhook is sent, as Standard Webhooks signs it. */
  signNotice(bytes: Uint8Array): Uint8Array {
    return hmac(this.#subkeys.webhook, bytes)
  }

  /** What whoever receives a webhook checks it with, in the form of Standard Webhooks. A secret, for the owner alone. */
  webhookSecret(): string {
    return this.#subkeys.webhook.use((key) => `whsec_${Buffer.from(key).toString("base64")}`)
  }

  close(): void {
    this.#closed = true
    this.#transportKeys.clear()
    this.#userKeys.clear()
    for (const key of Object.values(this.#subkeys)) key.wipe()
  }

  async #sealedUserKey(userPubkey: string): Promise<Uint8Array> {
    const sealed = await this.#loadUserKey(userPubkey)
    if (sealed === undefined) throw new Nip46Error("INVALID_KEY", `there is no user key ${userPubkey} here`)
    return sealed
  }

  #totpContext(ownerId: string): SealContext {
    return { purpose: "owner-totp", id: this.#id, of: ownerId }
  }

  #signedContext(slot: string): SealContext {
    return { purpose: "last-signed", id: this.#id, of: slot }
  }

  #sealed(key: Secret, context: SealContext, plaintext: Uint8Array): Uint8Array {
    return seal(key, context, plaintext, (length) => this.#crypto.randomBytes(length))
  }

  #seal(purpose: "user-key" | "transport-key", pubkey: string, secretKey: Uint8Array): Uint8Array {
    return this.#sealed(this.#subkeys.seal, { purpose, id: this.#id, of: pubkey }, secretKey)
  }

  #open(purpose: "user-key" | "transport-key", pubkey: string, sealed: Uint8Array): Keypair {
    return this.#unsealed(purpose, pubkey, sealed, (handle) => handle)
  }

  #unsealed<T>(
    purpose: "user-key" | "transport-key",
    pubkey: string,
    sealed: Uint8Array,
    use: (handle: Keypair, secretKey: Uint8Array) => T,
  ): T {
    if (this.#closed) throw new Nip46Error("INVALID_KEY", "the vault is closed")
    const secretKey = unseal(this.#subkeys.seal, { purpose, id: this.#id, of: pubkey }, sealed)
    try {
      const handle = this.#crypto.keypair(secretKey)
      if (handle.pubkey === pubkey) return use(handle, secretKey)
      handle.wipe()
      throw new Nip46Error("INVALID_KEY", `the sealed key of ${pubkey} is another one`)
    } finally {
      secretKey.fill(0)
    }
  }
}

function headContext(writer: string): SealContext {
  return { purpose: "audit-head", id: writer, of: "" }
}

function hmac(key: Secret, bytes: Uint8Array): Uint8Array {
  return key.use((secret) => new Uint8Array(createHmac("sha256", secret).update(bytes).digest()))
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex")
}
