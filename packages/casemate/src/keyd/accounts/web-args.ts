import * as v from "valibot"
import { type AccountCalls, SHARED_CALLS, type SharedCall, type WebCall } from "../../channel/web-calls.js"
import { OWNER_ARGS } from "../owner/calls.js"

/** Texts of strangers: each has an end, and no sentence repeats one. */
function text(what: string, max: number) {
  return v.pipe(v.string(`${what} is a text`), v.maxLength(max, `${what} is too long`))
}

function base64url(what: string, max: number) {
  return v.pipe(text(what, max), v.regex(/^[\w-]+$/, `${what} is not base64url`))
}

const RESPONSE = "what a browser says of a passkey has another shape"
const credential = {
  id: base64url("a passkey's id", 1_400),
  rawId: base64url("a passkey's id", 1_400),
  type: v.literal("public-key", RESPONSE),
}
const clientDataJSON = base64url("what a passkey signed", 8_192)

const registration = v.object(
  {
    ...credential,
    response: v.object(
      {
        clientDataJSON,
        attestationObject: base64url("a new passkey", 32_768),
        transports: v.optional(v.pipe(v.array(text("a transport", 32), RESPONSE), v.maxLength(10, RESPONSE))),
      },
      RESPONSE,
    ),
  },
  RESPONSE,
)

const assertion = v.object(
  {
    ...credential,
    response: v.object(
      {
        clientDataJSON,
        authenticatorData: base64url("what a passkey signed", 8_192),
        signature: base64url("a signature", 2_048),
        userHandle: v.optional(base64url("a user handle", 128)),
      },
      RESPONSE,
    ),
  },
  RESPONSE,
)

export type RegistrationResponse = v.InferOutput<typeof registration>
export type AssertionResponse = v.InferOutput<typeof assertion>

const none = v.object({}, "this call takes no arguments")
const secret = text("an invitation's secret", 64)
const name = text("a name", 200)
const label = text("a label", 300)
const password = text("a password", 1_024)
const code = v.pipe(
  text("a code", 32),
  v.transform((typed) => typed.replace(/\s/g, "")),
  v.regex(/^\d{6}$/, "the code of an authenticator app has six digits"),
)
const joining = { secret, name }

function args<const E extends v.ObjectEntries>(entries: E) {
  return v.object(entries, "the arguments of this call have another shape")
}

const ACCOUNT_ARGS = {
  "session.passkeyOptions": none,
  "session.passkey": args({ response: assertion }),
  "session.password": args({ name, password, code }),
  "session.recover": args({ name, code: text("a recovery code", 64) }),
  "invitation.show": args({ secret }),
  "invitation.passkeyOptions": args(joining),
  "invitation.passkey": args({ ...joining, response: registration }),
  "invitation.totp": args(joining),
  "invitation.password": args({ ...joining, password, code }),
  "session.show": none,
  "session.end": none,
  "sessions.endOthers": none,
  "owner.show": none,
  "proof.options": args({
    call: v.custom<WebCall>((call) => typeof call === "string" && isWebCall(call), "there is no such call"),
    args: v.unknown(),
  }),
  "owner.passkeyOptions": none,
  "owner.addPasskey": args({ response: registration, label }),
  "owner.removePasskey": args({ id: base64url("a passkey's id", 1_400) }),
  "owner.totp": none,
  "owner.setPassword": args({ password, code }),
  "owner.recoveryCodes": none,
} as const satisfies { [C in keyof AccountCalls]: v.GenericSchema<unknown, unknown> }

const SHARED_ARGS = Object.fromEntries(SHARED_CALLS.map((call) => [call, OWNER_ARGS[call]])) as Pick<
  typeof OWNER_ARGS,
  SharedCall
>

/** Shapes of the args of all that a browser may ask, and nothing else. */
export const WEB_ARGS = { ...ACCOUNT_ARGS, ...SHARED_ARGS }

/** What an account's call is given, as it was parsed. */
export type AccountArgs<C extends keyof AccountCalls> = v.InferOutput<(typeof ACCOUNT_ARGS)[C]>

export function isWebCall(call: string): call is WebCall {
  return Object.hasOwn(WEB_ARGS, call)
}

export function isSharedCall(call: WebCall): call is SharedCall {
  return (SHARED_CALLS as readonly string[]).includes(call)
}

const proof = v.variant(
  "kind",
  [
    v.object({ kind: v.literal("passkey"), response: assertion }),
    v.object({ kind: v.literal("password"), password, code }),
  ],
  "a proof is made with a passkey or a password",
)

/** What comes of the gateway, before its args are looked at. */
export const WEB_REQUEST = v.object(
  {
    call: text("a call", 64),
    args: v.unknown(),
    origin: text("an origin", 512),
    session: v.optional(text("a session", 256)),
    proof: v.optional(proof),
  },
  "a browser's call has another shape",
)

export type ParsedProof = v.InferOutput<typeof proof>
