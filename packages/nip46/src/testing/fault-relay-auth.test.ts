import { expect, test } from "vitest"
import { create, dial as dialAgain, relay, settled, use, useFaultBench } from "../../test/support/fault-bench.js"
import { ALICE, BOB, CAROL, KEYS, proof, RawPeer, START, signed } from "../../test/support/raw-peer.js"
import { FaultRelay } from "./fault-relay.js"
import type { RelayFaults } from "./relay-faults.js"

const REFUSAL = "auth-required: prove that you are who this concerns"

useFaultBench()

async function dial(faults: Partial<RelayFaults>): Promise<RawPeer> {
  create(faults)
  return dialAgain()
}

function challengeOf(peer: RawPeer): string {
  return peer.of("AUTH").at(-1)![0] as string
}

async function authenticate(peer: RawPeer, key = KEYS[0]!): Promise<unknown[]> {
  peer.say("AUTH", proof(challengeOf(peer), relay.url, key))
  await settled()
  return peer.of("OK").at(-1)!.slice(1)
}

test("nothing is asked for while authRequired is off", async () => {
  const peer = await dial({})
  peer.say("REQ", "sub", { "#p": [BOB] })
  peer.say("EVENT", signed())
  await settled()
  expect(peer.heard.map((message) => message[0])).toEqual(["EOSE", "OK", "EVENT"])
})

test("early: the challenge comes first, and all is refused until the proof", async () => {
  const peer = await dial({ authRequired: "early" })
  expect(peer.heard).toEqual([["AUTH", challengeOf(peer)]])
  const event = signed()
  peer.say("REQ", "sub", {})
  peer.say("EVENT", event)
  await settled()
  expect(peer.heard.slice(1)).toEqual([
    ["CLOSED", "sub", REFUSAL],
    ["OK", event.id, false, REFUSAL],
  ])
  expect(await authenticate(peer)).toEqual([true, ""])
  peer.clear()
  peer.say("REQ", "sub", {})
  peer.say("EVENT", event)
  await settled()
  expect(peer.heard).toEqual([
    ["EOSE", "sub"],
    ["OK", event.id, true, ""],
    ["EVENT", "sub", event],
  ])
})

test.each([
  ["late", REFUSAL],
  ["prefixed", `error: ${REFUSAL}`],
] as const)("%s: the challenge comes once, after the first refusal", async (authRequired, refusal) => {
  const peer = await dial({ authRequired })
  expect(peer.heard).toEqual([])
  const event = signed()
  peer.say("EVENT", event)
  peer.say("REQ", "sub", {})
  await settled()
  expect(peer.heard).toEqual([
    ["OK", event.id, false, refusal],
    ["AUTH", challengeOf(peer)],
    ["CLOSED", "sub", refusal],
  ])
  expect(await authenticate(peer)).toEqual([true, ""])
})

test("each pubkey proves itself: an EVENT its author, a REQ all of its #p", async () => {
  const peer = await dial({ authRequired: "early" })
  await authenticate(peer, KEYS[1])
  const ask = async (...message: unknown[]) => {
    peer.clear()
    peer.say(...message)
    await settled()
    return peer.heard.map(([label, , accepted]) => (label === "OK" ? accepted : label))
  }
  expect(await ask("REQ", "a", { "#p": [BOB] })).toEqual(["EOSE"])
  expect(await ask("REQ", "b", { "#p": [BOB, CAROL] })).toEqual(["CLOSED"])
  expect(await ask("REQ", "c", { "#p": [BOB] }, { "#p": [CAROL] })).toEqual(["CLOSED"])
  expect(await ask("REQ", "d", { kinds: [1] })).toEqual(["EOSE"])
  expect(await ask("EVENT", signed({ kind: 1 }, KEYS[0]))).toEqual([false])
  expect(await ask("EVENT", signed({ kind: 1, tags: [] }, KEYS[1]))).toEqual([true, "EVENT"])
})

test("many: all stay; one: the last stays, and the subscriptions of the one before are closed", async () => {
  for (const authPubkeys of ["many", "one"] as const) {
    const peer = await dial({ authRequired: "early", authPubkeys })
    await authenticate(peer, KEYS[0])
    peer.say("REQ", "alice", { "#p": [ALICE] })
    await settled()
    await authenticate(peer, KEYS[1])
    peer.say("REQ", "bob", { "#p": [BOB] })
    await settled()
    expect(peer.of("EOSE")).toEqual([["alice"], ["bob"]])
    expect(peer.of("CLOSED")).toEqual(authPubkeys === "one" ? [["alice", REFUSAL]] : [])
    expect(relay.subscriptions.map(({ id }) => id)).toEqual(authPubkeys === "one" ? ["bob"] : ["alice", "bob"])
    expect(relay.authenticated).toEqual([authPubkeys === "one" ? [BOB] : [ALICE, BOB]])
    relay.close()
  }
})

test("a proof counts on its own socket only, and challenges differ", async () => {
  const peer = await dial({ authRequired: "early" })
  const other = RawPeer.dial(relay)
  await settled()
  await authenticate(peer)
  expect(challengeOf(other)).not.toBe(challengeOf(peer))
  other.say("REQ", "sub", {})
  await settled()
  expect(other.of("CLOSED")).toEqual([["sub", REFUSAL]])
})

test.each([
  ["another kind", { kind: 1 }, "invalid: a proof has kind 22242"],
  [
    "another challenge",
    {
      tags: [
        ["relay", "ws://fault-relay.test"],
        ["challenge", "y"],
      ],
    },
    "invalid: not the challenge of this connection",
  ],
  ["another relay", { relay: "ws://else.test" }, "invalid: a proof for another relay"],
  ["no relay", { relay: undefined }, "invalid: a proof for another relay"],
  ["an old one", { created_at: START - 601 }, "invalid: created_at is too far off"],
  ["a forged one", { forged: true }, "invalid: the signature does not hold"],
] as const)("a proof with %s is refused", async (_, change, reason) => {
  const peer = await dial({ authRequired: "early" })
  const {
    forged,
    relay: address,
    ...fields
  } = { forged: false, relay: relay.url, ...change } as {
    forged: boolean
    relay: string | undefined
  }
  const tags = [["challenge", challengeOf(peer)], ...(address === undefined ? [] : [["relay", address]])]
  const made = proof("", "", KEYS[0], { tags, ...fields })
  peer.say("AUTH", forged ? { ...made, sig: signed().sig } : made)
  await settled()
  expect(peer.of("OK").map((ok) => ok.slice(1))).toEqual([[false, reason]])
  expect(relay.authenticated).toEqual([[]])
})

test("refuseAuth: a good proof is refused with the reason", async () => {
  const peer = await dial({ authRequired: "early", refuseAuth: "restricted: not you" })
  expect(await authenticate(peer)).toEqual([false, "restricted: not you"])
  relay.faults.refuseAuth = undefined
  expect(await authenticate(peer)).toEqual([true, ""])
})

test("without verifyEvent no proof is believed", async () => {
  use(new FaultRelay({ faults: { authRequired: "early" } }))
  const peer = await dialAgain()
  expect(await authenticate(peer)).toEqual([
    false,
    "error: this relay was given no verifyEvent and cannot check a proof",
  ])
})

test("challenge: one unasked, and noOk does not hide the answer to a proof", async () => {
  const peer = await dial({ noOk: true })
  relay.challenge()
  await settled()
  expect(await authenticate(peer)).toEqual([true, ""])
})
