import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js"
import { nprofileEncode, npubEncode, nsecEncode } from "nostr-tools/nip19"
import { encrypt } from "nostr-tools/nip49"
import { describe, expect, it, test } from "vitest"
import { UserError } from "../../config/user-error.js"
import { Nip49 } from "../vault/nip49.js"
import { readSecretKey } from "./secret-key.js"

const nip49 = new Nip49({
  randomBytes: (length) => new Uint8Array(length),
  availableMemory: () => Number.MAX_SAFE_INTEGER,
})
const read = (text: string, passphrase?: string): Promise<Uint8Array> => readSecretKey(text, passphrase, nip49)

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
])("reads %s", async (_, text) => {
  expect(bytesToHex(await read(text))).toBe(HEX)
  // One passphrase too many does no harm.
  expect(bytesToHex(await read(text, "a passphrase"))).toBe(HEX)
})

test("reads the first and the last key there is", async () => {
  expect(bytesToHex(await read(`${"0".repeat(63)}1`))).toBe(`${"0".repeat(63)}1`)
  expect(bytesToHex(await read(LAST))).toBe(LAST)
})

test("reads an ncryptsec with its passphrase, and holds what is in it to the same", async () => {
  const under = (hex: string): string => encrypt(hexToBytes(hex), "twelve letters", 1)
  expect(bytesToHex(await read(under(HEX), "twelve letters"))).toBe(HEX)
  await expect(read(under(HEX), "twelve Letters")).rejects.toThrow(/^the passphrase is wrong/)
  await expect(read(under(HEX))).rejects.toThrow(/its passphrase did not come with it/)
  await expect(read(under(ORDER), "twelve letters")).rejects.toThrow(/not a secret key/)
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
  ])("%s", async (_, text, why) => {
    await expect(read(text)).rejects.toThrow(UserError)
    await expect(read(text)).rejects.toThrow(why)
  })

  it("invariant 9: without repeating what was typed", async () => {
    for (const typed of [
      `${NSEC}x`,
      HEX.slice(2),
      `nsec1${"z".repeat(60)}`,
      "my password",
      "my passphrase",
      `ncryptsec1${"x".repeat(150)}`,
    ]) {
      try {
        await read(typed, "my passphrase")
        expect.unreachable()
      } catch (error) {
        const text = `${(error as Error).stack} ${JSON.stringify(error)} ${String((error as Error).cause)}`
        const secret = typed.replace("ncryptsec1", "")
        for (let at = 0; at + 8 <= secret.length; at += 4) expect(text).not.toContain(secret.slice(at, at + 8))
      }
    }
  })
})
