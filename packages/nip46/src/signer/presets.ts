import { type Permission, parsePermissions } from "../protocol/permission.js"

/** A ready answer to "what may this app do?". */
export interface Preset {
  readonly name: "ask" | "social" | "full"
  /** For the person who chooses. */
  readonly summary: string
  readonly permissions: readonly Permission[]
}

/** What people do every day, one kind by one: a list that somebody read, and no wildcard. */
const EVERYDAY_KINDS = [
  1, // note
  6, // repost
  7, // reaction
  11, // thread
  13, // seal of a private message, which is encrypted before
  16, // repost of something else
  20, // picture
  21, // video
  22, // short video
  1018, // vote in a poll
  1068, // poll
  1111, // comment
  1222, // voice message
  1244, // answer to one
  1311, // message in a live chat
  9734, // zap request
  9802, // highlight
  22242, // login at a relay, one relay and one challenge
  30315, // status
]

/** By name; what none of them contains asks, or is refused, as the connection's style says. */
export const PRESETS: Readonly<Record<Preset["name"], Preset>> = {
  ask: { name: "ask", summary: "asks you for everything", permissions: [] },
  social: {
    name: "social",
    summary: "posts, reacts, comments, writes and reads private messages, and logs in at relays; asks for the rest",
    permissions: parsePermissions(
      [...EVERYDAY_KINDS.map((kind) => `sign_event:${kind}`), "nip44_encrypt", "nip44_decrypt"].join(","),
    ),
  },
  full: {
    name: "full",
    summary:
      "does everything but what can take your account apart: profile, follows, deletion, wallets, logins and app data ask",
    permissions: parsePermissions("sign_event,nip04_encrypt,nip04_decrypt,nip44_encrypt,nip44_decrypt"),
  },
}

export function isPresetName(text: string): text is Preset["name"] {
  return Object.hasOwn(PRESETS, text)
}
