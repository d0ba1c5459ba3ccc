export {
  type BackendOptions,
  type CryptoBackend,
  type Curve,
  DEFAULT_MAX_PAYLOAD_CHARS,
  type Keypair,
  type Nip44Backend,
  type Nip44Primitives,
  type Primitives,
} from "./backend.js"
export { compactCurve, createCompactBackend } from "./compact.js"
export { equalBytes } from "./constant-time.js"
export { createBackend } from "./create-backend.js"
export { createNip44Backend } from "./create-nip44-backend.js"
export { nip04Decrypt, nip04Encrypt } from "./nip04.js"
export {
  type Nip44MessageKeys,
  nip44ConversationKey,
  nip44Decrypt,
  nip44Encrypt,
  nip44MessageKeys,
} from "./nip44.js"
export { calcPaddedLen } from "./nip44-padding.js"
export { createPortableBackend, portableCurve, portablePrimitives } from "./portable.js"
