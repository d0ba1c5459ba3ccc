/** `@casemate/nip46/protocol`: the words of NIP-46. Pure: no I/O, no cryptography. */
export { type ClientMetadata, parseClientMetadata, readClientMetadata } from "./client-metadata.js"
export {
  type BunkerToken,
  buildBunkerToken,
  buildNostrconnectToken,
  type NostrconnectToken,
  parseBunkerToken,
  parseNostrconnectToken,
} from "./connection-token.js"
export { ERROR_CODES, type ErrorCode, Nip46Error, type Nip46ErrorOptions } from "./errors.js"
export {
  CLIENT_AUTHENTICATION_KIND,
  type EventTemplate,
  isEventShape,
  isKind,
  isTags,
  isTimestamp,
  MAX_KIND,
  NOSTR_CONNECT_KIND,
  type NostrEvent,
  serializeEvent,
  type UnsignedEvent,
} from "./event.js"
export { type ParsedTemplate, parseEventTemplate } from "./event-template.js"
export { isHex32, isHex64 } from "./hex.js"
export * from "./limits.js"
export {
  encodeError,
  encodeRequest,
  encodeResult,
  type ParsedRequest,
  parseRequest,
  type Request,
  type RequestId,
} from "./message.js"
export { FREE_METHODS, isFreeMethod, isMethod, METHODS, type Method } from "./method.js"
export {
  formatPermission,
  formatPermissions,
  type Permission,
  parsePermissions,
  readPermissions,
} from "./permission.js"
export { isPrivateAddress } from "./private-address.js"
export { isLoopbackRelay, normalizeRelayUrl, normalizeRelayUrls, sameRelays } from "./relay-url.js"
export { parseResponse, type Response } from "./response.js"
export { TOKEN_FINDING_CODES, type TokenFinding, type TokenFindingCode } from "./token-finding.js"
export { type InspectOptions, inspectToken, type TokenReport } from "./token-report.js"
