/** `@casemate/nip46/signer`: the remote-signer as an engine over ports. */

export { BoundedMap } from "../crypto/bounded-map.js"
export type { Acceptance, AcceptOptions } from "./accept.js"
export type { Answer } from "./answerer.js"
export type { ApprovalOptions, Approvals, DecideOutcome, OpenedApproval, OwnerDecision } from "./approvals.js"
export { LATE_FOR } from "./approvals.js"
export {
  type Ask,
  type AuthorizeContext,
  authorize,
  canDecide,
  hasUses,
  isDead,
  MAX_GRANTS,
  used,
  type Verdict,
} from "./authorize.js"
export { commonPermissions } from "./common-permissions.js"
export {
  type IgnoreReason,
  MAX_CLOCK_SKEW,
  type Outcome,
  SignerEngine,
  type SignerOptions,
  type SignerPorts,
} from "./engine.js"
export { createMemoryKeys, type MemoryKeys } from "./memory-keys.js"
export { createMemoryRecord, type MemoryRecord } from "./memory-record.js"
export { newGrant } from "./new-connection.js"
export type { OfferOptions } from "./offer.js"
export * from "./ports.js"
export { isPresetName, PRESETS, type Preset } from "./presets.js"
export type { Scope } from "./scope.js"
export { FORBIDDEN_KINDS, SENSITIVE_KINDS } from "./sensitive-kinds.js"
export { type Rate, TokenBucket } from "./token-bucket.js"
