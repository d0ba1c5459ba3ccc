import type { OwnerCall, OwnerCalls } from "./owner-calls.js"

/**
 * What a browser may ask of keyd by way of the gateway. keyd believes nothing of it but the credential that comes
 * with it: the gateway has none of its own.
 */

/** What the gateway passes on. */
export interface WebRequest {
  readonly call: WebCall
  readonly args: unknown
  /** Of the page that asks, as its own gateway serves it: `https://bunker.example`. */
  readonly origin: string
  /** Of the session, whole: `<cookie>.<token>` of `SessionKeys`. */
  readonly session?: string
  /** For calls that need more than a session. */
  readonly proof?: Proof
}

/** That it is the owner, and now: an assertion for exactly this call, or password and code. */
export type Proof =
  | { readonly kind: "passkey"; readonly response: unknown }
  | { readonly kind: "password"; readonly password: string; readonly code: string }

export type WebResponse =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly code: WebErrorCode; readonly message: string }

export type WebErrorCode =
  /** The args are of another shape. */
  | "bad_request"
  /** No session, or one that is over. */
  | "not_signed_in"
  /** A passkey, password, code, recovery code or invitation that does not hold. One sentence for all of a kind. */
  | "wrong_credential"
  /** The call needs a `proof`; `proof.options` prepares one. */
  | "proof_needed"
  /** Too many tries; the message says when to try again. */
  | "too_many"
  /** What the owner can mend: the message says how. */
  | "refused"
  /** The call is not one that a browser may make. */
  | "unknown_call"
  /** keyd failed, or is not there; said in its log. */
  | "failed"

/** Of a new session. The gateway puts one half in a cookie that scripts cannot read; the page keeps the other. */
export interface SessionKeys {
  readonly cookie: string
  readonly token: string
}

export interface SessionInfo {
  readonly owner: string
  /** Unix seconds. */
  readonly expiresAt: number
}

export interface NewSession extends SessionInfo {
  readonly keys: SessionKeys
}

/** Shown once. */
export interface NewOwner extends NewSession {
  readonly recoveryCodes: readonly string[]
}

export interface PasskeyInfo {
  /** The credential id, base64url. */
  readonly id: string
  readonly label: string
  /** The host name that it is for. */
  readonly host: string
  /** Unix seconds, both. */
  readonly createdAt: number
  readonly lastUsedAt: number | undefined
}

export interface OwnerDetail {
  readonly name: string
  readonly passkeys: readonly PasskeyInfo[]
  readonly hasPassword: boolean
  readonly recoveryCodesLeft: number
  readonly sessions: number
}

/** For an authenticator app: the `otpauth://` URI, and its secret for typing. */
export interface TotpSetup {
  readonly uri: string
  readonly secret: string
}

/** Options for `navigator.credentials`, as the WebAuthn specification writes them in JSON. */
export type WebAuthnOptions = Readonly<globalThis.Record<string, unknown>>

/** Each call with its args and its result. */
export interface AccountCalls {
  /** Anybody's. Passkeys are found by the authenticator: no name is asked for. */
  "session.passkeyOptions": { args: Record<never, never>; result: WebAuthnOptions }
  "session.passkey": { args: { response: unknown }; result: NewSession }
  /** `code`: six digits of the authenticator app. */
  "session.password": { args: { name: string; password: string; code: string }; result: NewSession }
  /** `code`: one of the recovery codes, which is spent by it. */
  "session.recover": { args: { name: string; code: string }; result: NewSession }
  /** `secret` here and below: what the fragment of the link holds. */
  "invitation.show": { args: { secret: string }; result: { readonly expiresAt: number } }
  "invitation.passkeyOptions": { args: { secret: string; name: string }; result: WebAuthnOptions }
  "invitation.passkey": { args: { secret: string; name: string; response: unknown }; result: NewOwner }
  "invitation.totp": { args: { secret: string; name: string }; result: TotpSetup }
  "invitation.password": {
    args: { secret: string; name: string; password: string; code: string }
    result: NewOwner
  }

  /** From here on with a session. */
  "session.show": { args: Record<never, never>; result: SessionInfo }
  "session.end": { args: Record<never, never>; result: Record<never, never> }
  /** All sessions of this owner but the one that asks. */
  "sessions.endOthers": { args: Record<never, never>; result: { readonly ended: number } }
  "owner.show": { args: Record<never, never>; result: OwnerDetail }
  /** What a proof for a call is made of: options for an assertion where there is a passkey, and whether a password will do. */
  "proof.options": {
    args: { call: WebCall; args: unknown }
    result: { readonly passkey: WebAuthnOptions | undefined; readonly password: boolean }
  }
  "owner.passkeyOptions": { args: Record<never, never>; result: WebAuthnOptions }
  /** With a proof, as all that follow but `owner.totp`, which sets nothing. */
  "owner.addPasskey": { args: { response: unknown; label: string }; result: OwnerDetail }
  "owner.removePasskey": { args: { id: string }; result: OwnerDetail }
  "owner.totp": { args: Record<never, never>; result: TotpSetup }
  "owner.setPassword": { args: { password: string; code: string }; result: OwnerDetail }
  "owner.recoveryCodes": { args: Record<never, never>; result: { readonly recoveryCodes: readonly string[] } }
}

/** Of what an owner may ask over keyd's own socket, what a browser may too: no secret key and no passphrase. */
export const SHARED_CALLS = [
  "status",
  "keys.list",
  "apps.list",
  "apps.show",
  "apps.revoke",
  "apps.grant",
  "apps.ungrant",
  "apps.presets",
  "apps.preset",
  "apps.extend",
  "apps.pause",
  "apps.resume",
  "apps.style",
  "requests.list",
  "requests.show",
  "requests.approve",
  "requests.deny",
] as const satisfies readonly OwnerCall[]

export type SharedCall = (typeof SHARED_CALLS)[number]

export type WebCalls = AccountCalls & Pick<OwnerCalls, SharedCall>

export type WebCall = keyof WebCalls
