import { expect, it } from "vitest"
import { askWords, isLogin, scopeWords } from "./asks.js"
import { npubOf, shortNpub } from "./pubkeys.js"
import { tagWords } from "./tags.js"
import { quoted } from "./wording.js"

const PUBKEY = "3bf0c63fcb93463407af97a5e5ee64fa883d107ef9e558472c4eb9aaaefa459d"
const NPUB = "npub180cvv07tjdrrgpa0j7j7tmnyl2yr6yr7l8j4s3evf6u64th6gkwsyjh6w6"

it("says in words what is asked", () => {
  expect(askWords({ method: "sign_event", param: "1" })).toBe("sign a note (kind 1)")
  expect(askWords({ method: "sign_event", param: "0" })).toBe("sign your profile (kind 0)")
  expect(askWords({ method: "sign_event", param: "31337" })).toBe("sign an event of kind 31337")
  expect(askWords({ method: "nip44_decrypt", param: PUBKEY })).toMatch(/^read .* between you and npub180cvv07/)
  expect(askWords({ method: "nip04_encrypt", param: PUBKEY }, { userPubkey: PUBKEY })).toMatch(/to yourself$/)
  expect(askWords({ method: "new\u202emethod", param: undefined })).toBe("use new\\u{202e}method")
})

it("says what an approval that lasts covers", () => {
  const login = { scope: { method: "sign_event", param: "27235", conditions: { host: "files.example" } } }
  expect(scopeWords(login, 0)).toMatch(/^may sign logins at web sites \(kind 27235\), only .*"files\.example"/)
  expect(isLogin(login)).toBe(true)
  expect(isLogin({ scope: { method: "sign_event", param: "1", conditions: {} } })).toBe(false)
})

it("writes a public key as npub, and nothing else", () => {
  expect(npubOf(PUBKEY)).toBe(NPUB)
  expect(npubOf(PUBKEY.toUpperCase())).toBeUndefined()
  expect(npubOf(`${PUBKEY}0`)).toBeUndefined()
  expect(shortNpub(PUBKEY).replaceAll("\u2060", "")).toBe("npub180cvv07…syjh6w6")
})

it("quotes what an app wrote so that it cannot leave its quotes", () => {
  expect(quoted('a" b\u202e\u2069')).toBe('\u2068"a\\" b\\u{202e}\\u{2069}"\u2069')
})

it("names the usual tags, and no other", () => {
  expect(["p", "e", "t", "d"].map(tagWords)).toEqual(["person", "event", "topic", "name of this entry"])
  expect([undefined, "", "constructor", "zz"].map(tagWords)).toEqual([undefined, undefined, undefined, undefined])
})
