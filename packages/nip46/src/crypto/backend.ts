import type { EventTemplate, NostrEvent, UnsignedEvent } from "../protocol/event.js"

/**
 * A handle on a secret key. It can sign and derive, but nobody can read the key out of it;
 * `wipe` zeroes the bytes where JavaScript can, after which every use throws `INVALID_KEY`.
 */
export interface Keypair {
  /** x-only public key, 64 lower-case hex digits (BIP-340). */
  readonly pubkey: string
  wipe(): void
}

/**
 * The symmetric primitives that NIP-44 and NIP-04 are made of. Implementations are exchangeable and
 * byte-identical; one test suite holds them to that.
 */
export interface Primitives {
  /** For logs: "portable", "node". */
  readonly name: string
  randomBytes(length: number): Uint8Array
  sha256(data: Uint8Array): Uint8Array
  /** HMAC-SHA256 over the parts as if concatenated (RFC 2104). */
  hmacSha256(key: Uint8Array, ...parts: Uint8Array[]): Uint8Array
  /** RFC 5869 with SHA-256. */
  hkdfExpand(prk: Uint8Array, info: Uint8Array, length: number): Uint8Array
  /** RFC 8439, counter from 0, 12-byte nonce. Encrypts and decrypts. */
  chacha20(key: Uint8Array, nonce: Uint8Array, data: Uint8Array): Uint8Array
  /** AES-256-CBC with PKCS#7 padding (NIP-04). */
  aes256CbcEncrypt(key: Uint8Array, iv: Uint8Array, plaintext: Uint8Array): Uint8Array
  /** @throws any error when the padding does not hold; the caller maps all to one. */
  aes256CbcDecrypt(key: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array): Uint8Array
}

/**
 * secp256k1 as Nostr uses it. Lengths and encodings are checked by the caller (`createBackend`), so
 * that a native implementation never sees a malformed argument.
 */
export interface Curve {
  readonly name: string
  /** True for a scalar in 1..n-1. */
  isSecretKey(secretKey: Uint8Array): boolean
  /** x-only public key, 32 bytes. */
  publicKey(secretKey: Uint8Array): Uint8Array
  /** BIP-340 over a 32-byte message with 32 bytes of auxiliary randomness; 64 bytes. */
  sign(message: Uint8Array, secretKey: Uint8Array, aux: Uint8Array): Uint8Array
  /** BIP-340; false for anything that does not verify, never an exception. */
  verify(signature: Uint8Array, message: Uint8Array, pubkey: Uint8Array): boolean
  /** x coordinate of the shared point, 32 bytes, unhashed (NIP-44 §Implementation). @throws for a pubkey off the curve */
  ecdh(secretKey: Uint8Array, pubkey: Uint8Array): Uint8Array
}

/**
 * All cryptography that Casemate does, behind one interface. Keys are handles, pubkeys and signatures
 * lower-case hex, plaintexts strings (a leading BOM survives).
 *
 * Errors: `INVALID_KEY` for a key that is not one, `ENCRYPTION_FAILED` and `DECRYPTION_FAILED` for
 * payloads; decryption has one message for every cause.
 */
export interface CryptoBackend {
  /** For logs: "noble + node:crypto". */
  readonly name: string
  randomBytes(length: number): Uint8Array
  sha256(data: Uint8Array): Uint8Array
  /** A fresh random secret key, 32 bytes, valid for the curve. The caller owns and wipes it. */
  generateSecretKey(): Uint8Array
  /** Copies the bytes: the caller may wipe its own. @throws `INVALID_KEY` */
  keypair(secretKey: Uint8Array): Keypair
  /** True for 64 lower-case hex digits that are the x of a point on the curve. */
  isPubkey(pubkey: string): boolean

  /** SHA-256 of the NIP-01 serialisation, lower-case hex. */
  eventId(event: UnsignedEvent): string
  /** Fills pubkey, id and sig. */
  signEvent(template: EventTemplate, keypair: Keypair): NostrEvent
  /** True when the id is that of the bytes and the signature holds. Never throws for a well-shaped event. */
  verifyEvent(event: NostrEvent): boolean
  /** The signature alone, over an id that the caller has computed itself. */
  verifyEventSignature(event: NostrEvent, computedId: string): boolean

  /** NIP-44 §Encryption step 1; 32 bytes. The same for both parties. @throws `INVALID_KEY` */
  conversationKey(keypair: Keypair, pubkey: string): Uint8Array
  /** NIP-44 v2. `nonce` (32 bytes) is for test vectors only. @throws `ENCRYPTION_FAILED` for an empty plaintext */
  nip44Encrypt(plaintext: string, conversationKey: Uint8Array, nonce?: Uint8Array): string
  /** NIP-44 v2. @throws `DECRYPTION_FAILED` */
  nip44Decrypt(payload: string, conversationKey: Uint8Array): string

  /** NIP-04, `<base64>?iv=<base64>`. @throws `INVALID_KEY`, `ENCRYPTION_FAILED` */
  nip04Encrypt(plaintext: string, keypair: Keypair, pubkey: string): string
  /** NIP-04. One error for every failure, so that it is no padding oracle. @throws `DECRYPTION_FAILED`, `INVALID_KEY` */
  nip04Decrypt(payload: string, keypair: Keypair, pubkey: string): string
}
