import type { CryptoBackend, Keypair } from "../crypto/backend.js"
import { Nip46Error } from "../protocol/errors.js"
import type { SignerKeys } from "./ports.js"

/** Keys that a test can add to and wipe. */
export interface MemoryKeys extends SignerKeys {
  /** Makes a user key, or takes one. Gives the user-pubkey. @throws `INVALID_KEY` */
  addUserKey(secretKey?: Uint8Array): string
  /** Wipes every key; each is `INVALID_KEY` from then on. */
  close(): void
}

/**
 * Keys that live as long as the process, unsealed in memory: for tests, and for signer authors who begin.
 * Not for a signer that people use: what "seals" a transport key here is only its number in a list.
 *
 * @example
 * const keys = createMemoryKeys(crypto)
 * const engine = new SignerEngine({ record: createMemoryRecord(), keys, crypto })
 * await engine.offer({ userPubkey: keys.addUserKey(), permissions: [], relays: ["wss://relay.example"], ttl: 600 })
 */
export function createMemoryKeys(crypto: CryptoBackend): MemoryKeys {
  const transport: Keypair[] = []
  const user = new Map<string, Keypair>()

  function fresh(given?: Uint8Array): Keypair {
    const secretKey = given ?? crypto.generateSecretKey()
    try {
      return crypto.keypair(secretKey)
    } finally {
      // What the caller gave is the caller's to wipe.
      if (given === undefined) secretKey.fill(0)
    }
  }

  return {
    addUserKey(secretKey) {
      const keypair = fresh(secretKey)
      user.set(keypair.pubkey, keypair)
      return keypair.pubkey
    },
    close() {
      for (const keypair of [...transport, ...user.values()]) keypair.wipe()
      transport.length = 0
      user.clear()
    },
    async createTransportKey() {
      const keypair = fresh()
      const sealed = new Uint8Array(4)
      new DataView(sealed.buffer).setUint32(0, transport.push(keypair) - 1)
      return { pubkey: keypair.pubkey, sealed }
    },
    async transportKey({ sealedTransportKey: sealed, remoteSignerPubkey }) {
      const at = sealed.length === 4 ? new DataView(sealed.buffer, sealed.byteOffset).getUint32(0) : -1
      const keypair = transport[at]
      if (keypair?.pubkey !== remoteSignerPubkey) throw new Nip46Error("INVALID_KEY", "this transport key is not here")
      return keypair
    },
    async userKey(userPubkey) {
      const keypair = user.get(userPubkey)
      if (keypair === undefined) throw new Nip46Error("INVALID_KEY", "this user key is not here")
      return keypair
    },
  }
}
