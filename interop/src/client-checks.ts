import * as nip04 from "nostr-tools/nip04"
import * as nip44 from "nostr-tools/nip44"
import { generateSecretKey, getPublicKey } from "nostr-tools/pure"
import { expect } from "vitest"
import type { Cell } from "./cells.js"
import {
  ANSWER_MS,
  type ClientColumn,
  connected,
  isDenied,
  refusal,
  signs,
  signsAgain,
  startAnew,
} from "./client-column.js"
import { answerOfAnother, letIn } from "./getting-in.js"
import type { Outcome } from "./matrix.js"
import type { Limit } from "./peer.js"
import { within } from "./wait.js"
import { subscriptionsOf } from "./wire.js"

/** Throws when the cell does not hold; what it says goes into the matrix, and is "yes" when it says nothing. */
type Check = (column: ClientColumn) => Promise<string | undefined>

const friend = generateSecretKey()
const friendPubkey = getPublicKey(friend)

const clientChecks: Readonly<Record<Cell, Check>> = {
  async connect(column) {
    await letIn[column.flow](column)
    expect(subscriptionsOf(getPublicKey(column.secretKey))).toBeGreaterThan(0)
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

  /** At the bunker; then at the client, and the bunker is given the token again, where it was the client's. */
  async "spent secret"(column) {
    const { peer, bench, token, uri } = column
    const thief = within(peer.connect(token, generateSecretKey()), ANSWER_MS, "connect with a spent secret")
    expect((await refusal(thief)).text).toMatch(/already used/)
    if (uri === undefined) return "refused"
    const { remoteSigner } = connected(column)
    expect(await bench.letIn(uri, "sign_event:0")).toMatchObject({ isNew: false, remoteSignerPubkey: remoteSigner })
    await isDenied(column)
    await answerOfAnother(uri)
    await signs(column)
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
  const limit = limitOf(column, cell)
  if (limit?.kind === "in a new session") {
    const pubkey = getPublicKey(column.secretKey)
    const subscribed = subscriptionsOf(pubkey)
    await expect(clientChecks[cell](column), `“${limit.why}” is no longer so`).rejects.toThrow(/no answer/)
    expect(subscriptionsOf(pubkey), "it does not subscribe again").toBe(subscribed)
    await startAnew(column)
    await signs(column)
    return { text: limit.kind, why: limit.why }
  }
  // Before the check, which may end the session.
  if (limit !== undefined)
    expect(limit.isStillSo(connected(column).signer), `“${limit.why}” is no longer so`).toBe(true)
  const text = (await clientChecks[cell](column)) ?? "yes"
  return limit === undefined ? { text } : { text: `${text}, ${limit.kind}`, why: limit.why }
}

function limitOf({ peer, bench, flow }: ClientColumn, cell: Cell): Limit | undefined {
  const limit = peer.limits[cell]
  return limit?.where?.({ flow, relay: bench.relay }) === false ? undefined : limit
}
