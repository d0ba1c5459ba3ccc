import type { AppInfo, RequestSummary } from "../../src/channel/owner-calls.js"
import type { NewOwner, OwnerDetail, WebAuthnOptions, WebCall, WebCalls } from "../../src/channel/web-calls.js"

const AT = 1_800_000_000
const keys = { cookie: "C".repeat(43), token: "T".repeat(43) }
const session = { owner: "ann", expiresAt: AT }
const newOwner: NewOwner = { ...session, keys, recoveryCodes: ["abcd-efgh", "ijkl-mnop"] }
const options: WebAuthnOptions = { challenge: "AQID", rpId: "localhost", allowCredentials: [] }
const owner: OwnerDetail = {
  name: "ann",
  passkeys: [
    { id: "AQID", label: "phone", host: "localhost", createdAt: AT, lastUsedAt: AT },
    { id: "BAUG", label: "laptop", host: "localhost", createdAt: AT, lastUsedAt: undefined },
  ],
  hasPassword: false,
  recoveryCodesLeft: 10,
  sessions: 1,
}
const app: AppInfo = {
  id: "0".repeat(32),
  status: "active",
  name: "App",
  url: "https://app.example",
  clientPubkey: "1".repeat(64),
  remoteSignerPubkey: "2".repeat(64),
  userPubkey: "3".repeat(64),
  key: "main",
  relays: ["wss://relay.example"],
  perms: ["sign_event:1"],
  grants: [
    {
      id: "g1",
      method: "sign_event",
      param: "1",
      effect: "allow",
      expiresAt: undefined,
      usesLeft: 3,
      rate: { uses: 20, seconds: 3_600 },
      conditions: { tags: [["t", "nostr"]], maxContentBytes: 100 },
    },
  ],
  style: "auth_url",
  expiresAt: undefined,
  requestedPerms: "sign_event:1",
  nip04Transport: false,
  nip04Dropped: 0,
  createdAt: AT,
  lastUsedAt: undefined,
}
const summary: RequestSummary = {
  id: "8c1d",
  count: 2,
  app: { id: app.id, name: app.name },
  key: "main",
  method: "sign_event",
  param: "3",
  state: "pending",
  askedAt: AT,
  deadline: AT + 600,
}

/** One example of what keyd answers to each call. */
export const WEB_RESULTS: { readonly [C in WebCall]: WebCalls[C]["result"] } = {
  "session.show": session,
  "session.passkeyOptions": options,
  "session.passkey": { ...session, keys },
  "session.password": { ...session, keys },
  "session.recover": { ...session, keys },
  "session.end": {},
  "sessions.endOthers": { ended: 2 },
  "invitation.show": { expiresAt: AT },
  "invitation.passkeyOptions": options,
  "invitation.passkey": newOwner,
  "invitation.totp": { uri: "otpauth://totp/Casemate:ann?secret=AAAA", secret: "AAAA" },
  "invitation.password": newOwner,
  "owner.show": owner,
  "owner.passkeyOptions": options,
  "owner.addPasskey": owner,
  "owner.removePasskey": owner,
  "owner.totp": { uri: "otpauth://totp/Casemate:ann?secret=AAAA", secret: "AAAA" },
  "owner.setPassword": owner,
  "owner.recoveryCodes": { recoveryCodes: ["abcd-efgh"] },
  "proof.options": { passkey: undefined, password: true },
  status: { relays: ["wss://relay.example"], http: undefined, ignored: { strangers: 3 } },
  "keys.list": [{ name: "main", pubkey: "3".repeat(64), createdAt: AT }],
  "apps.list": [app, { ...app, status: "offered", url: undefined, clientPubkey: undefined, grants: [] }],
  "apps.show": app,
  "apps.revoke": { ...app, status: "revoked" },
  "apps.grant": app,
  "apps.ungrant": app,
  "apps.presets": [{ name: "social", summary: "Everyday kinds", perms: ["sign_event:1"] }],
  "apps.preset": app,
  "apps.extend": { ...app, expiresAt: AT },
  "apps.pause": { ...app, status: "paused" },
  "apps.resume": app,
  "apps.style": app,
  "requests.list": { total: 1, requests: [summary] },
  "requests.show": {
    ...summary,
    digest: "d".repeat(64),
    userPubkey: app.userPubkey,
    scope: { method: "sign_event", param: "3", conditions: {} },
    asks: {
      method: "sign_event",
      kind: 3,
      content: "",
      tags: [["p", "4".repeat(64)]],
      createdAt: AT,
      previous: { content: "", tags: [], createdAt: AT - 10 },
    },
  },
  "requests.approve": { served: 2, isLate: false },
  "requests.deny": { isLate: true },
}
