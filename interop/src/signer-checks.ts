import { Nip46Error, RemoteSigner } from "@casemate/nip46/client"
import * as nip04 from "nostr-tools/nip04"
import * as nip44 from "nostr-tools/nip44"
import { generateSecretKey, getPublicKey, verifyEvent } from "nostr-tools/pure"
import { expect } from "vitest"
import type { Outcome } from "./matrix.js"
import type { SignerCell } from "./signer-cells.js"
import { ANSWER_MS, type SignerColumn } from "./signer-column.js"
import { SIGNED_KIND } from "./signer-peer.js"
import { within } from "./wait.js"
import { subscriptionsOf } from "./wire.js"

/** Throws when the cell does not hold; what it says goes into the matrix, and is "yes" when it says nothing. */
type Check = (column: SignerColumn) => Promise<string | undefined>

/** How long one request may take that was asked after its relay went and came back, in ms. */
const RESTART_MS = 12_000
/** A client that was logged out is passed over for so long, in ms. */
const SILENCE_MS = 3_000

const friend = generateSecretKey()
const friendPubkey = getPublicKey(friend)

const note = {
  kind: SIGNED_KIND,
  content: "signed remotely \u{1f511}",
  tags: [["t", "casemate"]],
  created_at: 1_714_078_911,
}
const profile = { kind: 0, content: "{}", tags: [], created_at: 1_714_078_911 }

const signerChecks: Readonly<Record<SignerCell, Check>> = {
  async "wrong secret"(column) {
    if (column.peer.flow === "nostrconnect") return passesOverAStranger(column)
    column.token = await column.host.listen()
    const wrong = column.token.replace(/secret=[^&]*/, "secret=guessed")
    await reasonOf(RemoteSigner.connect(wrong, column.options), "connect")
    return "refused"
  },

  async connect(column) {
    await column.connect()
    const { remote, host, place } = column
    expect(remote.remoteSignerPubkey).toBe(host.remoteSignerPubkey)
    expect(column.session).toMatchObject({ relays: [place.url], userPubkey: host.userPubkey })
    return undefined
  },

  async get_public_key({ remote, host }) {
    expect(await remote.getPublicKey()).toBe(host.userPubkey)
    expect(await remote.call("get_public_key")).toBe(host.userPubkey)
    return undefined
  },

  sign_event: signs,

  async ping({ remote }) {
    await remote.ping()
    expect(await remote.call("ping")).toBe("pong")
    return undefined
  },

  async nip44_encrypt({ remote, host }) {
    const sent = await remote.nip44Encrypt(friendPubkey, "to a friend")
    expect(nip44.decrypt(sent, nip44.getConversationKey(friend, host.userPubkey))).toBe("to a friend")
    return undefined
  },

  async nip44_decrypt({ remote, host }) {
    const received = nip44.encrypt("from a friend", nip44.getConversationKey(friend, host.userPubkey))
    expect(await remote.nip44Decrypt(friendPubkey, received)).toBe("from a friend")
    return undefined
  },

  async nip04_encrypt({ remote, host }) {
    const sent = await remote.nip04Encrypt(friendPubkey, "to a friend")
    expect(nip04.decrypt(friend, host.userPubkey, sent)).toBe("to a friend")
    return undefined
  },

  async nip04_decrypt({ remote, host }) {
    const received = nip04.encrypt(friend, host.userPubkey, "from a friend")
    expect(await remote.nip04Decrypt(friendPubkey, received)).toBe("from a friend")
    return undefined
  },

  /** By NIP-04: NIP-44 has no way to encrypt nothing. */
  async "empty plaintext"({ remote, host }) {
    const received = nip04.encrypt(friend, host.userPubkey, "")
    expect(await remote.nip04Decrypt(friendPubkey, received)).toBe("")
    return undefined
  },

  async switch_relays({ remote, place, sockets }) {
    const before = [...sockets.history]
    expect(await remote.switchRelays()).toEqual([place.url])
    expect(sockets.history, "nothing is dialled for a list that is the same").toEqual(before)
    return "no change"
  },

  /** There and back: the new relay is open before the old one is closed. */
  async "other relays"(column) {
    const { remote, host, place, sockets } = column
    for (const [from, to] of [
      [place.url, place.other],
      [place.other, place.url],
    ] as const) {
      const start = sockets.history.length
      await host.offer([to])
      expect(await remote.switchRelays()).toEqual([to])
      expect(column.session?.relays).toEqual([to])
      await sockets.onlyOpen(to)
      expect(sockets.history.slice(start)).toEqual([`opened ${to}`, `closed ${from}`])
      await signs(column)
    }
    return undefined
  },

  async "unknown method"({ remote }) {
    return `refused: ${await reasonOf(remote.call("get_relays"), "get_relays")}`
  },

  async "denied method"(column) {
    const reason = await reasonOf(column.remote.signEvent(profile), "sign_event")
    await signs(column)
    return `refused: ${reason}`
  },

  /** Another app comes with a token that was used. In the other flow, another signer answers with its secret. */
  async "spent secret"(column) {
    const { remote, host, peer, place, token, options } = column
    if (peer.flow === "nostrconnect") {
      const late = peer.open(place)
      try {
        await late.accept(token)
        await signs(column)
        expect(remote.remoteSignerPubkey).toBe(host.remoteSignerPubkey)
      } finally {
        await late.close()
      }
      return "passed over"
    }
    const timing = { ...options.timing, requestMs: SILENCE_MS }
    const outcome = await RemoteSigner.connect(token, { ...options, timing, onSession: () => undefined }).then(
      (other) => {
        other.close()
        return "let in"
      },
      codeOf,
    )
    await signs(column)
    if (outcome === "let in") throw new Error("another app was let in with the same token")
    expect(["REMOTE_ERROR", "TIMEOUT"]).toContain(outcome)
    return outcome === "TIMEOUT" ? "passed over" : "refused"
  },

  /** Within the session, and in the bunker:// flow as an app does that has lost all but its key. */
  async "second connect"(column) {
    const { remote, secret, peer } = column
    expect(["ack", secret]).toContain(await remote.call("connect", [remote.remoteSignerPubkey, secret]))
    if (peer.flow === "bunker") await column.connect()
    await signs(column)
    await reasonOf(column.remote.signEvent(profile), "sign_event")
    return undefined
  },

  async "restored session"(column) {
    column.restore()
    await signs(column)
    return undefined
  },

  /** The relay has gone and come back by then. */
  "relay restarts": signsAgain,
  "relay dies": signsAgain,

  async logout(column) {
    const { remote, session, options } = column
    const isTaken = await remote.logout({ timeoutMs: ANSWER_MS })
    expect(column.session, "the stored session is to be deleted").toBe(undefined)
    const back = RemoteSigner.restore(session ?? "", options)
    try {
      const answer = await back.ping({ timeoutMs: SILENCE_MS }).then(() => "it is served", codeOf)
      if (!isTaken && answer === "it is served") throw new Error("it did not take the logout, and goes on")
      expect(isTaken).toBe(true)
      expect(["TIMEOUT", "REMOTE_ERROR"]).toContain(answer)
    } finally {
      back.close()
    }
    return undefined
  },
}

/** Asks one cell of one column; rejects when it does not hold, or when a limit of the peer holds no more. */
export async function askSignerCell(column: SignerColumn, cell: SignerCell): Promise<Outcome> {
  const { name, version, limits } = column.peer
  const limit = limits[cell]
  const check = signerChecks[cell]
  if (limit === undefined || ("where" in limit && limit.where?.(column.place) === false)) {
    return { text: (await check(column)) ?? "yes" }
  }
  const { kind, why } = limit
  const isNoMore = `“${why}” is no longer so`
  const reason = { why, whose: `${name} ${version}` }
  switch (limit.kind) {
    case "by hand":
    case "by its host": {
      const text = (await check(column)) ?? "yes"
      expect(await limit.isStillSo(column.host.signer), isNoMore).toBe(true)
      return { text: `${text}, ${kind}`, ...reason }
    }
    case "cannot":
      await expect(check(column), isNoMore).rejects.toThrow(limit.says)
      return { text: kind, ...reason }
    case "once started anew":
    case "in a new session": {
      const { host } = column
      const subscribed = subscriptionsOf(host.remoteSignerPubkey)
      await expect(check(column), isNoMore).rejects.toMatchObject({ code: "TIMEOUT" })
      expect(subscriptionsOf(host.remoteSignerPubkey), "it does not subscribe again").toBe(subscribed)
      await host.startAnew()
      if (kind === "in a new session") await column.connect()
      await signs(column)
      return { text: kind, ...reason }
    }
  }
}

async function signs({ remote, host }: SignerColumn, timeoutMs = ANSWER_MS): Promise<undefined> {
  const signed = await remote.signEvent(note, { timeoutMs })
  expect(signed).toMatchObject({ ...note, pubkey: host.userPubkey })
  expect(verifyEvent({ ...signed, tags: signed.tags.map((tag) => [...tag]) })).toBe(true)
  return undefined
}

/** A single request, which an app leaves to the client. */
function signsAgain(column: SignerColumn): Promise<undefined> {
  return signs(column, RESTART_MS)
}

/** Somebody who saw the token without its secret answers it first, and is not taken for the signer. */
async function passesOverAStranger(column: SignerColumn): Promise<string> {
  const { peer, place } = column
  const [stranger, honest] = [peer.open(place), peer.open(place)]
  const pairing = await column.pair()
  try {
    await stranger.accept(pairing.uri.replace(/secret=[^&]*/, "secret=guessed"))
    await honest.accept(pairing.uri)
    const remote = await within(pairing.connected(), ANSWER_MS, "the answer with the secret")
    remote.close()
    expect(remote.remoteSignerPubkey).toBe(honest.remoteSignerPubkey)
    return "passed over"
  } finally {
    pairing.close()
    await stranger.close()
    await honest.close()
  }
}

/** The signer's own words. */
async function reasonOf(asked: Promise<unknown>, method: string): Promise<string> {
  try {
    await asked
  } catch (error) {
    if (!(error instanceof Nip46Error)) throw error
    expect(error).toMatchObject({ code: "REMOTE_ERROR", details: { method } })
    return String(error.details["reason"])
  }
  throw new Error(`${method} was not refused`)
}

function codeOf(error: unknown): string {
  if (error instanceof Nip46Error) return error.code
  throw error
}
