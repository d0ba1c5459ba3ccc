import type { EventTemplate, NostrEvent, UnsignedEvent } from "../protocol/event.js"

/**
 * A handle on a secret key. It can sign and derive, but nobody can read the key out of it;
 * `wipe` zeroes the bytes where JavaScript can, after which every use throws `INVALID_KEY`.
 *
 * A handle made by one backend works in every other of the same copy of this library. Anything else that
 * looks like one (a spread, a clone, a proxy, a handle of a second copy) is refused with `INVALID_KEY`.
 */
export interface Keypair {
  /** x-only public key, 64 lower-case hex digits (BIP-340). */
  readonly pubkey: string
  wipe(): void
}

/**
 * The symmetric primitives that NIP-44 is made of. Implementations are exchangeable and byte-identical; one test
 * suite holds them to that.
 */
export interface Nip44Primitives {
  /** For logs: "noble", "node:crypto". */
  readonly name: string
  randomBytes(length: number): Uint8Array
  sha256(data: Uint8Array): Uint8Array
  /** HMAC-SHA256 over the parts as if concatenated (RFC 2104). */
  hmacSha256(key: Uint8Array, ...parts: Uint8Array[]): Uint8Array
  /** RFC 5869 with SHA-256. */
  hkdfExpand(prk: Uint8Array, info: Uint8Array, length: number): Uint8Array
  /** RFC 8439, counter from 0, 12-byte nonce. Encrypts and decrypts. */
  chacha20(key: Uint8Array, nonce: Uint8Array, data: Uint8Array): Uint8Array
  /** RFC 4648 §4 with padding. A primitive because in JavaScript it would cost more than all of NIP-44 on Node. */
  base64Encode(data: Uint8Array): string
  /** The one canonical spelling only. @throws any error for white space, missing padding or stray trailing bits */
  base64Decode(text: string): Uint8Array
}

/** With those that NIP-04 is made of. */
export interface Primitives extends Nip44Primitives {
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
  /** True for the x of a point on the curve (BIP-340 lift_x). */
  isPublicKey(pubkey: Uint8Array): boolean
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
 * The longest payload that is opened or made unless the caller says otherwise: room for a plaintext of
 * 10 MiB, 200 times what a relay carries, while a hostile payload costs tens of megabytes and not gigabytes
 * (NIP-44 §Implementation considerations asks for such a cap before base64).
 */
export const DEFAULT_MAX_PAYLOAD_CHARS = 16 * 1024 * 1024

export interface BackendOptions {
  /** Cap on the characters of a NIP-44 or NIP-04 payload, both ways. Default 16 MiB. */
  maxPayloadChars?: number
}

/**
 * All cryptography that a client does, behind one interface. Keys are handles, pubkeys and signatures
 * lower-case hex, plaintexts strings (a leading BOM survives).
 *
 * Errors: `INVALID_KEY` for a key that is not one, `ENCRYPTION_FAILED` and `DECRYPTION_FAILED` for
 * payloads. Decryption has one message for every cause but one: NIP-44 asks that an unknown version,
 * which anyone can read off the payload, is named.
 */
export interface Nip44Backend {
  /** For logs: "noble + node:crypto". */
  readonly name: string
  randomBytes(length: number): Uint8Array
  sha256(data: Uint8Array): Uint8Array
  /** HMAC-SHA256 (RFC 2104), 32 bytes. */
  hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array
  /** A fresh random secret key, 32 bytes, valid for the curve. The caller owns and wipes it. */
  generateSecretKey(): Uint8Array
  /** Copies the bytes: the caller may wipe its own. @throws `INVALID_KEY` */
  keypair(secretKey: Uint8Array): Keypair
  /** True for 64 lower-case hex digits that are the x of a point on the curve. */
  isPubkey(pubkey: string): boolean

  /** SHA-256 of the NIP-01 serialisation, lower-case hex. */
  eventId(event: UnsignedEvent): string
  /** Fills pubkey, id and sig; copies the tags, drops unknown fields. @throws `INVALID_EVENT`, `INVALID_KEY` */
  signEvent(template: EventTemplate, keypair: Keypair): NostrEvent
  /** True when the shape is NIP-01's, the id is that of the bytes and the signature holds. Never throws. */
  verifyEvent(event: NostrEvent): boolean
  /**
   * The signature alone, over an id that the caller has computed itself from the bytes of this very event.
   * False when the event claims another id.
   */
  verifyEventSignature(event: NostrEvent, computedId: string): boolean

  /** NIP-44 §Encryption step 1; 32 bytes. The same for both parties. @throws `INVALID_KEY` */
  conversationKey(keypair: Keypair, pubkey: string): Uint8Array
  /**
   * NIP-44 v2. `nonce` (32 bytes) is for test vectors only.
   * @throws `ENCRYPTION_FAILED` for a plaintext that is empty, too long or holds a lone surrogate;
   * `INVALID_KEY` for a conversation key that is not 32 bytes
   */
  nip44Encrypt(plaintext: string, conversationKey: Uint8Array, nonce?: Uint8Array): string
  /** NIP-44 v2. @throws `DECRYPTION_FAILED`; `INVALID_KEY` for a conversation key that is not 32 bytes */
  nip44Decrypt(payload: string, conversationKey: Uint8Array): string
}

/** All cryptography that Casemate does: a signer is asked for NIP-04 too. */
export interface CryptoBackend extends Nip44Backend {
  /** NIP-04, `<base64>?iv=<base64>`. @throws `INVALID_KEY`, `ENCRYPTION_FAILED` */
  nip04Encrypt(plaintext: string, keypair: Keypair, pubkey: string): string
  /** NIP-04. One error for every failure, so that it is no padding oracle. @throws `DECRYPTION_FAILED`, `INVALID_KEY` */
  nip04Decrypt(payload: string, keypair: Keypair, pubkey: string): string
}
