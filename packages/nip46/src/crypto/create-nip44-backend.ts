import { isBytes } from "@noble/hashes/utils.js"
import { Nip46Error } from "../protocol/errors.js"
import {
  type EventTemplate,
  isEventShape,
  isTemplateShape,
  type NostrEvent,
  serializeEvent,
  type UnsignedEvent,
} from "../protocol/event.js"
import { bytesToHex, hexToBytes, isHex32, isHex64 } from "../protocol/hex.js"
import {
  type BackendOptions,
  type Curve,
  DEFAULT_MAX_PAYLOAD_CHARS,
  type Keypair,
  type Nip44Backend,
  type Nip44Primitives,
} from "./backend.js"
import { createKeypair, secretOf } from "./keypair.js"
import { nip44ConversationKey, nip44Decrypt, nip44Encrypt } from "./nip44.js"
import { withSharedX } from "./shared-x.js"
import { encodeUtf8 } from "./utf8.js"

/**
 * A backend from exchangeable parts. Every length and encoding is checked here, in JavaScript, so that a
 * native curve never sees a malformed argument. It holds no state and caches no verdict: whether an event
 * is genuine is computed from its bytes each time.
 *
 * @example
 * const crypto = createNip44Backend(portablePrimitives, portableCurve, { maxPayloadChars: 65_536 })
 */
export function createNip44Backend(
  primitives: Nip44Primitives,
  curve: Curve,
  options: BackendOptions = {},
): Nip44Backend {
  const { maxPayloadChars = DEFAULT_MAX_PAYLOAD_CHARS } = options

  function generateSecretKey(): Uint8Array {
    // One draw in 2^128 is no scalar. Four in a row mean that the generator is broken.
    for (let draw = 0; draw < 4; draw++) {
      const secretKey = primitives.randomBytes(32)
      if (curve.isSecretKey(secretKey)) return secretKey
    }
    throw new Nip46Error("INVALID_KEY", "the random generator gives no usable secret key")
  }

  function keypair(secretKey: Uint8Array): Keypair {
    if (!isBytes(secretKey) || secretKey.length !== 32 || !curve.isSecretKey(secretKey)) {
      throw new Nip46Error("INVALID_KEY", "a secret key is 32 bytes, from 1 to the order of secp256k1 minus 1")
    }
    return createKeypair(secretKey, bytesToHex(curve.publicKey(secretKey)))
  }

  function isPubkey(pubkey: string): boolean {
    return isHex32(pubkey) && curve.isPublicKey(hexToBytes(pubkey))
  }

  function eventId(event: UnsignedEvent): string {
    return bytesToHex(primitives.sha256(encodeUtf8(serializeEvent(event))))
  }

  function signEvent(template: EventTemplate, keypair: Keypair): NostrEvent {
    const secret = secretOf(keypair)
    const { kind, content, tags, created_at } = template
    if (!isTemplateShape({ kind, content, tags, created_at })) {
      throw new Nip46Error("INVALID_EVENT", "the event to sign does not have the shape that NIP-01 asks for")
    }
    const unsigned = { pubkey: keypair.pubkey, created_at, kind, tags: tags.map((tag) => [...tag]), content }
    const id = eventId(unsigned)
    const sig = bytesToHex(curve.sign(hexToBytes(id), secret, primitives.randomBytes(32)))
    return { id, ...unsigned, sig }
  }

  function verifyEvent(event: NostrEvent): boolean {
    // The shape first: it holds the id to 64 lower-case hex before anything is computed.
    return isEventShape(event) && verifyEventSignature(event, eventId(event))
  }

  function verifyEventSignature({ id, pubkey, sig }: NostrEvent, computedId: string): boolean {
    if (!isHex32(id) || id !== computedId || !isHex32(pubkey) || !isHex64(sig)) return false
    return curve.verify(hexToBytes(sig), hexToBytes(computedId), hexToBytes(pubkey))
  }

  return {
    name: `${curve.name} + ${primitives.name}`,
    randomBytes: (length) => primitives.randomBytes(length),
    sha256: (data) => primitives.sha256(data),
    hmacSha256: (key, data) => primitives.hmacSha256(key, data),
    generateSecretKey,
    keypair,
    isPubkey,
    eventId,
    signEvent,
    verifyEvent,
    verifyEventSignature,
    conversationKey: (keypair, pubkey) =>
      withSharedX(curve, keypair, pubkey, (sharedX) => nip44ConversationKey(primitives, sharedX)),
    nip44Encrypt: (plaintext, conversationKey, nonce) =>
      nip44Encrypt(primitives, plaintext, conversationKey, nonce, maxPayloadChars),
    nip44Decrypt: (payload, conversationKey) => nip44Decrypt(primitives, payload, conversationKey, maxPayloadChars),
  }
}
