import fc from "fast-check"
import { describe, expect, it, test } from "vitest"
import {
  buildBunkerToken,
  buildNostrconnectToken,
  parseBunkerToken,
  parseNostrconnectToken,
} from "./connection-token.js"
import { MAX_TOKEN_CHARS } from "./limits.js"
import { METHODS } from "./method.js"
import { TOKEN_FINDING_CODES } from "./token-finding.js"
import { inspectToken } from "./token-report.js"

const PUBKEY = "ab".repeat(32)
const SECRET = "sesame-7f3a"
const RELAY = "relay=wss%3A%2F%2Frelay.example"
const BUNKER = `bunker://${PUBKEY}?${RELAY}&secret=${SECRET}`
const NOSTRCONNECT = `nostrconnect://${PUBKEY}?${RELAY}&secret=${SECRET}&name=Notes`

/** `CODE field`, errors first with an exclamation mark. */
function findingsOf(text: string): string[] {
  const { errors, warnings } = inspectToken(text)
  return [
    ...errors.map(({ code, field }) => `!${code} ${field}`),
    ...warnings.map(({ code, field }) => `${code} ${field}`),
  ]
}

const CASES: readonly (readonly [title: string, text: string, findings: readonly string[]])[] = [
  ["a good bunker:// token", BUNKER, []],
  ["a good nostrconnect:// token", `${NOSTRCONNECT}&url=https://notes.example&perms=sign_event:1,nip44_encrypt`, []],
  ["nothing", "", ["!NOT_A_TOKEN scheme"]],
  ["another scheme", `https://${PUBKEY}?${RELAY}`, ["!NOT_A_TOKEN scheme"]],
  ["a key", `npub1${PUBKEY}`, ["!NOT_A_TOKEN scheme"]],
  ["a path", `bunker://${PUBKEY}/path?${RELAY}`, ["!NOT_A_TOKEN scheme"]],
  ["too many characters", `${BUNKER}&x=${"y".repeat(MAX_TOKEN_CHARS)}`, ["!TOO_LONG length"]],
  ["too many characters of nothing", "y".repeat(MAX_TOKEN_CHARS + 1), ["!NOT_A_TOKEN scheme"]],
  ["a short pubkey", BUNKER.replace("ab", ""), ["!PUBKEY_INVALID pubkey"]],
  ["an npub", BUNKER.replace(PUBKEY, `npub1${PUBKEY}`), ["!PUBKEY_INVALID pubkey"]],
  ["no relay", `bunker://${PUBKEY}?secret=${SECRET}`, ["!RELAY_MISSING relay"]],
  [
    "no good relay",
    `bunker://${PUBKEY}?relay=https://r.example&secret=${SECRET}`,
    ["!RELAY_MISSING relay", "RELAY_INVALID relay"],
  ],
  ["one bad relay of two", `${BUNKER}&relay=https://r.example`, ["RELAY_INVALID relay"]],
  ["plain ws://", `${BUNKER}&relay=ws://r.example`, ["RELAY_UNENCRYPTED relay"]],
  ["this computer", `${BUNKER}&relay=ws://localhost:4646/relay`, ["RELAY_LOCAL relay"]],
  ["a private network", `${BUNKER}&relay=wss://192.168.1.2`, ["RELAY_LOCAL relay"]],
  ["a private network, plain", `${BUNKER}&relay=ws://[fd00::1]`, ["RELAY_LOCAL relay", "RELAY_UNENCRYPTED relay"]],
  ["a relay said twice", `${BUNKER}&${RELAY}`, ["RELAY_REPEATED relay"]],
  ["a relay said twice in another spelling", `${BUNKER}&relay=WSS://relay.example:443/`, ["RELAY_REPEATED relay"]],
  ["a relay in upper case", `${BUNKER}&relay=WSS://R.example`, ["SPELLING relay"]],
  ["a relay with a slash", `${BUNKER}&relay=wss://r.example/`, ["SPELLING relay"]],
  ["a relay encoded twice", `${BUNKER}&relay=wss%253A%252F%252Fr.example`, ["SPELLING relay"]],
  [
    "eleven relays",
    `${BUNKER}${Array.from({ length: 10 }, (_, i) => `&relay=wss://r${i}.example`).join("")}`,
    ["RELAYS_TOO_MANY relay"],
  ],
  ["no secret in bunker://", `bunker://${PUBKEY}?${RELAY}`, ["SECRET_MISSING secret"]],
  ["an empty secret in bunker://", `bunker://${PUBKEY}?${RELAY}&secret=`, ["SECRET_MISSING secret"]],
  ["no secret in nostrconnect://", NOSTRCONNECT.replace(`secret=${SECRET}&`, ""), ["!SECRET_MISSING secret"]],
  ["a short secret", BUNKER.replace(SECRET, "1234567"), ["SECRET_SHORT secret"]],
  ["a + in the secret", BUNKER.replace(SECRET, "sesame+7f3a"), ["PLUS_AMBIGUOUS secret"]],
  ["a + in the name", NOSTRCONNECT.replace("Notes", "My+Notes"), []],
  ["a stray %", BUNKER.replace(SECRET, "100%sesame"), ["PERCENT_ENCODING secret"]],
  ["two secrets", `${BUNKER}&secret=other-one`, ["PARAM_REPEATED secret"]],
  ["an unknown param", `${BUNKER}&colour=red`, ["PARAM_UNKNOWN colour"]],
  ["a param of the other scheme", `${BUNKER}&name=Notes`, ["PARAM_UNKNOWN name"]],
  ["an upper-case scheme", BUNKER.replace("bunker", "Bunker"), ["SPELLING scheme"]],
  ["an upper-case pubkey", BUNKER.replace(PUBKEY, PUBKEY.toUpperCase()), ["SPELLING pubkey"]],
  ["a slash before the query", BUNKER.replace("?", "/?"), ["SPELLING path"]],
  ["a fragment", `${BUNKER}#top`, ["SPELLING fragment"]],
  ["no name", NOSTRCONNECT.replace("&name=Notes", ""), ["NAME_MISSING name"]],
  ["an empty name", NOSTRCONNECT.replace("Notes", "+"), ["NAME_MISSING name"]],
  ["a long name", NOSTRCONNECT.replace("Notes", "n".repeat(129)), ["TEXT_TOO_LONG name"]],
  ["a url that is none", `${NOSTRCONNECT}&url=notes.example`, ["URL_INVALID url"]],
  ["a url that is a script", `${NOSTRCONNECT}&url=javascript:alert(1)`, ["URL_INVALID url"]],
  ["an image that is none", `${NOSTRCONNECT}&image=data:image/png;base64,xx`, ["URL_INVALID image"]],
  ["icon", `${NOSTRCONNECT}&icon=https://i.example`, ["METADATA_LEGACY icon"]],
  [
    "legacy metadata",
    NOSTRCONNECT.replace("name=Notes", `metadata=${encodeURIComponent('{"name":"Old"}')}`),
    ["METADATA_LEGACY metadata"],
  ],
  [
    "legacy metadata that is none",
    `${NOSTRCONNECT}&metadata=%7Bnot`,
    ["METADATA_LEGACY metadata", "METADATA_INVALID metadata"],
  ],
  ["a permission that is none", `${NOSTRCONNECT}&perms=sign_event:`, ["PERMISSION_FORM perms"]],
  ["an unknown method", `${NOSTRCONNECT}&perms=ping,get_relays`, ["PERMISSION_METHOD perms"]],
  ["a kind that is no number", `${NOSTRCONNECT}&perms=sign_event:one`, ["PERMISSION_KIND perms"]],
  ["a counterparty that is none", `${NOSTRCONNECT}&perms=nip44_decrypt:bob`, ["PERMISSION_COUNTERPARTY perms"]],
  [
    "everything at once",
    "NOSTRCONNECT://key/?relay=ftp://x&perms=fly,sign_event:x&colour=red#top",
    [
      "!PUBKEY_INVALID pubkey",
      "!RELAY_MISSING relay",
      "!SECRET_MISSING secret",
      "SPELLING scheme",
      "SPELLING path",
      "SPELLING fragment",
      "RELAY_INVALID relay",
      "PERMISSION_METHOD perms",
      "PERMISSION_KIND perms",
      "NAME_MISSING name",
      "PARAM_UNKNOWN colour",
    ],
  ],
]

it("a key off the curve, where somebody knows the curve", () => {
  const report = inspectToken(BUNKER, { isPubkey: (pubkey) => pubkey !== PUBKEY })
  expect(report).toMatchObject({ token: undefined, errors: [{ code: "PUBKEY_OFF_CURVE", field: "pubkey" }] })
})

test.each(CASES)("%s", (_, text, findings) => {
  expect(findingsOf(text)).toEqual(findings)
})

it("every other code is found by one of these", () => {
  const found = new Set(CASES.flatMap(([, , findings]) => findings.map((f) => f.replace(/^!| .*$/g, ""))))
  expect([...found, "PUBKEY_OFF_CURVE"].sort()).toEqual([...TOKEN_FINDING_CODES].sort())
})

it("the example in the docs", () => {
  const text = `bunker://${"a".repeat(64)}?relay=ws%3A%2F%2Frelay.example`
  expect(inspectToken(text).warnings.map(({ code }) => code)).toEqual(["RELAY_UNENCRYPTED", "SECRET_MISSING"])
})

it("every sentence is one: no capital, no full stop, no line break", () => {
  for (const [, text] of CASES) {
    const { errors, warnings } = inspectToken(text)
    for (const { message } of [...errors, ...warnings]) expect(message).toMatch(/^[a-z"0-9][^\n]*[^.\n]$/)
  }
})

describe("a secret is in no finding", () => {
  const CANARY = "canary-5d1f0c"
  it.each([
    `${BUNKER.replace(SECRET, `${CANARY}+%`)}&secret=${CANARY}`,
    `bunker://${PUBKEY}?${RELAY}&${CANARY}`,
    `bunker://${PUBKEY}?${RELAY}&secret%3D${CANARY}`,
    `bunker://${PUBKEY}?${RELAY}&secret:${CANARY}=x`,
    `bunker://${PUBKEY}?${RELAY}#secret=${CANARY}`,
    `bunker://${CANARY}@${PUBKEY}?${RELAY}`,
    `bunker:/${PUBKEY}?secret=${CANARY}`,
    `bunker://${PUBKEY}?relay=wss://me:${CANARY}@relay.example`,
    `bunker://${PUBKEY}?relay=wss%253A%252F%252Fme:${CANARY}@relay.example`,
    CANARY,
  ])("%s", (text) => {
    const { errors, warnings } = inspectToken(text)
    expect(errors.length + warnings.length).toBeGreaterThan(0)
    expect(JSON.stringify([errors, warnings])).not.toContain(CANARY)
  })
})

/** A token with letters changed, dropped, said twice and mixed with what spells tokens. */
const mutated = fc
  .tuple(
    fc.constantFrom(...CASES.map(([, text]) => text.slice(0, 600))),
    fc.array(
      fc.tuple(
        fc.nat({ max: 600 }),
        fc.nat({ max: 3 }),
        fc.oneof(
          fc.constantFrom("%", "&", "=", "?", "#", "/", "+", ",", ":", "%00", "\ud800", "secret=", "relay=ws://"),
          fc.string({ unit: "binary", maxLength: 3 }),
        ),
      ),
      { maxLength: 6 },
    ),
  )
  .map(([text, edits]) =>
    edits.reduce((text, [at, drop, insert]) => text.slice(0, at) + insert + text.slice(at + drop), text),
  )

it("accepts exactly what the parsers accept, and gives their token, whatever the text", () => {
  let accepted = 0
  fc.assert(
    fc.property(mutated, (text) => {
      const { scheme, token, errors } = inspectToken(text)
      const read = [parseBunkerToken, parseNostrconnectToken].flatMap((parse) => {
        try {
          return [parse(text)]
        } catch (error) {
          expect(error).toMatchObject({ code: "INVALID_TOKEN" })
          return []
        }
      })
      expect(token === undefined ? [] : [token]).toEqual(read)
      expect(errors.length === 0).toBe(token !== undefined)
      if (token !== undefined) accepted++
      if (scheme !== undefined) expect(text.trim().toLowerCase().startsWith(`${scheme}://`)).toBe(true)
    }),
    { numRuns: 5_000 },
  )
  expect(accepted).toBeGreaterThan(500)
})

it("finds nothing in what is built from good parts", () => {
  const secrets = fc.string({ unit: "grapheme", minLength: 8, maxLength: 40 })
  const relays = fc.uniqueArray(
    fc.stringMatching(/^[a-z]{1,12}$/).map((word) => `wss://${word}.example`),
    { minLength: 1, maxLength: 10 },
  )
  const names = fc.string({ unit: "grapheme", minLength: 1, maxLength: 30 }).filter((name) => name.trim() !== "")
  const permissions = fc
    .uniqueArray(fc.constantFrom(...METHODS), { maxLength: 8 })
    .map((methods) => methods.map((method) => ({ method, param: undefined })))
  fc.assert(
    fc.property(relays, secrets, names, permissions, (relays, secret, name, permissions) => {
      expect(findingsOf(buildBunkerToken({ remoteSignerPubkey: PUBKEY, relays, secret }))).toEqual([])
      const app = { name, url: "https://notes.example" }
      expect(
        findingsOf(buildNostrconnectToken({ clientPubkey: PUBKEY, relays, secret, permissions, app })).filter(
          (finding) => finding !== "TEXT_TOO_LONG name",
        ),
      ).toEqual([])
    }),
  )
})
