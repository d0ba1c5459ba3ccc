import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { grant } from "../../test/support/signer-bench.js"
import { type EventTemplate, MAX_KIND, NOSTR_CONNECT_KIND } from "../protocol/event.js"
import { METHODS } from "../protocol/method.js"
import { type Ask, authorize, hasUses, readCounterparty, used } from "./authorize.js"
import type { Conditions, Connection, ConnectionState, Grant } from "./ports.js"
import { SENSITIVE_KINDS } from "./sensitive-kinds.js"

const NOW = 1_700_000_000
const CLIENT = "11".repeat(32)
const SIGNER = "22".repeat(32)
const USER = "33".repeat(32)
const FRIEND = "44".repeat(32)

/** Tags of logins as they must be. */
const LOGIN_TAGS: Readonly<Record<number, string[][]>> = {
  22242: [
    ["relay", "wss://relay.example/"],
    ["challenge", "x"],
  ],
  24242: [["t", "upload"]],
  27235: [
    ["u", "https://media.example/upload"],
    ["method", "POST"],
  ],
}
const sign = (kind: number, fields: Partial<EventTemplate> = {}): Ask => ({
  method: "sign_event",
  template: { kind, content: "", tags: LOGIN_TAGS[kind] ?? [], created_at: NOW, ...fields },
})
const decrypt = (counterparty: string): Ask => ({ method: "nip44_decrypt", counterparty, text: "x" })

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
  style: "deny",
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
  rate: fc.constantFrom(undefined, { uses: 1, seconds: 60 }),
  recentUses: fc.constantFrom([], [NOW - 60], [NOW - 59]),
  conditions: fc.constantFrom<Conditions>(
    {},
    { counterparties: [FRIEND] },
    { host: "relay.example" },
    { tags: [["e", "1"]] },
    { dPrefix: "app/" },
    { maxContentBytes: 0 },
    { ask: "ff".repeat(32) },
  ),
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
        const charged = grants.find((grant) => grant.id === id)
        expect(charged).toMatchObject({ method: ask.method, effect: "allow" })
        if (charged === undefined) continue
        expect(hasUses(charged, NOW)).toBe(true)
        expect(charged.usesLeft !== undefined || charged.rate !== undefined).toBe(true)
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

describe("what no grant covers", () => {
  const asks = (style: Connection["style"], ask: Ask, ...grants: Grant[]) =>
    authorize(ask, { ...connection(grants), style }, NOW).kind

  it("asks the owner or is refused, by the connection's style", () => {
    expect(asks("hold", sign(1))).toBe("ask")
    expect(asks("auth_url", sign(1))).toBe("ask")
    expect(asks("deny", sign(1))).toBe("deny")
    expect(asks("hold", sign(1), grant("sign_event", "1", { usesLeft: 0 }))).toBe("ask")
  })

  it("is never asked where the answer is no: denied, forbidden, a transport key, a paused app", () => {
    expect(asks("hold", sign(1), grant("sign_event", "1", { effect: "deny" }))).toBe("deny")
    expect(asks("hold", sign(24133))).toBe("deny")
    expect(asks("hold", decrypt(CLIENT))).toBe("deny")
    expect(authorize(sign(1), { ...connection([], "paused"), style: "hold" }, NOW).kind).toBe("deny")
  })
})

describe("rates", () => {
  const rated = (recentUses: number[], fields: Partial<Grant> = {}) =>
    grant("sign_event", "1", { rate: { uses: 2, seconds: 60 }, recentUses, ...fields })

  it("count what was used within their seconds", () => {
    expect(allows(sign(1), rated([]))).toBe(true)
    expect(allows(sign(1), rated([NOW - 61, NOW - 60]))).toBe(true)
    expect(allows(sign(1), rated([NOW - 60, NOW]))).toBe(false)
    // A clock that was set back must not make more of it.
    expect(allows(sign(1), rated([NOW + 500, NOW + 500]))).toBe(false)
  })

  it("are charged, and spared where something unlimited allows", () => {
    const one = rated([])
    expect(verdictOf(sign(1), one)).toMatchObject({ charges: [one.id] })
    expect(verdictOf(sign(1), one, grant("sign_event"))).toMatchObject({ charges: [] })
    expect(used(rated([NOW - 100, NOW - 5], { usesLeft: 3 }), NOW)).toMatchObject({
      usesLeft: 2,
      recentUses: [NOW - 5, NOW],
    })
    expect(used(grant("sign_event"), NOW)).toMatchObject({ usesLeft: undefined, recentUses: [] })
  })

  it("do not limit a denial", () => {
    expect(allows(sign(1), grant("sign_event"), rated([NOW, NOW], { effect: "deny" }))).toBe(false)
  })
})

describe("conditions", () => {
  /** A media login that names no server works anywhere. */
  const isSilent = (ask: Ask, { host }: Conditions): boolean =>
    host !== undefined && ask.method === "sign_event" && !ask.template.tags.some(([name]) => name !== "t")
  const when = (method: string, param: string | undefined, conditions: Conditions) =>
    grant(method, param, { conditions })

  it.each<[string, Conditions, Ask, Ask[]]>([
    ["a counterparty", { counterparties: [FRIEND] }, decrypt(FRIEND), [decrypt(USER)]],
    [
      "tags, each with its value",
      {
        tags: [
          ["e", "1"],
          ["t", "x"],
        ],
      },
      sign(1, {
        tags: [
          ["t", "x"],
          ["e", "1", "more"],
        ],
      }),
      [
        sign(1),
        sign(1, { tags: [["e", "1"]] }),
        sign(1, {
          tags: [
            ["e", "1"],
            ["t", "y"],
          ],
        }),
        sign(1, {
          tags: [
            ["E", "1"],
            ["t", "x"],
          ],
        }),
      ],
    ],
    [
      "a relay's host",
      { host: "relay.example" },
      sign(22242),
      [
        sign(22242, {
          tags: [
            ["relay", "wss://relay.example.evil"],
            ["challenge", "x"],
          ],
        }),
      ],
    ],
    [
      "a host of HTTP and its method",
      { host: "media.example", action: "post" },
      sign(27235),
      [
        sign(27235, {
          tags: [
            ["u", "https://other.example/media.example"],
            ["method", "POST"],
          ],
        }),
        sign(27235, {
          tags: [
            ["u", "https://media.example:8443/upload"],
            ["method", "POST"],
          ],
        }),
        sign(27235, {
          tags: [
            ["u", "https://media.example/upload"],
            ["method", "GET"],
          ],
        }),
      ],
    ],
    ["what is done with media", { action: "upload" }, sign(24242), [sign(24242, { tags: [["t", "delete"]] })]],
    [
      "a server of media",
      { host: "cdn.example" },
      sign(24242, {
        tags: [
          ["t", "upload"],
          ["server", "https://cdn.example/"],
        ],
      }),
      [
        sign(24242),
        sign(24242, {
          tags: [
            ["t", "upload"],
            ["server", "cdn.example.evil"],
          ],
        }),
      ],
    ],
    [
      "how d begins",
      { dPrefix: "notes/" },
      sign(30078, { tags: [["d", "notes/1"]] }),
      [
        sign(30078),
        sign(30078, { tags: [["d", "note"]] }),
        sign(30078, {
          tags: [
            ["d", "notes/1"],
            ["d", "wallet"],
          ],
        }),
      ],
    ],
    [
      "the length in bytes",
      { maxContentBytes: 4 },
      sign(1, { content: "\u00e9\u00e9" }),
      [sign(1, { content: "\u00e9\u00e9." })],
    ],
  ])("%s", (_what, conditions, yes, no) => {
    const param = yes.method === "sign_event" ? String(yes.template.kind) : undefined
    const one = when(yes.method, param, conditions)
    expect(allows(yes, one)).toBe(true)
    for (const ask of no) expect(verdictOf(ask, one).kind).toBe("deny")
    // What limits an allow limits a denial, unless the ask leaves open what it is about.
    const denies = { ...one, effect: "deny" as const }
    expect(allows(yes, grant(yes.method, param), denies)).toBe(false)
    for (const ask of no) {
      const isOpen =
        isSilent(ask, conditions) || (conditions.dPrefix !== undefined && JSON.stringify(ask).includes('"notes/1"'))
      expect([ask, allows(ask, grant(yes.method, param), denies)]).toEqual([ask, !isOpen])
    }
  })

  it("a denial cannot be got around by what is said twice, or not at all", () => {
    const denied = (conditions: Conditions, kind: number, tags: string[][]) =>
      !allows(sign(kind, { tags }), grant("sign_event", String(kind)), {
        ...when("sign_event", String(kind), conditions),
        effect: "deny",
      })
    expect(
      denied({ dPrefix: "wallet" }, 30078, [
        ["d", "wallet"],
        ["d", "x"],
      ]),
    ).toBe(true)
    expect(
      denied({ dPrefix: "wallet" }, 30078, [
        ["d", "x"],
        ["d", "wallet"],
      ]),
    ).toBe(true)
    expect(denied({ host: "cdn.example" }, 24242, [["t", "delete"]])).toBe(true)
    expect(
      denied({ host: "cdn.example" }, 24242, [
        ["t", "upload"],
        ["server", "cdn.example."],
      ]),
    ).toBe(true)
    expect(
      denied({ host: "cdn.example" }, 24242, [
        ["t", "upload"],
        ["server", "other.example"],
      ]),
    ).toBe(false)
  })

  it("a name is one of addressable events alone", () => {
    const named = when("sign_event", undefined, { dPrefix: "notes/" })
    expect(allows(sign(30023, { tags: [["d", "notes/1"]] }), named)).toBe(true)
    for (const kind of [1, 10000, 40000]) expect(allows(sign(kind, { tags: [["d", "notes/1"]] }), named)).toBe(false)
  })

  it("near a time: twenty minutes either way", () => {
    const one = when("sign_event", "1", { near: NOW })
    for (const off of [-1_200, 0, 1_200]) expect(allows(sign(1, { created_at: NOW + off }), one)).toBe(true)
    for (const off of [-1_201, 1_201]) expect(allows(sign(1, { created_at: NOW + off }), one)).toBe(false)
  })

  it("an ask that is exactly this one, by the engine's digest", () => {
    const one = when("sign_event", "1", { ask: "aa".repeat(32) })
    const decide = (askKey?: string) => authorize(sign(1), connection([one]), NOW, { askKey }).kind
    expect(decide("aa".repeat(32))).toBe("allow")
    expect(decide("bb".repeat(32))).toBe("deny")
    expect(decide()).toBe("deny")
  })

  it("of an event never hold for what is none", () => {
    for (const conditions of [{ tags: [["e", "1"]] }, { host: "x.example" }, { dPrefix: "" }, { maxContentBytes: 9 }]) {
      expect(allows(decrypt(FRIEND), when("nip44_decrypt", undefined, conditions as Conditions))).toBe(false)
    }
    expect(allows(sign(1), when("sign_event", "1", { counterparties: [FRIEND] }))).toBe(false)
  })
})

describe("logins are signed only where they say once where they are for", () => {
  const any = [grant("sign_event", "22242"), grant("sign_event", "27235"), grant("sign_event", "24242")]
  const relay = ["relay", "wss://relay.example"]
  const challenge = ["challenge", "x"]
  const url = ["u", "https://media.example"]
  const post = ["method", "POST"]

  it.each<[number, string[][]]>([
    [22242, []],
    [22242, [relay]],
    [22242, [challenge]],
    [22242, [relay, challenge, challenge]],
    [22242, [relay, ["relay", "wss://other.example"], challenge]],
    [22242, [["relay", "https://relay.example"], challenge]],
    [22242, [["relay", "relay.example"], challenge]],
    [22242, [["relay", "wss://user@relay.example"], challenge]],
    [22242, [["relay", "wss://relay.example\\@evil.example/"], challenge]],
    [22242, [["relay", "wss:relay.example"], challenge]],
    [22242, [["relay", "wss://relay.example\t.evil"], challenge]],
    [22242, [["relay", "wss://relay\u3002example"], challenge]],
    [27235, [url, ["method", "my own words"]]],
    [24242, [["t", "x".repeat(33)]]],
    [
      24242,
      [
        ["t", "upload"],
        ["server", "wss://cdn.example"],
      ],
    ],
    [22242, [relay, ["challenge"]]],
    [27235, [url]],
    [27235, [post]],
    [27235, [url, url, post]],
    [27235, [["u", "wss://media.example"], post]],
    [27235, [["u", "//media.example"], post]],
    [24242, []],
    [
      24242,
      [
        ["t", "upload"],
        ["t", "delete"],
      ],
    ],
    [
      24242,
      [
        ["t", "upload"],
        ["server", "a.example"],
        ["server", "b.example"],
      ],
    ],
    [
      24242,
      [
        ["t", "upload"],
        ["server", "not a host"],
      ],
    ],
  ])("kind %i with tags %j is refused", (kind, tags) => {
    expect(verdictOf(sign(kind, { tags }), ...any)).toMatchObject({
      kind: "deny",
      reason: expect.stringContaining("must say once"),
    })
  })

  it("and within a minute of their arrival", () => {
    for (const kind of [22242, 24242, 27235]) {
      for (const off of [-61, 61]) {
        expect(verdictOf(sign(kind, { created_at: NOW + off }), ...any)).toMatchObject({ kind: "deny" })
        expect(allows(sign(kind, { created_at: NOW + off - Math.sign(off) }), ...any)).toBe(true)
        const waited = authorize(sign(kind, { created_at: NOW + off }), connection(any), NOW, { arrivedAt: NOW + off })
        expect(waited.kind).toBe("allow")
      }
    }
  })

  it("and never to this signer itself", () => {
    const isOwnHost = (host: string) => host === "bunker.example:8443"
    const at = (u: string) =>
      authorize(sign(27235, { tags: [["u", u], post] }), { ...connection(any), style: "hold" }, NOW, { isOwnHost })
    expect(at("https://BUNKER.example:8443/login")).toEqual({
      kind: "deny",
      reason: "a login to this signer itself is never signed",
    })
    expect(at("https://bunker.example/login").kind).toBe("allow")
  })
})
