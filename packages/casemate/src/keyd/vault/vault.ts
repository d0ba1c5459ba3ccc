import { createHmac } from "node:crypto"
import type { CryptoBackend, Keypair } from "@casemate/nip46/crypto"
import { Nip46Error } from "@casemate/nip46/protocol"
import type { Connection, SignerKeys } from "@casemate/nip46/signer"
import { KeypairCache } from "./keypair-cache.js"
import { deriveSubkeys, type SealContext, type Subkeys, seal, unseal } from "./seal.js"
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

/** Keys at rest and the handles on those in use. Nothing here returns a secret unsealed; one door lends it. */
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
    return this.#subkeys.auditMac.use((key) => new Uint8Array(createHmac("sha256", key).update(bytes).digest()))
  }

  sealAuditHead(writer: string, head: Uint8Array): Uint8Array {
    return seal(this.#subkeys.auditHead, headContext(writer), head, (length) => this.#crypto.randomBytes(length))
  }

  /** @throws `INVALID_KEY` */
  openAuditHead(writer: string, sealed: Uint8Array): Uint8Array {
    return unseal(this.#subkeys.auditHead, headContext(writer), sealed)
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

  #seal(purpose: "user-key" | "transport-key", pubkey: string, secretKey: Uint8Array): Uint8Array {
    const context: SealContext = { purpose, id: this.#id, pubkey }
    return seal(this.#subkeys.seal, context, secretKey, (length) => this.#crypto.randomBytes(length))
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
    const secretKey = unseal(this.#subkeys.seal, { purpose, id: this.#id, pubkey }, sealed)
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
  return { purpose: "audit-head", id: writer, pubkey: "" }
}
