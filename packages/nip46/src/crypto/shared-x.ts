import { attempt } from "../protocol/attempt.js"
import { Nip46Error } from "../protocol/errors.js"
import { hexToBytes, isHex32 } from "../protocol/hex.js"
import type { Curve, Keypair } from "./backend.js"
import { secretOf } from "./keypair.js"

/** Lends the x of the shared point, and wipes it. @throws `INVALID_KEY` */
export function withSharedX<T>(curve: Curve, keypair: Keypair, pubkey: string, use: (sharedX: Uint8Array) => T): T {
  const secret = secretOf(keypair)
  // No cause: what a curve says of its arguments stays here.
  const sharedX = isHex32(pubkey) ? attempt(() => curve.ecdh(secret, hexToBytes(pubkey))) : undefined
  if (sharedX === undefined) {
    throw new Nip46Error("INVALID_KEY", "a public key is 64 lower-case hex digits, the x of a point on secp256k1")
  }
  try {
    return use(sharedX)
  } finally {
    sharedX.fill(0)
  }
}
