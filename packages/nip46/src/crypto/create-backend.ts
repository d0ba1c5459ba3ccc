import {
  type BackendOptions,
  type CryptoBackend,
  type Curve,
  DEFAULT_MAX_PAYLOAD_CHARS,
  type Primitives,
} from "./backend.js"
import { createNip44Backend } from "./create-nip44-backend.js"
import { nip04Decrypt, nip04Encrypt } from "./nip04.js"
import { withSharedX } from "./shared-x.js"

/**
 * A backend from exchangeable parts: that of NIP-44, and NIP-04.
 *
 * @example
 * const crypto = createBackend(portablePrimitives, portableCurve, { maxPayloadChars: 65_536 })
 */
export function createBackend(primitives: Primitives, curve: Curve, options: BackendOptions = {}): CryptoBackend {
  const { maxPayloadChars = DEFAULT_MAX_PAYLOAD_CHARS } = options
  return {
    ...createNip44Backend(primitives, curve, options),
    nip04Encrypt: (plaintext, keypair, pubkey) =>
      withSharedX(curve, keypair, pubkey, (sharedX) =>
        nip04Encrypt(primitives, plaintext, sharedX, undefined, maxPayloadChars),
      ),
    nip04Decrypt: (payload, keypair, pubkey) =>
      withSharedX(curve, keypair, pubkey, (sharedX) => nip04Decrypt(primitives, payload, sharedX, maxPayloadChars)),
  }
}
