import { SENSITIVE_KINDS } from "@casemate/nip46/signer"
import { describe, expect, it } from "vitest"
import type { WebCall } from "../../channel/web-calls.js"
import { type Act, needsProof } from "./needs-proof.js"
import { WEB_ARGS } from "./web-args.js"

const MAX_KIND = 65_535
const PEER = "ab".repeat(32)
const grant = (perms: string, more: object = {}): Act => ({
  call: "apps.grant",
  args: { id: "c0ffee", perms, ...more },
})
const approve = (extent: unknown, scope: Act["scope"]): Act => ({ call: "requests.approve", args: { extent }, scope })
const kind = (n: number): Act["scope"] => ({ method: "sign_event", param: String(n), conditions: {} })
const preset = (name: string): Act => ({ call: "apps.preset", args: { id: "c0ffee", preset: name } })
const allow = { effect: "allow" } as const
const denial = { effect: "deny" } as const

describe("a proof is needed", () => {
  it.each<[string, Act]>([
    ["to let another passkey in", { call: "owner.addPasskey", args: {} }],
    ["to take one away", { call: "owner.removePasskey", args: {} }],
    ["to set a password", { call: "owner.setPassword", args: {} }],
    ["for new recovery codes", { call: "owner.recoveryCodes", args: {} }],
    ["for the preset full", preset("full")],
    ["for the preset social, in which logins and reading messages are", preset("social")],
    ["to sign everything", grant("sign_event")],
    ["to sign one kind that costs more than a post", grant("sign_event:1,sign_event:5")],
    ["for such a kind though it is narrowed", grant("sign_event:22242", { host: "relay.example" })],
    ["to read all messages", grant("nip44_decrypt")],
    ["to read all messages of the old kind", grant("nip04_decrypt", { uses: 1 })],
    [
      "for a denial that ends, which may take the place of one that does not",
      grant("sign_event:1", { deny: true, expiresAt: 1 }),
    ],
    ["to take a denial back", { call: "apps.ungrant", args: {}, taken: [allow, denial] }],
    ["to approve such a kind for good", approve("always", kind(0))],
    ["to approve such a kind for an hour", approve({ seconds: 3_600 }, kind(30_078))],
    ["to approve for good what nobody knows", approve("always", undefined)],
  ])("%s", (_, act) => {
    expect(needsProof(act)).toBe(true)
  })
})

describe("a session is enough", () => {
  it.each<[string, Act]>([
    ["for the preset ask", preset("ask")],
    ["for a preset that is none, which is refused", preset("__proto__")],
    ["for everyday kinds", grant("sign_event:1,sign_event:7")],
    ["to encrypt", grant("nip44_encrypt,nip04_encrypt")],
    ["to read messages of one person", grant("nip44_decrypt", { counterparties: [PEER] })],
    ["the same as a permission", grant(`nip44_decrypt:${PEER}`)],
    ["to deny anything for good", grant("sign_event,nip44_decrypt", { deny: true })],
    ["to take a grant back", { call: "apps.ungrant", args: {}, taken: [allow] }],
    ["to approve anything once", approve("once", kind(5))],
    [
      "to approve reading messages of one person",
      approve("always", { method: "nip44_decrypt", param: PEER, conditions: {} }),
    ],
  ])("%s", (_, act) => {
    expect(needsProof(act)).toBe(false)
  })
})

it("each of the 65,536 kinds is judged by the list of those that cost more than a post, granted or approved", () => {
  const sensitive = { granted: [] as number[], approved: [] as number[] }
  for (let n = 0; n <= MAX_KIND; n += 1) {
    if (needsProof(grant(`sign_event:${n}`))) sensitive.granted.push(n)
    if (needsProof(approve("always", kind(n)))) sensitive.approved.push(n)
  }
  const expected = [...SENSITIVE_KINDS].sort((one, other) => one - other)
  expect(sensitive).toEqual({ granted: expected, approved: expected })
})

it("every other call is made with a session alone", () => {
  const decided = /^(?:owner\.(?:add|remove|set|recovery)|apps\.(?:preset|grant|ungrant)$|requests\.approve)/
  const others = (Object.keys(WEB_ARGS) as WebCall[]).filter((call) => !decided.test(call))
  expect(others.filter((call) => needsProof({ call, args: {} }))).toEqual([])
  expect(others.length).toBeGreaterThan(20)
})
