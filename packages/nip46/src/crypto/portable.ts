import { cbc } from "@noble/ciphers/aes.js"
import { schnorr } from "@noble/curves/secp256k1.js"
import { attempt } from "../protocol/attempt.js"
import type { BackendOptions, CryptoBackend, Curve, Primitives } from "./backend.js"
import { createBackend } from "./create-backend.js"
import { evenPoint } from "./even-point.js"
import { nip44Primitives } from "./portable-primitives.js"

/** The primitives in JavaScript: every browser, Node, Deno and Bun. */
export const portablePrimitives: Primitives = {
  ...nip44Primitives,
  aes256CbcEncrypt: (key, iv, plaintext) => cbc(key, iv).encrypt(plaintext),
  aes256CbcDecrypt: (key, iv, ciphertext) => cbc(key, iv).decrypt(ciphertext),
}

// Point, and not noble's ECDSA object with its getSharedSecret, keeps ECDSA out of an app's bundle.
const { Point } = schnorr

const liftX = (pubkey: Uint8Array) => Point.fromBytes(evenPoint(pubkey))

/** secp256k1 in JavaScript. */
export const portableCurve: Curve = {
  name: "noble",
  isSecretKey: (secretKey) => attempt(() => Point.Fn.isValidNot0(Point.Fn.fromBytes(secretKey))) === true,
  isPublicKey: (pubkey) => attempt(() => liftX(pubkey)) !== undefined,
  publicKey: (secretKey) => schnorr.getPublicKey(secretKey),
  sign: (message, secretKey, aux) => schnorr.sign(message, secretKey, aux),
  verify: (signature, message, pubkey) => attempt(() => schnorr.verify(signature, message, pubkey)) === true,
  ecdh: (secretKey, pubkey) => liftX(pubkey).multiply(Point.Fn.fromBytes(secretKey)).toBytes(true).slice(1),
}

/**
 * The backend that runs anywhere, with nothing native.
 *
 * @example
 * const crypto = createPortableBackend()
 * const keypair = crypto.keypair(crypto.generateSecretKey())
 * const event = crypto.signEvent({ kind: 1, content: "hi", tags: [], created_at: 1700000000 }, keypair)
 * crypto.verifyEvent(event) // true
 */
export function createPortableBackend(options?: BackendOptions): CryptoBackend {
  return createBackend(portablePrimitives, portableCurve, options)
}
