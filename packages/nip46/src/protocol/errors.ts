/**
 * Every way in which Casemate can refuse, by stable code.
 * The code is the contract; the message is one sentence for a person: what is wrong and what to do.
 */
export const ERROR_CODES = [
  /** A connection token that cannot be read; `details.field` names the part. */
  "INVALID_TOKEN",
  /** A permission string outside `method[:param]` (NIP-46 §Requested permissions). */
  "INVALID_PERMISSION",
  /** A request or response whose plaintext is not a NIP-46 message. */
  "INVALID_MESSAGE",
  /** An event that NIP-01 does not allow: shape, id or signature. */
  "INVALID_EVENT",
  /** A public or secret key that is not a valid secp256k1 key. */
  "INVALID_KEY",
  /** Cryptography that was asked for and is not installed here. */
  "BACKEND_UNAVAILABLE",
  /** A relay URL that cannot be dialled. */
  "INVALID_RELAY",
  /** A payload that NIP-44 or NIP-04 cannot encrypt. */
  "ENCRYPTION_FAILED",
  /** A payload that does not open: one code for every cause, so that it tells an attacker nothing. */
  "DECRYPTION_FAILED",
  /** A stored session that cannot be restored. */
  "INVALID_SESSION",
  /** A name such as `bob@example.com` that leads to no remote-signer. */
  "NAME_NOT_FOUND",
  /** The remote-signer answered with an error. */
  "REMOTE_ERROR",
  /** The remote-signer's answer is not an answer to what was asked; `details.field` names what is wrong. */
  "WRONG_ANSWER",
  /** No relay could be reached or none accepted; `details.relays` says which and why. */
  "RELAYS_UNREACHABLE",
  /** The deadline passed. */
  "TIMEOUT",
  /** The caller aborted, or the object was closed. */
  "CLOSED",
  /** The record could not be read or committed; nothing was changed. */
  "RECORD_FAILED",
] as const

export type ErrorCode = (typeof ERROR_CODES)[number]

export interface Nip46ErrorOptions {
  cause?: unknown
  /** Facts for a program: field names, relay URLs. Never a secret, a plaintext or a whole token. */
  details?: Readonly<Record<string, unknown>>
}

/**
 * The one error class of the library. Switch on `code`, show `message`.
 *
 * @example
 * try { parseBunkerToken(text) } catch (e) {
 *   if (e instanceof Nip46Error && e.code === "INVALID_TOKEN") console.log(e.message)
 * }
 */
export class Nip46Error extends Error {
  override readonly name = "Nip46Error"
  readonly code: ErrorCode
  readonly details: Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, message: string, { cause, details = {} }: Nip46ErrorOptions = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.details = details
  }
}
