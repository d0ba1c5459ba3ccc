import * as nip04 from "nostr-tools/nip04"
import * as nip44 from "nostr-tools/nip44"
import { type EventTemplate, generateSecretKey, getPublicKey, verifyEvent } from "nostr-tools/pure"
import { expect } from "vitest"
import type { Bench } from "./bench.js"
import type { Cell } from "./cells.js"
import type { Outcome } from "./matrix.js"
import type { ClientPeer, ClientSession } from "./peer.js"
import { again, within } from "./wait.js"
import { subscriptionsOf } from "./wire.js"

/** One client of the bunker, over one relay. */
export interface ClientColumn {
  readonly peer: ClientPeer
  readonly bench: Bench
  readonly secretKey: Uint8Array
  token: string
  session: ClientSession | undefined
}

/** Throws when the cell does not hold; what it says goes into the matrix, and is "yes" when it says nothing. */
type Check = (column: ClientColumn) => Promise<string | undefined>

const ANSWER_MS = 10_000
/** How long an app waits before it asks anew, and how long until it must have its signature. */
const RESTART = { askMs: 3_000, deadlineMs: 15_000 }

const friend = generateSecretKey()
const friendPubkey = getPublicKey(friend)

const note: EventTemplate = {
  kind: 1,
  content: "signed remotely \u{1f511}",
  tags: [["t", "casemate"]],
  created_at: 1_714_078_911,
}
const profile: EventTemplate = { kind: 0, content: "{}", tags: [], created_at: 1_714_078_911 }

const clientChecks: Readonly<Record<Cell, Check>> = {
  async connect(column) {
    const { peer, bench, secretKey } = column
    column.token = await bench.newToken()
    column.session = await within(peer.connect(column.token, secretKey), ANSWER_MS, "connect")
    expect(subscriptionsOf(getPublicKey(secretKey))).toBeGreaterThan(0)
    return undefined
  },

  async get_public_key(column) {
    const session = connected(column)
    const pubkey = await within(session.getPublicKey(), ANSWER_MS, "get_public_key")
    expect(pubkey).toBe(column.bench.userPubkey)
    expect(pubkey).not.toBe(session.remoteSigner)
    return undefined
  },

  async sign_event(column) {
    await signs(column)
    return undefined
  },

  async ping(column) {
    await within(connected(column).ping(), ANSWER_MS, "ping")
    return undefined
  },

  async nip44_encrypt(column) {
    const sent = await within(connected(column).nip44Encrypt(friendPubkey, "to a friend"), ANSWER_MS, "nip44_encrypt")
    expect(nip44.decrypt(sent, nip44.getConversationKey(friend, column.bench.userPubkey))).toBe("to a friend")
    return undefined
  },

  async nip44_decrypt(column) {
    const received = nip44.encrypt("from a friend", nip44.getConversationKey(friend, column.bench.userPubkey))
    const text = await within(connected(column).nip44Decrypt(friendPubkey, received), ANSWER_MS, "nip44_decrypt")
    expect(text).toBe("from a friend")
    return undefined
  },

  async nip04_encrypt(column) {
    const sent = await within(connected(column).nip04Encrypt(friendPubkey, "to a friend"), ANSWER_MS, "nip04_encrypt")
    expect(nip04.decrypt(friend, column.bench.userPubkey, sent)).toBe("to a friend")
    return undefined
  },

  async nip04_decrypt(column) {
    const received = nip04.encrypt(friend, column.bench.userPubkey, "from a friend")
    const text = await within(connected(column).nip04Decrypt(friendPubkey, received), ANSWER_MS, "nip04_decrypt")
    expect(text).toBe("from a friend")
    return undefined
  },

  /** The bunker has no other relays to offer, and the client stays where it is. */
  async switch_relays(column) {
    const answer = await within(connected(column).switchRelays(), ANSWER_MS, "switch_relays")
    expect([false, "null"]).toContain(answer)
    return "no change"
  },

  async "unknown method"(column) {
    const asked = within(connected(column).call("get_relays", []), ANSWER_MS, "get_relays")
    expect((await refusal(asked)).text).toMatch(/unknown method/)
    return "refused"
  },

  async "denied method"(column) {
    return `refused, ${(await isDenied(column)).as}`
  },

  async "spent secret"({ peer, token }) {
    const thief = within(peer.connect(token, generateSecretKey()), ANSWER_MS, "connect with a spent secret")
    expect((await refusal(thief)).text).toMatch(/already used/)
    return "refused"
  },

  /** Within the session, and as an app does that was started again; neither widens what it may do. */
  async "second connect"(column) {
    await within(connected(column).connectAgain(), ANSWER_MS, "a second connect")
    await startAnew(column)
    await signs(column)
    await isDenied(column)
    return undefined
  },

  /** The relay has gone and come back by then. */
  "relay restarts": signsAgain,
  "relay dies": signsAgain,

  async logout(column) {
    await within(connected(column).logout(), ANSWER_MS, "logout")
    const back = within(column.peer.connect(column.token, column.secretKey), ANSWER_MS, "connect after logout")
    expect((await refusal(back)).text).toMatch(/logged out/)
    return undefined
  },
}

/** Asks one cell of one column; rejects when it does not hold, or when a limit of the peer holds no more. */
export async function askCell(column: ClientColumn, cell: Cell): Promise<Outcome> {
  const limit = column.peer.limits[cell]
  if (limit?.kind === "in a new session") {
    const pubkey = getPublicKey(column.secretKey)
    const subscribed = subscriptionsOf(pubkey)
    await expect(clientChecks[cell](column), `“${limit.why}” is no longer so`).rejects.toThrow(/no answer/)
    expect(subscriptionsOf(pubkey), "it does not subscribe again").toBe(subscribed)
    await startAnew(column)
    await signs(column)
    return { text: limit.kind, why: limit.why }
  }
  const text = (await clientChecks[cell](column)) ?? "yes"
  if (limit === undefined) return { text }
  expect(limit.isStillSo(connected(column).signer), `“${limit.why}” is no longer so`).toBe(true)
  return { text: `${text}, ${limit.kind}`, why: limit.why }
}

function connected({ session, peer }: ClientColumn): ClientSession {
  if (session === undefined) throw new Error(`${peer.name} did not connect`)
  return session
}

async function signs(column: ClientColumn): Promise<void> {
  const signed = await within(connected(column).signEvent(note), ANSWER_MS, "sign_event")
  expect(signed).toMatchObject({ ...note, pubkey: column.bench.userPubkey })
  // A copy: nostr-tools marks what it has verified, and would believe its own mark.
  expect(verifyEvent({ ...(JSON.parse(JSON.stringify(signed)) as typeof signed) })).toBe(true)
}

async function signsAgain(column: ClientColumn): Promise<undefined> {
  await again(() => connected(column).signEvent(note), "sign_event after the restart", RESTART)
  await signs(column)
  return undefined
}

/** As an app does that was closed and opened again. */
async function startAnew(column: ClientColumn): Promise<void> {
  await connected(column).close()
  column.session = await within(column.peer.connect(column.token, column.secretKey), ANSWER_MS, "connect anew")
}

async function isDenied(column: ClientColumn): Promise<Refusal> {
  const refused = await refusal(within(connected(column).signEvent(profile), ANSWER_MS, "sign_event, kind 0"))
  expect(refused.text).toMatch(/kind 0 is not permitted/)
  return refused
}

interface Refusal {
  readonly text: string
  /** What an app catches. */
  readonly as: "an Error" | "a string"
}

async function refusal(promise: Promise<unknown>): Promise<Refusal> {
  try {
    await promise
  } catch (error) {
    if (error instanceof Error) return { text: error.message, as: "an Error" }
    return { text: String(error), as: "a string" }
  }
  throw new Error("it was not refused")
}
