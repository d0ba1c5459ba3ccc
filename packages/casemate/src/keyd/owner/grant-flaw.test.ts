import { createPortableBackend } from "@casemate/nip46/crypto"
import { type Permission, parsePermissions } from "@casemate/nip46/protocol"
import { npubEncode, nsecEncode } from "nostr-tools/nip19"
import { expect, it, test } from "vitest"
import type { GrantArgs } from "../../channel/owner-calls.js"
import { UserError } from "../../config/user-error.js"
import { conditionsOf } from "./grant-conditions.js"
import { flawOfGrant } from "./grant-flaw.js"

type Limits = Omit<GrantArgs, "id" | "perms">

const crypto = createPortableBackend()
const ALICE = "82341f882b6eabcd2ba7f1ef90aad961cf074af15b9ef44a09f9d2a8fbfbe6a2"
const flawOf = (perm: string, limits: Limits): string | undefined =>
  flawOfGrant(parsePermissions(perm)[0] as Permission, limits)

test.each<[string, Limits]>([
  ["sign_event:1", { expiresAt: 1, uses: 1, rate: { uses: 1, seconds: 1 } }],
  ["sign_event", { tags: [["t", "nostr"]], maxContentBytes: 0, dPrefix: "app/" }],
  ["sign_event:22242", { host: "relay.example" }],
  ["sign_event:24242", { host: "cdn.example", action: "upload" }],
  ["sign_event:27235", { host: "api.example", action: "get", tags: [["u", "https://api.example/"]] }],
  [
    "sign_event:30078",
    {
      dPrefix: "app/",
      tags: [
        ["d", "app/x"],
        ["t", "x"],
      ],
    },
  ],
  ["nip44_encrypt", { counterparties: [ALICE], uses: 1 }],
  [`nip04_decrypt:${ALICE}`, { expiresAt: 1 }],
  ["sign_event", { deny: true, host: "evil.example", action: "delete" }],
  ["nip04_decrypt", { deny: true, counterparties: [ALICE], expiresAt: 1 }],
])("%s under %j can hold", (perm, limits) => {
  expect(flawOf(perm, limits)).toBeUndefined()
})

test.each<[string, Limits, RegExp]>([
  ["ping", {}, /^ping is for every connected app/],
  ["connect", { deny: true }, /^connect is for every connected app/],
  ["sign_event:24133", {}, /^kind 24133 is never signed/],
  ["sign_event:1", { counterparties: [ALICE] }, /^--with .* not for sign_event:1$/],
  ["sign_event:1", { host: "x" }, /^--host is for logins .* not for sign_event:1$/],
  ["sign_event", { host: "x" }, /^--host is for logins .* not for sign_event$/],
  ["sign_event", { action: "get" }, /^--action is for logins/],
  ["sign_event:22242", { action: "get" }, /^--action is for logins over HTTP and at media servers/],
  ["sign_event:1", { dPrefix: "x" }, /^--d is for what has a name of its own/],
  ["sign_event:1", { deny: true, dPrefix: "x" }, /^--d is for/],
  ["sign_event:40000", { dPrefix: "x" }, /^--d is for/],
  ["sign_event:30078", { dPrefix: "x", tags: [["d", "y"]] }, /ask for different names/],
  ["nip44_encrypt", { tags: [["t", "x"]] }, /^--tag looks at what is signed/],
  ["nip44_encrypt", { host: "x" }, /^--host looks at/],
  ["nip44_decrypt", { action: "x" }, /^--action looks at/],
  ["nip04_encrypt", { dPrefix: "x" }, /^--d looks at/],
  ["nip04_decrypt", { maxContentBytes: 0 }, /^--max-length looks at/],
  [`nip44_encrypt:${ALICE}`, { counterparties: [ALICE] }, /names one public key already/],
  ["sign_event:1", { deny: true, uses: 1 }, /^--deny refuses every time/],
  ["nip44_encrypt", { deny: true, rate: { uses: 1, seconds: 1 } }, /^--deny refuses every time/],
  ["sign_event:1", { deny: true, maxContentBytes: 1 }, /^--deny with --max-length/],
])("%s under %j cannot", (perm, limits, why) => {
  expect(flawOf(perm, limits)).toMatch(why)
})

it("conditions are kept as requests are held against them", () => {
  const npub = npubEncode(ALICE)
  const counterparties = [npub, ALICE.toUpperCase(), ` ${npub.toUpperCase()} `]
  expect(conditionsOf({ counterparties }, crypto)).toEqual({ counterparties: [ALICE] })
  expect(conditionsOf({ host: "API.Example.com:443", action: " GET " }, crypto)).toEqual({
    host: "api.example.com",
    action: "get",
  })
  expect(conditionsOf({ uses: 3, deny: true, expiresAt: 9 }, crypto)).toEqual({})
})

test.each([
  ["localhost:8080", "localhost:8080"],
  ["cdn.example.", "cdn.example"],
  ["cdn.example.:8443", "cdn.example:8443"],
  ["[::1]:7777", "[::1]:7777"],
  ["münchen.example", "xn--mnchen-3ya.example"],
])("the host %s is %s in URLs", (host, shown) => {
  expect(conditionsOf({ host }, crypto)).toEqual({ host: shown })
})

test.each<[Limits, RegExp]>([
  [{ counterparties: ["npub1nobody"] }, /^--with takes a public key/],
  [{ counterparties: [nsecEncode(new Uint8Array(32).fill(1))] }, /^--with takes a public key/],
  [{ counterparties: ["f".repeat(64)] }, /^--with takes a public key/],
  [{ counterparties: [""] }, /^--with takes a public key/],
  [{ host: "" }, /^--host takes a host alone/],
  [{ host: "https://api.example.com" }, /^--host takes a host alone/],
  [{ host: "api.example.com/path" }, /^--host takes a host alone/],
  [{ host: "me@api.example.com" }, /^--host takes a host alone/],
  [{ host: "a b" }, /^--host takes a host alone/],
  [{ action: "" }, /^--action takes a method or a verb/],
  [{ action: "GET /" }, /^--action takes a method or a verb/],
])("%j is refused", (limits, why) => {
  expect(() => conditionsOf(limits, crypto)).toThrow(UserError)
  expect(() => conditionsOf(limits, crypto)).toThrow(why)
})
