import { createECDH } from "node:crypto"
import { createRequire } from "node:module"
import type { Curve } from "../backend.js"
import { evenPoint } from "../even-point.js"

/** The part of `tiny-secp256k1` that is used. */
interface TinySecp256k1 {
  isPrivate(secretKey: Uint8Array): boolean
  isXOnlyPoint(pubkey: Uint8Array): boolean
  xOnlyPointFromScalar(secretKey: Uint8Array): Uint8Array
  signSchnorr(message: Uint8Array, secretKey: Uint8Array, aux: Uint8Array): Uint8Array
  verifySchnorr(message: Uint8Array, pubkey: Uint8Array, signature: Uint8Array): boolean
}

/**
 * libsecp256k1 in WebAssembly, through `tiny-secp256k1`, for signatures; node:crypto for the shared point, where the
 * WebAssembly is not constant-time. About ten times the speed of JavaScript.
 *
 * @throws an Error that says why there is none
 */
export function loadWasmCurve(): Curve {
  const tiny = createRequire(import.meta.url)("tiny-secp256k1") as TinySecp256k1
  return {
    name: "tiny-secp256k1",
    isSecretKey: (secretKey) => secretKey.length === 32 && tiny.isPrivate(secretKey),
    isPublicKey: (pubkey) => pubkey.length === 32 && tiny.isXOnlyPoint(pubkey),
    publicKey: (secretKey) => tiny.xOnlyPointFromScalar(secretKey).slice(),
    sign: (message, secretKey, aux) => tiny.signSchnorr(message, secretKey, aux).slice(),
    verify(signature, message, pubkey) {
      try {
        return tiny.verifySchnorr(message, pubkey, signature)
      } catch {
        // It throws for what is no point, no message and no signature.
        return false
      }
    },
    ecdh(secretKey, pubkey) {
      if (secretKey.length !== 32 || pubkey.length !== 32) throw new RangeError("keys are 32 bytes")
      const ecdh = createECDH("secp256k1")
      ecdh.setPrivateKey(secretKey)
      const secret = ecdh.computeSecret(evenPoint(pubkey))
      const shared = Uint8Array.from(secret)
      secret.fill(0)
      return shared
    },
  }
}
