import * as v from "valibot"
import type { AccountCalls, WebCall } from "../../../channel/web-calls.js"
import * as results from "./result-schemas.js"
import { type ApiRoute, PROVABLE_CALLS } from "./route.js"

/** What an authenticator gave: an object, of which keyd alone judges the inside. */
const response: v.GenericSchema<unknown> = results.webAuthnJson
const code = v.pipe(v.string(), v.description("Six digits of the authenticator app"))
const secret = v.pipe(v.string(), v.description("What the fragment of the link holds"))
const invited = { secret, name: v.pipe(v.string(), v.description("Of the owner that is made")) }
const provable: v.GenericSchema<WebCall> = v.picklist(PROVABLE_CALLS)
const args: v.GenericSchema<unknown> = v.pipe(
  v.record(v.string(), v.unknown()),
  v.description("All args of the call, those in its path too"),
)

/** Who is an owner, and shows it. */
export const ACCOUNT_ROUTES = {
  "session.show": {
    method: "GET",
    path: "/session",
    summary: "Who is signed in here",
    result: results.session,
    session: true,
  },
  "session.passkeyOptions": {
    method: "POST",
    path: "/session/passkey/options",
    summary: "What an authenticator is asked for, to sign in",
    result: results.webAuthnJson,
    session: false,
  },
  "session.passkey": {
    method: "POST",
    path: "/session/passkey",
    summary: "Sign in with a passkey",
    body: v.strictObject({ response }),
    result: results.newSession,
    session: false,
    opens: true,
  },
  "session.password": {
    method: "POST",
    path: "/session/password",
    summary: "Sign in with a password and a code",
    body: v.strictObject({ name: v.string(), password: v.string(), code }),
    result: results.newSession,
    session: false,
    opens: true,
  },
  "session.recover": {
    method: "POST",
    path: "/session/recovery",
    summary: "Sign in with a recovery code, which is spent by it",
    body: v.strictObject({ name: v.string(), code: v.string() }),
    result: results.newSession,
    session: false,
    opens: true,
  },
  "session.end": {
    method: "DELETE",
    path: "/session",
    summary: "Sign out",
    result: results.nothing,
    session: true,
  },
  "sessions.endOthers": {
    method: "POST",
    path: "/sessions/end-others",
    summary: "Sign this owner out everywhere else",
    result: results.ended,
    session: true,
  },
  "invitation.show": {
    method: "POST",
    path: "/invitation",
    summary: "Whether an invitation holds, and how long",
    body: v.strictObject({ secret }),
    result: results.invitation,
    session: false,
  },
  "invitation.passkeyOptions": {
    method: "POST",
    path: "/invitation/passkey/options",
    summary: "What an authenticator is asked for, to become an owner",
    body: v.strictObject(invited),
    result: results.webAuthnJson,
    session: false,
  },
  "invitation.passkey": {
    method: "POST",
    path: "/invitation/passkey",
    summary: "Become an owner with a passkey",
    body: v.strictObject({ ...invited, response }),
    result: results.newOwner,
    session: false,
    opens: true,
  },
  "invitation.totp": {
    method: "POST",
    path: "/invitation/totp",
    summary: "What an authenticator app is told, to become an owner",
    body: v.strictObject(invited),
    result: results.totpSetup,
    session: false,
  },
  "invitation.password": {
    method: "POST",
    path: "/invitation/password",
    summary: "Become an owner with a password and a code",
    body: v.strictObject({ ...invited, password: v.string(), code }),
    result: results.newOwner,
    session: false,
    opens: true,
  },
  "owner.show": {
    method: "GET",
    path: "/owner",
    summary: "The owner who is signed in",
    result: results.owner,
    session: true,
  },
  "owner.passkeyOptions": {
    method: "POST",
    path: "/owner/passkeys/options",
    summary: "What an authenticator is asked for, to add a passkey",
    result: results.webAuthnJson,
    session: true,
  },
  "owner.addPasskey": {
    method: "POST",
    path: "/owner/passkeys",
    summary: "Add a passkey",
    body: v.strictObject({ response, label: v.string() }),
    result: results.owner,
    session: true,
  },
  "owner.removePasskey": {
    method: "DELETE",
    path: "/owner/passkeys/:id",
    summary: "Remove a passkey",
    result: results.owner,
    session: true,
  },
  "owner.totp": {
    method: "POST",
    path: "/owner/totp",
    summary: "What an authenticator app is told, to set a password",
    result: results.totpSetup,
    session: true,
  },
  "owner.setPassword": {
    method: "PUT",
    path: "/owner/password",
    summary: "Set or replace the password and its codes",
    body: v.strictObject({ password: v.string(), code }),
    result: results.owner,
    session: true,
  },
  "owner.recoveryCodes": {
    method: "POST",
    path: "/owner/recovery-codes",
    summary: "New recovery codes in place of all others",
    result: results.recoveryCodes,
    session: true,
  },
  "proof.options": {
    method: "POST",
    path: "/proof/options",
    summary: "What a proof for a call is made of",
    body: v.strictObject({ call: provable, args }),
    result: results.proofOptions,
    session: true,
  },
} as const satisfies { readonly [C in keyof AccountCalls]: ApiRoute }
