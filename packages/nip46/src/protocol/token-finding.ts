/** Every finding about a token, by stable code; the message is one sentence for a person. */
export const TOKEN_FINDING_CODES = [
  /** Neither `bunker://` nor `nostrconnect://`. */
  "NOT_A_TOKEN",
  /** More characters than a reader takes. */
  "TOO_LONG",
  /** Not 64 hex digits. */
  "PUBKEY_INVALID",
  /** A key that nobody can have. */
  "PUBKEY_OFF_CURVE",
  /** Nowhere to meet. */
  "RELAY_MISSING",
  /** Not a ws:// or wss:// URL; a reader leaves it out. */
  "RELAY_INVALID",
  /** Plain ws:// to another computer. */
  "RELAY_UNENCRYPTED",
  /** Reached from this computer or its network alone. */
  "RELAY_LOCAL",
  /** The same relay, said again. */
  "RELAY_REPEATED",
  /** More relays than a reader takes. */
  "RELAYS_TOO_MANY",
  /** An error in nostrconnect://, where NIP-46 requires one; a warning in bunker://. */
  "SECRET_MISSING",
  /** So short that it can be guessed. */
  "SECRET_SHORT",
  /** A `+` that some readers take for a space. */
  "PLUS_AMBIGUOUS",
  /** Read here, and not as everybody writes it. */
  "SPELLING",
  /** A `%` that begins no escape; the whole value is taken as it stands. */
  "PERCENT_ENCODING",
  /** Said twice; the first counts. */
  "PARAM_REPEATED",
  /** No reader knows it. */
  "PARAM_UNKNOWN",
  /** The owner of the bunker sees an app without a name. */
  "NAME_MISSING",
  /** Not an http:// or https:// URL. */
  "URL_INVALID",
  /** Longer than a reader keeps. */
  "TEXT_TOO_LONG",
  /** The `metadata` or `icon` of older drafts. */
  "METADATA_LEGACY",
  /** A `metadata` that is no JSON object. */
  "METADATA_INVALID",
  /** Not `method[:param]`. */
  "PERMISSION_FORM",
  /** A method that NIP-46 does not have. */
  "PERMISSION_METHOD",
  /** A sign_event whose kind is no number from 0 to 65535. */
  "PERMISSION_KIND",
  /** An encrypt or decrypt whose param is no public key. */
  "PERMISSION_COUNTERPARTY",
] as const

export type TokenFindingCode = (typeof TOKEN_FINDING_CODES)[number]

export interface TokenFinding {
  readonly code: TokenFindingCode
  /** The part of the token: `scheme`, `pubkey`, `length`, or the name of a param. */
  readonly field: string
  readonly message: string
}
