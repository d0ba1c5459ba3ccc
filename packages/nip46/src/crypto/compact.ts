import { sha256 } from "@noble/hashes/sha2.js"
import { getSharedSecret, hashes, schnorr, utils } from "@noble/secp256k1"
import { attempt } from "../protocol/attempt.js"
import type { BackendOptions, Curve, Nip44Backend } from "./backend.js"
import { createNip44Backend } from "./create-nip44-backend.js"
import { evenPoint } from "./even-point.js"
import { nip44Primitives } from "./portable-primitives.js"

// The library brings no synchronous SHA-256 of its own.
hashes.sha256 = sha256

/** secp256k1 in a third of the bytes of `portableCurve`. */
export const compactCurve: Curve = {
  name: "noble-secp256k1",
  isSecretKey: (secretKey) => utils.isValidSecretKey(secretKey),
  isPublicKey: (pubkey) => pubkey.length === 32 && utils.isValidPublicKey(evenPoint(pubkey), true),
  publicKey: (secretKey) => schnorr.getPublicKey(secretKey),
  sign: (message, secretKey, aux) => schnorr.sign(message, secretKey, aux),
  verify: (signature, message, pubkey) => attempt(() => schnorr.verify(signature, message, pubkey)) === true,
  ecdh: (secretKey, pubkey) => getSharedSecret(secretKey, evenPoint(pubkey), true).slice(1),
}

/**
 * The backend of an app's bundle: all that a client needs, in as few bytes as that takes. Signers hold users' keys
 * and use `createPortableBackend`, whose curve was audited as it stands (docs/decisions/0007).
 */
export function createCompactBackend(options?: BackendOptions): Nip44Backend {
  return createNip44Backend(nip44Primitives, compactCurve, options)
}
