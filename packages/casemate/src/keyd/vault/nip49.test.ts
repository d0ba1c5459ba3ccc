import { bytesToHex } from "@noble/hashes/utils.js"
import { encodeBytes } from "nostr-tools/nip19"
import { decrypt, encrypt } from "nostr-tools/nip49"
import { generateSecretKey } from "nostr-tools/pure"
import { describe, expect, it, test } from "vitest"
import { UserError } from "../../config/user-error.js"
import { formatNcryptsec, isNcryptsec, parseNcryptsec } from "./ncryptsec.js"
import { MAX_LOG_N, Nip49 } from "./nip49.js"

/** NIP-49 §Test Data. */
const NCRYPTSEC =
  "ncryptsec1qgg9947rlpvqu76pj5ecreduf9jxhselq2nae2kghhvd5g7dgjtcxfqtd67p9m0w57lspw8gsq6yphnm8623nsl8xn9j4jdzz84zm3frztj3z7s35vpzmqf6ksu8r89qk5z2zxfmu5gv8th8wclt0h4p"
const PASSPHRASE = "nostr"
const HEX = "3501454135014541350145413501453fefb02227e449e57cf4d3a3ce05378683"

const GIB = 2 ** 30
const randomBytes = (length: number): Uint8Array => globalThis.crypto.getRandomValues(new Uint8Array(length))
const nip49 = new Nip49({ randomBytes, availableMemory: () => 64 * GIB })

/** Lends a key and says whether it was asked for. */
function lender(secretKey: Uint8Array) {
  const lent = { times: 0 }
  const lend = async <T>(borrow: (secretKey: Uint8Array) => T): Promise<T> => {
    lent.times += 1
    return borrow(secretKey)
  }
  return { lent, lend }
}

describe("NIP-49", () => {
  test("the NIP's own example opens", async () => {
    expect(bytesToHex(await nip49.decrypt(NCRYPTSEC, PASSPHRASE))).toBe(HEX)
    expect(bytesToHex(await nip49.decrypt(` ${NCRYPTSEC.toUpperCase()}\r\n`, PASSPHRASE))).toBe(HEX)
  })

  // The last one is written in two ways that NFKC makes one; the NIP asks for that.
  test.each(["twelve letters", "  with spaces ", "пароль из слов", "\u00c5\u03a9\u1e9b\u0323 and more of it"])(
    "nostr-tools opens what we make, and we what it makes, with %j",
    async (passphrase) => {
      const secretKey = generateSecretKey()
      const { lend, lent } = lender(secretKey)
      const made = await nip49.encrypt({ passphrase, logN: 16 }, lend)
      expect(lent.times).toBe(1)
      expect(bytesToHex(decrypt(made, passphrase.normalize("NFD")))).toBe(bytesToHex(secretKey))
      const theirs = encrypt(secretKey, passphrase.normalize("NFD"), 16, 1)
      expect(bytesToHex(await nip49.decrypt(theirs, passphrase))).toBe(bytesToHex(secretKey))
    },
  )

  test("two exports of one key have nothing in common but what they say of themselves", async () => {
    const { lend } = lender(generateSecretKey())
    const [one, two] = await Promise.all(
      [1, 2].map(async () => parseNcryptsec(await nip49.encrypt({ passphrase: "twelve letters", logN: 16 }, lend))),
    )
    expect(one).toMatchObject({ logN: 16, keySecurity: 2 })
    for (const part of ["salt", "nonce", "ciphertext"] as const) expect(one?.[part]).not.toEqual(two?.[part])
  })

  test("a parse that is written again is the same text", () => {
    expect(formatNcryptsec(parseNcryptsec(NCRYPTSEC))).toBe(NCRYPTSEC)
    expect(isNcryptsec(` ${NCRYPTSEC}`)).toBe(true)
    expect(isNcryptsec("nsec1vl029mgpspedva04g90vltkh6fvh240zqtv9k0t9af8935ke9laqsnlfe5")).toBe(false)
  })
})

describe("refuses", () => {
  const bytes = (change: (bytes: Uint8Array) => void): string => {
    const { logN, salt, nonce, keySecurity, ciphertext } = parseNcryptsec(NCRYPTSEC)
    const whole = Uint8Array.from([2, logN, ...salt, ...nonce, keySecurity, ...ciphertext])
    change(whole)
    return encodeBytes("ncryptsec", whole)
  }

  test.each([
    ["a wrong passphrase", NCRYPTSEC, "Nostr", /^the passphrase is wrong/],
    ["no passphrase", NCRYPTSEC, "", /^the passphrase is wrong/],
    ["a security byte that was changed", bytes((b) => b.set([1], 42)), PASSPHRASE, /^the passphrase is wrong/],
    [
      "a ciphertext that was changed",
      bytes((b) => b.set([(b[43] ?? 0) ^ 1], 43)),
      PASSPHRASE,
      /^the passphrase is wrong/,
    ],
    ["one letter wrong", `${NCRYPTSEC.slice(0, 40)}q${NCRYPTSEC.slice(41)}`, PASSPHRASE, /is damaged/],
    ["one letter too few", NCRYPTSEC.slice(0, -1), PASSPHRASE, /is damaged/],
    ["mixed case", NCRYPTSEC.replace("e", "E"), PASSPHRASE, /is damaged/],
    ["letters that bech32 has not", `ncryptsec1${"b".repeat(152)}`, PASSPHRASE, /is damaged/],
    ["nothing after the prefix", "ncryptsec1", PASSPHRASE, /is damaged/],
    ["a good checksum over too little", encodeBytes("ncryptsec", new Uint8Array(90)), PASSPHRASE, /is damaged/],
    ["another version", bytes((b) => b.set([1], 0)), PASSPHRASE, /of a version/],
    ["log_n 0", bytes((b) => b.set([0], 1)), PASSPHRASE, /log_n 0/],
    ["log_n above the last that the NIP names", bytes((b) => b.set([MAX_LOG_N + 1], 1)), PASSPHRASE, /log_n 23/],
    ["an absurd log_n", bytes((b) => b.set([255], 1)), PASSPHRASE, /log_n 255/],
  ])("%s", async (_, text, passphrase, why) => {
    const refused = nip49.decrypt(text, passphrase)
    await expect(refused).rejects.toBeInstanceOf(UserError)
    await expect(refused).rejects.toThrow(why)
  })

  it("what takes more memory than there is, and asks for no key then", async () => {
    const poor = new Nip49({ randomBytes, availableMemory: () => GIB - 1 })
    const { lend, lent } = lender(generateSecretKey())
    const sentence = "log_n 20 takes 1024 MiB of memory, and 1023 MiB are free; close something, or use a smaller log_n"
    await expect(poor.encrypt({ passphrase: "twelve letters", logN: 20 }, lend)).rejects.toThrow(
      new UserError(sentence),
    )
    await expect(
      poor.decrypt(
        bytes((b) => b.set([20], 1)),
        PASSPHRASE,
      ),
    ).rejects.toThrow(sentence)
    expect(lent.times).toBe(0)
    // And the next one is not the worse for it.
    expect(bytesToHex(await poor.decrypt(NCRYPTSEC, PASSPHRASE))).toBe(HEX)
  })

  it("to do two at a time: memory is looked at when the one before has let go of its own", async () => {
    let looks = 0
    const careful = new Nip49({
      randomBytes,
      availableMemory: () => {
        looks += 1
        return GIB
      },
    })
    const all = Promise.all([1, 2, 3].map(() => careful.decrypt(NCRYPTSEC, PASSPHRASE)))
    await new Promise((resolve) => setImmediate(resolve))
    expect(looks).toBe(1)
    await all
    expect(looks).toBe(3)
  })

  it("nobody else: the thread goes on while scrypt runs", async () => {
    let turns = 0
    let isDone = false
    const opening = nip49.decrypt(NCRYPTSEC, PASSPHRASE).finally(() => {
      isDone = true
    })
    while (!isDone) {
      await new Promise((resolve) => setImmediate(resolve))
      turns += 1
    }
    await opening
    // Some 200 ms on a thread of ours would be a single turn.
    expect(turns).toBeGreaterThan(20)
  })
})
