import { bytesToHex } from "@noble/hashes/utils.js"
import { nprofileEncode, npubEncode, nsecEncode } from "nostr-tools/nip19"
import { describe, expect, it, test } from "vitest"
import { UserError } from "../../config/user-error.js"
import { readSecretKey } from "./secret-key.js"

/** The example of NIP-19. */
const HEX = "67dea2ed018072d675f5415ecfaed7d2597555e202d85b3d65ea4e58d2d92ffa"
const NSEC = "nsec1vl029mgpspedva04g90vltkh6fvh240zqtv9k0t9af8935ke9laqsnlfe5"
const ORDER = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"
const LAST = `${ORDER.slice(0, -1)}0`

test.each([
  ["nsec", NSEC],
  ["upper-case nsec", NSEC.toUpperCase()],
  ["hex", HEX],
  ["upper-case hex", HEX.toUpperCase()],
  ["spaces and line ends around it", ` \ufeff${NSEC}\r\n`],
])("reads %s", (_, text) => {
  expect(bytesToHex(readSecretKey(text))).toBe(HEX)
})

test("reads the first and the last key there is", () => {
  expect(bytesToHex(readSecretKey(`${"0".repeat(63)}1`))).toBe(`${"0".repeat(63)}1`)
  expect(bytesToHex(readSecretKey(LAST))).toBe(LAST)
})

describe("refuses", () => {
  const zero = new Uint8Array(32)
  test.each([
    ["nothing", "", "not a secret key"],
    ["an npub", npubEncode(HEX), "that is a public key (npub)"],
    ["an upper-case npub", npubEncode(HEX).toUpperCase(), "that is a public key (npub)"],
    ["an encrypted key", `ncryptsec1${"q".repeat(150)}`, "encrypted (ncryptsec)"],
    ["an nprofile", nprofileEncode({ pubkey: HEX }), "not a secret key"],
    ["one wrong letter", `${NSEC.slice(0, -1)}4`, "not a secret key"],
    ["one letter too few", NSEC.slice(0, -1), "not a secret key"],
    ["mixed case", `Nsec1${NSEC.slice(5)}X`, "not a secret key"],
    ["63 hex digits", HEX.slice(1), "not a secret key"],
    ["65 hex digits", `${HEX}a`, "not a secret key"],
    ["0x before hex", `0x${HEX}`, "not a secret key"],
    ["two keys", `${NSEC} ${NSEC}`, "not a secret key"],
    ["zero", "0".repeat(64), "not a secret key"],
    ["zero as nsec", nsecEncode(zero), "not a secret key"],
    ["the order of the curve", ORDER, "not a secret key"],
    ["all ones", "f".repeat(64), "not a secret key"],
    ["words", "leader monkey parrot ring guide accident before fence cannon height naive bean", "not a secret key"],
  ])("%s", (_, text, why) => {
    expect(() => readSecretKey(text)).toThrow(UserError)
    expect(() => readSecretKey(text)).toThrow(why)
  })

  it("invariant 9: without repeating what was typed", () => {
    for (const typed of [`${NSEC}x`, HEX.slice(2), `nsec1${"z".repeat(60)}`, "my password"]) {
      try {
        readSecretKey(typed)
        expect.unreachable()
      } catch (error) {
        const text = `${(error as Error).stack} ${JSON.stringify(error)} ${String((error as Error).cause)}`
        for (let at = 0; at + 8 <= typed.length; at += 4) expect(text).not.toContain(typed.slice(at, at + 8))
      }
    }
  })
})
