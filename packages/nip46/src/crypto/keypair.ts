import { Nip46Error } from "../protocol/errors.js"
import type { Keypair } from "./backend.js"

// Outside the handles, so that no inspection, clone, spread or `constructor` of one leads to its bytes. Shared
// by all backends, so that a handle works in each of them.
const secrets = new WeakMap<Keypair, Uint8Array>()

/** What else has to go when a secret does, by the very bytes behind a handle. */
const onWipe = new WeakMap<Uint8Array, Set<(secret: Uint8Array) => void>>()

/** Copies the secret. The caller has checked it and derived the pubkey from it. */
export function createKeypair(secretKey: Uint8Array, pubkey: string): Keypair {
  const secret = Uint8Array.from(secretKey)
  const keypair: Keypair = Object.freeze({
    pubkey,
    wipe() {
      secret.fill(0)
      for (const forget of onWipe.get(secret) ?? []) forget(secret)
      onWipe.delete(secret)
      secrets.delete(keypair)
    },
  })
  secrets.set(keypair, secret)
  return keypair
}

/** The live bytes behind a handle: for one curve call, not to be kept or returned. @throws `INVALID_KEY` */
export function secretOf(keypair: Keypair): Uint8Array {
  const secret = secrets.get(keypair)
  if (secret === undefined) {
    throw new Nip46Error("INVALID_KEY", "the keypair was wiped, or was not made by this library's keypair()")
  }
  return secret
}

/**
 * Calls once the handle behind these bytes is wiped; for what a curve derived from them and keeps. The same
 * function is remembered once, however often what it forgets is derived anew.
 */
export function whenWiped(secret: Uint8Array, forget: (secret: Uint8Array) => void): void {
  const calls = onWipe.get(secret) ?? new Set()
  calls.add(forget)
  onWipe.set(secret, calls)
}
