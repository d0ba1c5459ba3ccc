import type { BackendOptions, CryptoBackend } from "../backend.js"
import { createBackend } from "../create-backend.js"
import { portableCurve } from "../portable.js"
import { nodePrimitives } from "./primitives.js"

export { nodePrimitives }

/**
 * The portable backend with the symmetric half done by node:crypto; byte-identical, several times faster.
 * For Node alone: the crypto libraries of Electron, Deno and Bun lack plain ChaCha20, so there use
 * `createPortableBackend`.
 *
 * @example
 * const crypto = createNodeBackend()
 * crypto.name // "noble + node:crypto"
 */
export function createNodeBackend(options?: BackendOptions): CryptoBackend {
  return createBackend(nodePrimitives, portableCurve, options)
}
