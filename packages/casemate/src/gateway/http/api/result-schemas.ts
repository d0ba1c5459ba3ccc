import * as v from "valibot"

/** What the API answers, as the channel's types have it; what is undefined there is left out of JSON. */

const seconds = v.pipe(v.number(), v.integer(), v.description("Unix seconds"))
const count = v.pipe(v.number(), v.integer(), v.minValue(0))
const texts = v.array(v.string())
const tag = v.tuple([v.string(), v.string()])
const style = v.picklist(["auth_url", "hold", "deny"])

export const nothing = v.object({})

/** Options for `navigator.credentials`, or what it gave, as the WebAuthn specification writes them in JSON. */
export const webAuthnJson = v.pipe(
  v.record(v.string(), v.unknown()),
  v.description("As WebAuthn Level 3 writes it in JSON"),
)

const sessionEntries = { owner: v.string(), expiresAt: seconds }
const token = v.pipe(v.string(), v.description("For the header X-Casemate-Session; the other half is the cookie"))
export const session = v.object(sessionEntries)
export const newSession = v.object({ ...sessionEntries, token })
export const newOwner = v.object({
  ...sessionEntries,
  token,
  recoveryCodes: v.pipe(texts, v.description("Shown once")),
})
export const invitation = v.object({ expiresAt: seconds })
export const totpSetup = v.object({ uri: v.string(), secret: v.string() })
export const ended = v.object({ ended: count })
export const recoveryCodes = v.object({ recoveryCodes: texts })
export const proofOptions = v.object({ passkey: v.undefinedable(webAuthnJson), password: v.boolean() })

export const passkey = v.object({
  id: v.string(),
  label: v.string(),
  host: v.string(),
  createdAt: seconds,
  lastUsedAt: v.undefinedable(seconds),
})
export const owner = v.object({
  name: v.string(),
  passkeys: v.array(passkey),
  hasPassword: v.boolean(),
  recoveryCodesLeft: count,
  sessions: count,
})

export const status = v.object({
  relays: texts,
  http: v.undefinedable(v.string()),
  ignored: v.record(v.string(), v.number()),
})
export const key = v.object({ name: v.string(), pubkey: v.string(), createdAt: seconds })
export const keys = v.array(key)
export const preset = v.object({ name: v.string(), summary: v.string(), perms: texts })
export const presets = v.array(preset)

export const conditions = v.object({
  counterparties: v.exactOptional(texts),
  tags: v.exactOptional(v.array(tag)),
  host: v.exactOptional(v.string()),
  action: v.exactOptional(v.string()),
  dPrefix: v.exactOptional(v.string()),
  maxContentBytes: v.exactOptional(v.number()),
  ask: v.exactOptional(v.string()),
})
export const grant = v.object({
  id: v.string(),
  method: v.string(),
  param: v.undefinedable(v.string()),
  effect: v.picklist(["allow", "deny"]),
  expiresAt: v.undefinedable(seconds),
  usesLeft: v.undefinedable(count),
  rate: v.undefinedable(v.object({ uses: v.number(), seconds: v.number() })),
  conditions,
})
export const app = v.object({
  id: v.string(),
  status: v.picklist(["offered", "active", "paused", "revoked", "logged_out", "expired"]),
  name: v.string(),
  url: v.undefinedable(v.string()),
  clientPubkey: v.undefinedable(v.string()),
  remoteSignerPubkey: v.string(),
  userPubkey: v.string(),
  key: v.string(),
  relays: texts,
  perms: texts,
  grants: v.array(grant),
  style,
  expiresAt: v.undefinedable(seconds),
  requestedPerms: v.string(),
  nip04Transport: v.boolean(),
  nip04Dropped: v.number(),
  createdAt: seconds,
  lastUsedAt: v.undefinedable(seconds),
})
export const apps = v.array(app)

const summaryEntries = {
  id: v.string(),
  count,
  app: v.object({ id: v.string(), name: v.string() }),
  key: v.string(),
  method: v.string(),
  param: v.undefinedable(v.string()),
  state: v.picklist(["pending", "expired"]),
  askedAt: seconds,
  deadline: seconds,
}
export const requestSummary = v.object(summaryEntries)
export const requests = v.object({ total: count, requests: v.array(requestSummary) })

const signed = v.object({ content: v.string(), tags: v.array(texts), createdAt: seconds })
export const request = v.object({
  ...summaryEntries,
  digest: v.pipe(v.string(), v.description("Of exactly what is shown: a decision gives it back")),
  userPubkey: v.string(),
  scope: v.object({ method: v.string(), param: v.undefinedable(v.string()), conditions }),
  asks: v.union([
    v.object({
      method: v.literal("sign_event"),
      kind: v.number(),
      content: v.string(),
      tags: v.array(texts),
      createdAt: seconds,
      previous: v.exactOptional(signed),
    }),
    v.object({ method: v.string(), counterparty: v.string(), text: v.string() }),
  ]),
})
export const approved = v.object({ served: count, isLate: v.boolean() })
export const denied = v.object({ isLate: v.boolean() })

/** By the names that the OpenAPI document gives them. */
export const RESULT_DEFINITIONS = {
  App: app,
  Grant: grant,
  Conditions: conditions,
  Key: key,
  Preset: preset,
  RequestSummary: requestSummary,
  Request: request,
  Session: session,
  NewSession: newSession,
  NewOwner: newOwner,
  Owner: owner,
  Passkey: passkey,
  WebAuthn: webAuthnJson,
} as const
