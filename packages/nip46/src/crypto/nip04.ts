import { Nip46Error } from "../protocol/errors.js"
import { isWellFormed } from "../protocol/well-formed.js"
import { DEFAULT_MAX_PAYLOAD_CHARS, type Primitives } from "./backend.js"
import { decodeUtf8, encodeUtf8 } from "./utf8.js"

const SEPARATOR = "?iv="
const BLOCK_LEN = 16
/** 16 bytes of IV in base64. */
const IV_CHARS = 24

/**
 * NIP-04: AES-256-CBC under the unhashed x of the shared point, `<base64>?iv=<base64>`. An empty plaintext
 * is allowed. NIP-04 is not authenticated: use it only where the other side knows nothing better.
 *
 * @throws `ENCRYPTION_FAILED` for a plaintext that is too long or not well-formed
 */
export function nip04Encrypt(
  primitives: Primitives,
  plaintext: string,
  sharedX: Uint8Array,
  iv: Uint8Array = primitives.randomBytes(BLOCK_LEN),
  maxPayloadChars: number = DEFAULT_MAX_PAYLOAD_CHARS,
): string {
  // A character is at least one byte, so the hopeless are refused before they are copied.
  if (plaintext.length > maxPayloadChars) throw tooLong()
  if (!isWellFormed(plaintext)) {
    throw new Nip46Error("ENCRYPTION_FAILED", "the plaintext holds a lone surrogate, which UTF-8 cannot carry")
  }
  const bytes = encodeUtf8(plaintext)
  if (payloadChars(bytes.length) > maxPayloadChars) throw tooLong()
  const ciphertext = primitives.aes256CbcEncrypt(sharedX, iv, bytes)
  bytes.fill(0)
  return primitives.base64Encode(ciphertext) + SEPARATOR + primitives.base64Encode(iv)
}

/**
 * Opens what `nip04Encrypt` makes. Shape, base64, padding and UTF-8 fail with one error and one message:
 * without a MAC, telling them apart would let an attacker decrypt by asking (a padding oracle).
 *
 * @throws `DECRYPTION_FAILED`
 */
export function nip04Decrypt(
  primitives: Primitives,
  payload: string,
  sharedX: Uint8Array,
  maxPayloadChars: number = DEFAULT_MAX_PAYLOAD_CHARS,
): string {
  try {
    return open(primitives, payload, sharedX, maxPayloadChars)
  } catch {
    throw new Nip46Error("DECRYPTION_FAILED", "the NIP-04 payload does not open")
  }
}

/** Its errors carry no text: the caller has one for all of them. */
function open(primitives: Primitives, payload: string, sharedX: Uint8Array, maxPayloadChars: number): string {
  if (payload.length > maxPayloadChars) throw new Error()
  const split = payload.length - IV_CHARS - SEPARATOR.length
  if (split < 0 || payload.indexOf(SEPARATOR) !== split) throw new Error()
  const iv = primitives.base64Decode(payload.slice(split + SEPARATOR.length))
  const ciphertext = primitives.base64Decode(payload.slice(0, split))
  if (iv.length !== BLOCK_LEN || ciphertext.length === 0 || ciphertext.length % BLOCK_LEN !== 0) throw new Error()
  const bytes = primitives.aes256CbcDecrypt(sharedX, iv, ciphertext)
  try {
    return decodeUtf8(bytes)
  } finally {
    bytes.fill(0)
  }
}

function payloadChars(plaintextLen: number): number {
  const ciphertextLen = plaintextLen + BLOCK_LEN - (plaintextLen % BLOCK_LEN)
  return Math.ceil(ciphertextLen / 3) * 4 + SEPARATOR.length + IV_CHARS
}

function tooLong(): Nip46Error {
  return new Nip46Error("ENCRYPTION_FAILED", "the plaintext is too long for the largest payload allowed")
}
