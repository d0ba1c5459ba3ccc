import { attempt } from "../protocol/attempt.js"
import { Nip46Error } from "../protocol/errors.js"
import { isWellFormed } from "../protocol/well-formed.js"
import { DEFAULT_MAX_PAYLOAD_CHARS, type Nip44Primitives } from "./backend.js"
import { equalBytes } from "./constant-time.js"
import { pad, paddedLenWithPrefix, unpad } from "./nip44-padding.js"
import { decodeUtf8, encodeUtf8 } from "./utf8.js"

const VERSION = 2
const SALT = encodeUtf8("nip44-v2")
const NONCE_LEN = 32
const MAC_LEN = 32
/** Version, nonce and MAC: what a payload holds besides the ciphertext. */
const OVERHEAD = 1 + NONCE_LEN + MAC_LEN
/** NIP-44 §Decryption step 2. */
const MIN_PAYLOAD_CHARS = 132
const MIN_PAYLOAD_BYTES = 99

export interface Nip44MessageKeys {
  chachaKey: Uint8Array
  chachaNonce: Uint8Array
  hmacKey: Uint8Array
}

/** NIP-44 §Encryption step 1, from the unhashed x of the shared point: HKDF-extract, which is one HMAC. */
export function nip44ConversationKey(primitives: Nip44Primitives, sharedX: Uint8Array): Uint8Array {
  return primitives.hmacSha256(SALT, sharedX)
}

/** NIP-44 §Encryption step 3. @throws `INVALID_KEY`, `ENCRYPTION_FAILED` when key or nonce are not 32 bytes */
export function nip44MessageKeys(
  primitives: Nip44Primitives,
  conversationKey: Uint8Array,
  nonce: Uint8Array,
): Nip44MessageKeys {
  if (conversationKey.length !== 32) throw new Nip46Error("INVALID_KEY", "a conversation key is 32 bytes long")
  if (nonce.length !== NONCE_LEN) throw new Nip46Error("ENCRYPTION_FAILED", "a NIP-44 nonce is 32 bytes long")
  const keys = primitives.hkdfExpand(conversationKey, nonce, 76)
  return { chachaKey: keys.subarray(0, 32), chachaNonce: keys.subarray(32, 44), hmacKey: keys.subarray(44, 76) }
}

/**
 * NIP-44 v2, §Encryption steps 2 to 7. `maxPayloadChars` is the cap that the other side of this very
 * function would apply: what it makes, it opens.
 *
 * @throws `ENCRYPTION_FAILED` for a plaintext that is empty, too long or not well-formed, `INVALID_KEY`
 */
export function nip44Encrypt(
  primitives: Nip44Primitives,
  plaintext: string,
  conversationKey: Uint8Array,
  nonce: Uint8Array = primitives.randomBytes(NONCE_LEN),
  maxPayloadChars: number = DEFAULT_MAX_PAYLOAD_CHARS,
): string {
  // A character is at least one byte, so the hopeless are refused before they are copied.
  if (plaintext.length > maxPayloadChars) throw tooLong()
  if (!isWellFormed(plaintext)) {
    throw new Nip46Error("ENCRYPTION_FAILED", "the plaintext holds a lone surrogate, which UTF-8 cannot carry")
  }
  const unpadded = encodeUtf8(plaintext)
  if (payloadChars(unpadded.length) > maxPayloadChars) throw tooLong()

  const keys = nip44MessageKeys(primitives, conversationKey, nonce)
  const padded = pad(unpadded)
  const ciphertext = primitives.chacha20(keys.chachaKey, keys.chachaNonce, padded)
  const mac = primitives.hmacSha256(keys.hmacKey, nonce, ciphertext)
  wipe(keys, unpadded, padded)

  const payload = new Uint8Array(OVERHEAD + ciphertext.length)
  payload[0] = VERSION
  payload.set(nonce, 1)
  payload.set(ciphertext, 1 + NONCE_LEN)
  payload.set(mac, 1 + NONCE_LEN + ciphertext.length)
  return primitives.base64Encode(payload)
}

/**
 * NIP-44 v2, §Decryption. The caller has verified the signature of the event that carried the payload.
 *
 * @throws `DECRYPTION_FAILED`, naming an unknown version and nothing else; `INVALID_KEY` for a
 * conversation key that is not 32 bytes
 */
export function nip44Decrypt(
  primitives: Nip44Primitives,
  payload: string,
  conversationKey: Uint8Array,
  maxPayloadChars: number = DEFAULT_MAX_PAYLOAD_CHARS,
): string {
  const { nonce, ciphertext, mac } = decodePayload(primitives, payload, maxPayloadChars)
  const keys = nip44MessageKeys(primitives, conversationKey, nonce)
  try {
    if (!equalBytes(primitives.hmacSha256(keys.hmacKey, nonce, ciphertext), mac)) throw doesNotOpen()
    const padded = primitives.chacha20(keys.chachaKey, keys.chachaNonce, ciphertext)
    const unpadded = unpad(padded)
    const plaintext = unpadded === undefined ? undefined : attempt(() => decodeUtf8(unpadded))
    padded.fill(0)
    if (plaintext === undefined) throw doesNotOpen()
    return plaintext
  } finally {
    wipe(keys)
  }
}

/** NIP-44, `decode_payload`: everything that is cheap to refuse is refused before base64. */
function decodePayload(primitives: Nip44Primitives, payload: string, maxPayloadChars: number) {
  if (typeof payload !== "string") throw doesNotOpen()
  if (payload.startsWith("#")) throw unknownVersion()
  if (payload.length < MIN_PAYLOAD_CHARS || payload.length > maxPayloadChars) throw doesNotOpen()
  const data = attempt(() => primitives.base64Decode(payload))
  if (data === undefined || data.length < MIN_PAYLOAD_BYTES) throw doesNotOpen()
  if (data[0] !== VERSION) throw unknownVersion()
  const macStart = data.length - MAC_LEN
  return {
    nonce: data.subarray(1, 1 + NONCE_LEN),
    ciphertext: data.subarray(1 + NONCE_LEN, macStart),
    mac: data.subarray(macStart),
  }
}

function payloadChars(unpaddedLen: number): number {
  return Math.ceil((OVERHEAD + paddedLenWithPrefix(unpaddedLen)) / 3) * 4
}

function wipe(keys: Nip44MessageKeys, ...others: Uint8Array[]): void {
  for (const bytes of [keys.chachaKey, keys.chachaNonce, keys.hmacKey, ...others]) bytes.fill(0)
}

function tooLong(): Nip46Error {
  return new Nip46Error("ENCRYPTION_FAILED", "the plaintext is too long for the largest payload allowed")
}

function unknownVersion(): Nip46Error {
  return new Nip46Error("DECRYPTION_FAILED", "the encryption version of the NIP-44 payload is not supported")
}

function doesNotOpen(): Nip46Error {
  return new Nip46Error("DECRYPTION_FAILED", "the NIP-44 payload does not open")
}
