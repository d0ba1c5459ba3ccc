import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { MAX_KIND, NOSTR_CONNECT_KIND } from "../protocol/event.js"
import { METHODS } from "../protocol/method.js"
import { type Ask, authorize, readCounterparty } from "./authorize.js"
import type { Connection, ConnectionState, Grant } from "./ports.js"
import { SENSITIVE_KINDS } from "./sensitive-kinds.js"

const NOW = 1_700_000_000
const CLIENT = "11".repeat(32)
const SIGNER = "22".repeat(32)
const USER = "33".repeat(32)
const FRIEND = "44".repeat(32)

const sign = (kind: number): Ask => ({ method: "sign_event", template: { kind, content: "", tags: [], created_at: 0 } })
const decrypt = (counterparty: string): Ask => ({ method: "nip44_decrypt", counterparty, text: "x" })

let grants = 0
const grant = (method: string, param?: string, fields: Partial<Grant> = {}): Grant => {
  const id = `g${++grants}`
  return { id, method, param, effect: "allow", expiresAt: undefined, usesLeft: undefined, ...fields }
}
const connection = (grants: readonly Grant[], state: ConnectionState = "active"): Connection => ({
  id: "c",
  userPubkey: USER,
  remoteSignerPubkey: SIGNER,
  sealedTransportKey: new Uint8Array(),
  clientPubkey: CLIENT,
  state,
  secretHash: undefined,
  secretExpiresAt: undefined,
  expiresAt: undefined,
  relays: [],
  clientRelays: [],
  guardedRelays: [],
  connectResponse: undefined,
  nip04Transport: false,
  app: {},
  requestedPerms: "",
  grants,
  createdAt: NOW,
  lastUsedAt: undefined,
  endedAt: undefined,
  revision: 1,
})
const verdictOf = (ask: Ask, ...grants: Grant[]) => authorize(ask, connection(grants), NOW)
const allows = (ask: Ask, ...grants: Grant[]) => verdictOf(ask, ...grants).kind === "allow"

describe("invariant 4: absence is never permission", () => {
  it("without a grant nothing that uses the user key is allowed", () => {
    expect(verdictOf(sign(1))).toEqual({
      kind: "deny",
      reason: "signing kind 1 is not permitted for this app; its owner can allow it",
    })
    expect(verdictOf(decrypt(FRIEND))).toEqual({
      kind: "deny",
      reason: "nip44_decrypt is not permitted for this app; its owner can allow it",
    })
  })

  it("a grant for one method or kind or counterparty is no grant for another (N46-PERMS-4)", () => {
    expect(allows(sign(1), grant("sign_event", "2"), grant("nip44_encrypt"), grant("ping"))).toBe(false)
    expect(allows(decrypt(FRIEND), grant("nip44_encrypt"), grant("nip04_decrypt"), grant("sign_event"))).toBe(false)
    expect(allows(decrypt(FRIEND), grant("nip44_decrypt", USER))).toBe(false)
    expect(allows(decrypt(FRIEND), grant("nip44_decrypt", FRIEND))).toBe(true)
    expect(allows(sign(1), grant("sign_event", ""))).toBe(false)
    expect(allows(sign(1), grant("sign_event", "1 "))).toBe(false)
  })

  it("whatever a connection holds, only an active one is allowed anything, even what is free", () => {
    const everything = METHODS.map((method) => grant(method))
    const asks: Ask[] = [
      sign(1),
      decrypt(FRIEND),
      { method: "ping" },
      { method: "get_public_key" },
      { method: "connect" },
    ]
    for (const state of ["offered", "paused", "revoked", "logged_out"] as const) {
      for (const ask of asks) expect(authorize(ask, connection(everything, state), NOW).kind).toBe("deny")
    }
    for (const ask of asks) expect(authorize(ask, connection(everything), NOW).kind).toBe("allow")
  })
})

describe("kinds", () => {
  const allowed = (...grants: Grant[]) => {
    const kinds: number[] = []
    for (let kind = 0; kind <= MAX_KIND; kind++) if (allows(sign(kind), ...grants)) kinds.push(kind)
    return kinds
  }

  it("of all 65,536, a bare sign_event grant leaves out the sensitive and the forbidden", () => {
    const kinds = new Set(allowed(grant("sign_event")))
    const missing = Array.from({ length: MAX_KIND + 1 }, (_, kind) => kind).filter((kind) => !kinds.has(kind))
    expect(missing).toEqual([0, 3, 5, 62, 10002, 10050, 13194, 17375, 22242, 23194, 24133, 24242, 27235, 30078])
  })

  it("of all 65,536, a named kind is that kind (N46-PERMS-4)", () => {
    expect(allowed(grant("sign_event", "7"))).toEqual([7])
    for (const kind of SENSITIVE_KINDS) expect(allows(sign(kind), grant("sign_event", String(kind)))).toBe(true)
  })

  it("24133 is never signed by a user key, named or not", () => {
    expect(verdictOf(sign(NOSTR_CONNECT_KIND), grant("sign_event"), grant("sign_event", "24133"))).toEqual({
      kind: "deny",
      reason: "kind 24133 is never signed by a user key",
    })
  })

  it("of all 65,536, a bare deny leaves none, the sensitive included", () => {
    const named = [...SENSITIVE_KINDS].map((kind) => grant("sign_event", String(kind)))
    expect(allowed(grant("sign_event"), ...named, grant("sign_event", undefined, { effect: "deny" }))).toEqual([])
  })
})

describe("deny wins", () => {
  it("over the same param, over a bare grant, in any order", () => {
    const deny = grant("sign_event", "1", { effect: "deny" })
    for (const allow of [grant("sign_event"), grant("sign_event", "1")]) {
      expect(verdictOf(sign(1), allow, deny).kind).toBe("deny")
      expect(verdictOf(sign(1), deny, allow)).toEqual({
        kind: "deny",
        reason: "the owner denies signing kind 1 to this app",
      })
    }
    expect(allows(sign(2), deny, grant("sign_event"))).toBe(true)
  })

  it("a deny is not used up, but it can expire", () => {
    const spent = grant("sign_event", "1", { effect: "deny", usesLeft: 0 })
    expect(allows(sign(1), grant("sign_event"), spent)).toBe(false)
    const over = grant("sign_event", "1", { effect: "deny", expiresAt: NOW })
    expect(allows(sign(1), grant("sign_event"), over)).toBe(true)
  })
})

describe("grants that end", () => {
  it("expire at their second, not after it", () => {
    expect(allows(sign(1), grant("sign_event", "1", { expiresAt: NOW + 1 }))).toBe(true)
    expect(allows(sign(1), grant("sign_event", "1", { expiresAt: NOW }))).toBe(false)
    expect(allows(sign(1), grant("sign_event", "1", { expiresAt: 0 }))).toBe(false)
  })

  it("a counted grant is charged, an unlimited one spares it", () => {
    const counted = grant("sign_event", "1", { usesLeft: 1 })
    expect(verdictOf(sign(1), counted)).toEqual({ kind: "allow", by: "grant sign_event:1", charges: [counted.id] })
    expect(verdictOf(sign(1), counted, grant("sign_event"))).toEqual({
      kind: "allow",
      by: "grant sign_event",
      charges: [],
    })
    expect(allows(sign(1), grant("sign_event", "1", { usesLeft: 0 }))).toBe(false)
  })
})

describe("transport peers", () => {
  it("the client's and the signer's own keys are never written to or read from, the user's own is", () => {
    for (const method of ["nip04_encrypt", "nip04_decrypt", "nip44_encrypt", "nip44_decrypt"] as const) {
      const all = [grant(method), grant(method, CLIENT), grant(method, SIGNER)]
      for (const counterparty of [CLIENT, SIGNER]) {
        expect(verdictOf({ method, counterparty, text: "" }, ...all).kind).toBe("deny")
      }
      expect(allows({ method, counterparty: USER, text: "" }, grant(method))).toBe(true)
    }
  })
})

const grantArb = fc.record({
  id: fc.uuid(),
  method: fc.constantFrom("sign_event", "nip44_decrypt", "ping"),
  param: fc.constantFrom(undefined, "0", "1", "22242", "24133", FRIEND, CLIENT),
  effect: fc.constantFrom("allow" as const, "deny" as const),
  expiresAt: fc.constantFrom(undefined, NOW - 1, NOW, NOW + 1),
  usesLeft: fc.constantFrom(undefined, 0, 1),
})
const askArb = fc.constantFrom<Ask>(sign(0), sign(1), sign(22242), sign(24133), decrypt(FRIEND), decrypt(CLIENT))

it("fewer allow grants, or more denials, never allow more", () => {
  fc.assert(
    fc.property(askArb, fc.array(grantArb, { maxLength: 8 }), fc.func(fc.boolean()), (ask, grants, keeps) => {
      const fewer = grants.filter((grant) => grant.effect === "deny" || keeps(grant.id))
      const denied = [
        ...fewer,
        ...grants.filter((grant) => keeps(grant.id)).map((g) => ({ ...g, effect: "deny" as const })),
      ]
      if (!allows(ask, ...grants)) expect(allows(ask, ...fewer)).toBe(false)
      if (!allows(ask, ...fewer)) expect(allows(ask, ...denied)).toBe(false)
    }),
    { numRuns: 2_000 },
  )
})

it("what is charged is an allow grant of this very method with a use left", () => {
  fc.assert(
    fc.property(askArb, fc.array(grantArb, { maxLength: 8 }), (ask, grants) => {
      const verdict = verdictOf(ask, ...grants)
      for (const id of verdict.kind === "allow" ? verdict.charges : []) {
        expect(grants.find((grant) => grant.id === id)).toMatchObject({
          method: ask.method,
          effect: "allow",
          usesLeft: 1,
        })
      }
    }),
    { numRuns: 1_000 },
  )
})

it("readCounterparty takes upper-case hex and nothing that is no key", () => {
  expect(readCounterparty("AB".repeat(32))).toBe("ab".repeat(32))
  for (const text of [undefined, "", "npub1xyz", "ab".repeat(31), ` ${"ab".repeat(32)}`]) {
    expect(readCounterparty(text)).toBeUndefined()
  }
})
