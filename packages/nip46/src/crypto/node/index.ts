import type { BackendOptions, CryptoBackend } from "../backend.js"
import { createBackend } from "../create-backend.js"
import { type CurveKind, chooseCurve } from "./choose-curve.js"
import { nodePrimitives } from "./primitives.js"

export { type ChosenCurve, CURVE_KINDS, type CurveKind, chooseCurve } from "./choose-curve.js"
export { nodePrimitives }

export interface NodeBackendOptions extends BackendOptions {
  /** The fastest that is installed by default: `native` needs koffi and libsecp256k1, `wasm` tiny-secp256k1. */
  curve?: CurveKind | undefined
}

/**
 * The fastest backend of this machine: symmetric cryptography by node:crypto, the curve by libsecp256k1 where that is
 * installed. Byte-identical with the portable one. For Node alone: the crypto libraries of Electron, Deno and Bun lack
 * plain ChaCha20, so there use `createPortableBackend`.
 *
 * @throws `BACKEND_UNAVAILABLE` when the curve that is asked for is not here
 * @example
 * const crypto = createNodeBackend({ curve: "portable" })
 * crypto.name // "noble + node:crypto"
 */
export function createNodeBackend({ curve, ...options }: NodeBackendOptions = {}): CryptoBackend {
  return createBackend(nodePrimitives, chooseCurve(curve).curve, options)
}
