import fc from "fast-check"
import { BUNKER_REGEX, parseBunkerInput } from "nostr-tools/nip46"
import { describe, expect, it } from "vitest"
import {
  buildBunkerToken,
  buildNostrconnectToken,
  parseBunkerToken,
  parseNostrconnectToken,
} from "./connection-token.js"
import { Nip46Error } from "./errors.js"
import { MAX_TOKEN_CHARS } from "./limits.js"
import { METHODS } from "./method.js"
import { formatPermissions } from "./permission.js"

const PUBKEY = "ab".repeat(32)
const SECRET = "sesame-7f3a"
const RELAY = "relay=wss%3A%2F%2Frelay.example"

/** The error that `run` throws; fails when it throws none of ours. */
function refusalOf(run: () => unknown): Nip46Error {
  try {
    run()
  } catch (error) {
    if (error instanceof Nip46Error) return error
    throw error
  }
  throw new Error("this was accepted")
}

const pubkeys = fc
  .array(fc.integer({ min: 0, max: 255 }), { minLength: 32, maxLength: 32 })
  .map((bytes) => bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(""))
const words = fc.stringMatching(/^[a-z0-9]{1,12}$/)
const relays = fc.uniqueArray(
  fc.oneof(
    words.map((word) => `wss://${word}.example`),
    words.map((word) => `ws://${word}.example:7000/path?x=${word}&y=%20`),
  ),
  { minLength: 1, maxLength: 10 },
)
const secrets = fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 })
const labels = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 30 })
  .filter((s) => s.trim() === s && s.length <= 128)
const permissions = fc.uniqueArray(
  fc.oneof(
    fc.constantFrom(...METHODS).map((method) => ({ method, param: undefined })),
    fc.integer({ min: 0, max: 65_535 }).map((kind) => ({ method: "sign_event", param: String(kind) })),
  ),
  { maxLength: 8, selector: (permission) => `${permission.method}:${permission.param}` },
)

describe("parse after build gives the same token", () => {
  it("bunker:// (N46-BUNKER-2)", () => {
    fc.assert(
      fc.property(pubkeys, relays, fc.option(secrets, { nil: undefined }), (remoteSignerPubkey, relays, secret) => {
        const token = { remoteSignerPubkey, relays, secret }
        expect(parseBunkerToken(buildBunkerToken(token))).toEqual(token)
      }),
    )
  })

  it("nostrconnect://", () => {
    const apps = fc.record({ name: labels, url: labels, image: labels }, { requiredKeys: [] })
    fc.assert(
      fc.property(pubkeys, relays, secrets, permissions, apps, (clientPubkey, relays, secret, permissions, app) => {
        const token = buildNostrconnectToken({ clientPubkey, relays, secret, permissions, app })
        const perms = formatPermissions(permissions)
        expect(parseNostrconnectToken(token)).toEqual({ clientPubkey, relays, secret, perms, app: { ...app } })
      }),
    )
  })
})

describe("other readers read what is emitted", () => {
  it("bunker:// is read by nostr-tools (N46-BUNKER-1)", async () => {
    const read = async (remoteSignerPubkey: string, relays: string[], secret: string) => {
      const token = buildBunkerToken({ remoteSignerPubkey, relays, secret })
      expect(token).toMatch(BUNKER_REGEX)
      expect(await parseBunkerInput(token)).toEqual({ pubkey: remoteSignerPubkey, relays, secret })
    }
    await fc.assert(fc.asyncProperty(pubkeys, relays, secrets, read))
    await read(PUBKEY, ["wss://relay.example"], "!'()*~+ &=#?/%")
  })

  it("nostrconnect:// is read by new URL (N46-NOSTRCONNECT-1)", () => {
    fc.assert(
      fc.property(pubkeys, relays, secrets, labels, (clientPubkey, relays, secret, name) => {
        const permissions = [{ method: "sign_event", param: "1" }]
        const url = new URL(buildNostrconnectToken({ clientPubkey, relays, secret, permissions, app: { name } }))
        expect(url.protocol).toBe("nostrconnect:")
        expect(url.host).toBe(clientPubkey)
        expect(url.searchParams.getAll("relay")).toEqual(relays)
        expect(url.searchParams.get("secret")).toBe(secret)
        expect(url.searchParams.get("perms")).toBe("sign_event:1")
        expect(url.searchParams.get("name")).toBe(name)
      }),
    )
  })

  it("an absent secret, absent permissions and empty metadata leave no trace", () => {
    expect(buildBunkerToken({ remoteSignerPubkey: PUBKEY, relays: ["wss://r.example"], secret: undefined })).toBe(
      `bunker://${PUBKEY}?relay=wss%3A%2F%2Fr.example`,
    )
    const app = { name: "", url: "" }
    const relays = ["wss://r.example"]
    expect(buildNostrconnectToken({ clientPubkey: PUBKEY, relays, secret: "s", permissions: [], app })).toBe(
      `nostrconnect://${PUBKEY}?relay=wss%3A%2F%2Fr.example&secret=s`,
    )
  })
})

describe("tolerant of spelling (QUIRKS signer 6, QUIRKS signer 11)", () => {
  const parse = (query: string, pubkey = PUBKEY) => parseNostrconnectToken(`nostrconnect://${pubkey}?${query}`)

  it("upper-case hex, an upper-case scheme, space around, a slash before the query, a fragment", () => {
    const token = `  BUNKER://${PUBKEY.toUpperCase()}/?${RELAY}&secret=${SECRET}#top\n`
    expect(parseBunkerToken(token)).toEqual({
      remoteSignerPubkey: PUBKEY,
      relays: ["wss://relay.example"],
      secret: SECRET,
    })
  })

  it.each([
    ["plain", "relay=wss://relay.example"],
    ["encoded", RELAY],
    ["encoded twice", "relay=wss%253A%252F%252Frelay.example"],
    ["with a trailing slash", "relay=wss://relay.example/"],
    ["in upper case", "relay=WSS://RELAY.EXAMPLE"],
    ["said three times", `${RELAY}&relay=wss://relay.example/&relay=WSS%3A%2F%2FRelay.Example:443`],
    ["beside one that is none", `relay=https://relay.example&relay=&${RELAY}`],
  ])("a relay %s", (_, query) => {
    expect(parseBunkerToken(`bunker://${PUBKEY}?${query}`).relays).toEqual(["wss://relay.example"])
  })

  it("a + and a ~ in a secret stay as they are, and so does a stray percent sign", () => {
    expect(parseBunkerToken(`bunker://${PUBKEY}?${RELAY}&secret=a+b~c`).secret).toBe("a+b~c")
    expect(parseBunkerToken(`bunker://${PUBKEY}?${RELAY}&secret=a%2Bb%7Ec`).secret).toBe("a+b~c")
    expect(parse(`${RELAY}&secret=100%`).secret).toBe("100%")
  })

  it("an empty secret in bunker:// is none (N46-BUNKER-2)", () => {
    expect(parseBunkerToken(`bunker://${PUBKEY}?${RELAY}&secret=`).secret).toBeUndefined()
    expect(parseBunkerToken(`bunker://${PUBKEY}?${RELAY}&secret`).secret).toBeUndefined()
  })

  it("of two secrets the first counts", () => {
    expect(parseBunkerToken(`bunker://${PUBKEY}?${RELAY}&secret=one&secret=two`).secret).toBe("one")
  })

  it("legacy metadata JSON and icon", () => {
    const metadata = encodeURIComponent(JSON.stringify({ name: "Old", url: "https://old.example", icon: "https://i" }))
    expect(parse(`${RELAY}&secret=s&metadata=${metadata}`).app).toEqual({
      name: "Old",
      url: "https://old.example",
      image: "https://i",
    })
    expect(parse(`${RELAY}&secret=s&metadata=${metadata}&name=New+App`).app.name).toBe("New App")
    expect(parse(`${RELAY}&secret=s&icon=https://i`).app).toEqual({ image: "https://i" })
    expect(parse(`${RELAY}&secret=s&icon=https://i&image=https://j`).app).toEqual({ image: "https://j" })
    expect(parse(`${RELAY}&secret=s&metadata=%7Bnot`).app).toEqual({})
  })

  it("perms with spaces, empty perms, params that nobody knows", () => {
    expect(parse(`${RELAY}&secret=s&perms=sign_event:1,+nip44_encrypt`).perms).toBe("sign_event:1, nip44_encrypt")
    expect(parse(`${RELAY}&secret=s&perms=`).perms).toBe("")
    expect(parse(`${RELAY}&secret=s`).perms).toBe("")
    expect(parse(`x=1&${RELAY}&&callback=a%3Ab&secret=s&__proto__=evil&constructor=x`).secret).toBe("s")
  })
})

describe("each refusal names the field and says why, and never the secret", () => {
  const long = "x".repeat(MAX_TOKEN_CHARS)
  it.each<[string, "bunker" | "nostrconnect", string, RegExp]>([
    ["scheme", "bunker", `nostrconnect://${PUBKEY}?${RELAY}&secret=${SECRET}`, /not a bunker:\/\/ token/],
    ["scheme", "nostrconnect", `bunker://${PUBKEY}?${RELAY}&secret=${SECRET}`, /not a nostrconnect:\/\/ token/],
    ["scheme", "bunker", "", /must start with bunker:\/\//],
    ["scheme", "bunker", `${PUBKEY}?${RELAY}&secret=${SECRET}`, /must start with bunker:\/\//],
    ["scheme", "bunker", `bunker://${PUBKEY}/path?${RELAY}&secret=${SECRET}`, /not a bunker/],
    ["pubkey", "bunker", `bunker://?${RELAY}&secret=${SECRET}`, /not 64 hex digits/],
    ["pubkey", "bunker", `bunker://${PUBKEY.slice(1)}?${RELAY}&secret=${SECRET}`, /copy the whole token/],
    ["pubkey", "nostrconnect", `nostrconnect://npub1${PUBKEY}?${RELAY}&secret=${SECRET}`, /not 64 hex digits/],
    ["relay", "bunker", `bunker://${PUBKEY}?secret=${SECRET}`, /names no relay/],
    ["relay", "bunker", `bunker://${PUBKEY}`, /names no relay/],
    ["relay", "bunker", `bunker://${PUBKEY}?relay=https://r.example&secret=${SECRET}`, /ws:\/\/ or wss:\/\//],
    ["relay", "nostrconnect", `nostrconnect://${PUBKEY}?secret=${SECRET}`, /names no relay/],
    ["secret", "nostrconnect", `nostrconnect://${PUBKEY}?${RELAY}`, /no secret/],
    ["secret", "nostrconnect", `nostrconnect://${PUBKEY}?${RELAY}&secret=`, /no secret/],
    ["length", "bunker", `bunker://${PUBKEY}?${RELAY}&secret=${SECRET}${long}`, /at most 8192 characters/],
    ["length", "nostrconnect", `nostrconnect://${PUBKEY}?${RELAY}&secret=${SECRET}${long}`, /at most 8192/],
  ])("%s of %s: %s", (field, scheme, text, message) => {
    const error = refusalOf(() => (scheme === "bunker" ? parseBunkerToken(text) : parseNostrconnectToken(text)))
    expect(error.code).toBe("INVALID_TOKEN")
    expect(error.details).toEqual({ field })
    expect(error.message).toMatch(message)
    expect(JSON.stringify([error.message, error.details, error.stack])).not.toContain(SECRET)
  })

  it("whatever the text, there is a token or an INVALID_TOKEN", () => {
    const noise = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.string().map((s) => `bunker://${PUBKEY}?${s}`),
    )
    fc.assert(
      fc.property(noise, (text) => {
        for (const parse of [parseBunkerToken, parseNostrconnectToken]) {
          try {
            expect(parse(text).relays.length).toBeGreaterThan(0)
          } catch (error) {
            expect(error).toMatchObject({ name: "Nip46Error", code: "INVALID_TOKEN" })
          }
        }
      }),
    )
  })

  it.each<[string, () => string]>([
    [
      "pubkey",
      () => buildBunkerToken({ remoteSignerPubkey: "AB".repeat(32), relays: ["wss://r.example"], secret: SECRET }),
    ],
    ["relay", () => buildBunkerToken({ remoteSignerPubkey: PUBKEY, relays: [], secret: SECRET })],
    ["relay", () => buildBunkerToken({ remoteSignerPubkey: PUBKEY, relays: ["https://r.example"], secret: SECRET })],
    ["secret", () => buildBunkerToken({ remoteSignerPubkey: PUBKEY, relays: ["wss://r.example"], secret: "" })],
    [
      "secret",
      () => buildBunkerToken({ remoteSignerPubkey: PUBKEY, relays: ["wss://r.example"], secret: `${SECRET}\ud800` }),
    ],
    ["secret", () => buildNostrconnectToken({ clientPubkey: PUBKEY, relays: ["wss://r.example"], secret: "" })],
    ["pubkey", () => buildNostrconnectToken({ clientPubkey: "", relays: ["wss://r.example"], secret: SECRET })],
    ["relay", () => buildNostrconnectToken({ clientPubkey: PUBKEY, relays: ["nowhere"], secret: SECRET })],
    [
      "name",
      () =>
        buildNostrconnectToken({
          clientPubkey: PUBKEY,
          relays: ["wss://r.example"],
          secret: SECRET,
          app: { name: "\udc00" },
        }),
    ],
    [
      "length",
      () => buildBunkerToken({ remoteSignerPubkey: PUBKEY, relays: ["wss://r.example"], secret: SECRET + long }),
    ],
  ])("building refuses a bad %s", (field, build) => {
    const error = refusalOf(build)
    expect(error).toMatchObject({ code: "INVALID_TOKEN", details: { field } })
    expect(error.message).not.toContain(SECRET)
  })

  it("nostrconnect:// without a relay or a secret is neither made nor read (N46-NOSTRCONNECT-2, N46-NOSTRCONNECT-6)", () => {
    const whole = { clientPubkey: PUBKEY, relays: ["wss://relay.example"], secret: SECRET }
    for (const [field, lacking] of [
      ["relay", { ...whole, relays: [] }],
      ["secret", { ...whole, secret: "" }],
    ] as const) {
      const query = [...lacking.relays.map((url) => `relay=${url}`), `secret=${lacking.secret}`].join("&")
      for (const run of [
        () => buildNostrconnectToken(lacking),
        () => parseNostrconnectToken(`nostrconnect://${PUBKEY}?${query}`),
      ]) {
        expect(refusalOf(run).details).toEqual({ field })
      }
    }
    expect(parseNostrconnectToken(buildNostrconnectToken(whole))).toEqual({ ...whole, perms: "", app: {} })
  })

  it("a public key is hex, read in either case and written in lower case, and an npub is none (N46-TERMS-1)", () => {
    const token = { remoteSignerPubkey: PUBKEY, relays: ["wss://relay.example"], secret: SECRET }
    expect(parseBunkerToken(`bunker://${PUBKEY.toUpperCase()}?${RELAY}`).remoteSignerPubkey).toBe(PUBKEY)
    expect(parseNostrconnectToken(`nostrconnect://${PUBKEY.toUpperCase()}?${RELAY}&secret=s`).clientPubkey).toBe(PUBKEY)
    const npub = "npub1sn0wdenkukak0d9dfczzeacvhkrgz92ak56egt7vdgzn8pv2wfqqhrjdv9"
    for (const run of [
      () => buildBunkerToken({ ...token, remoteSignerPubkey: npub }),
      () => buildNostrconnectToken({ ...token, clientPubkey: npub }),
      () => parseBunkerToken(`bunker://${npub}?${RELAY}`),
      () => parseNostrconnectToken(`nostrconnect://${npub}?${RELAY}&secret=s`),
    ]) {
      expect(refusalOf(run).details).toEqual({ field: "pubkey" })
    }
  })
})

it("the example in the docs", () => {
  expect(parseBunkerToken(`bunker://${"a".repeat(64)}?relay=wss%3A%2F%2Frelay.example&secret=s1`).relays).toEqual([
    "wss://relay.example",
  ])
})

it("the token that NIP-46 gives as an example (N46-NOSTRCONNECT-6)", () => {
  const text =
    "nostrconnect://83f3b2ae6aa368e8275397b9c26cf550101d63ebaab900d19dd4a4429f5ad8f5?relay=wss%3A%2F%2Frelay1.example.com&perms=nip44_encrypt%2Cnip44_decrypt%2Csign_event%3A13%2Csign_event%3A14%2Csign_event%3A1059&name=My+Client&secret=0s8j2djs&relay=wss%3A%2F%2Frelay2.example2.com"
  expect(parseNostrconnectToken(text)).toEqual({
    clientPubkey: "83f3b2ae6aa368e8275397b9c26cf550101d63ebaab900d19dd4a4429f5ad8f5",
    relays: ["wss://relay1.example.com", "wss://relay2.example2.com"],
    secret: "0s8j2djs",
    perms: "nip44_encrypt,nip44_decrypt,sign_event:13,sign_event:14,sign_event:1059",
    app: { name: "My Client" },
  })
})
