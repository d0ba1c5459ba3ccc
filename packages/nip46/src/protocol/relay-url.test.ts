import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { MAX_RELAY_URL_CHARS, MAX_RELAYS } from "./limits.js"
import { isLoopbackRelay, normalizeRelayUrl, normalizeRelayUrls, sameRelays } from "./relay-url.js"

describe("QUIRKS signer 11: normalizeRelayUrl", () => {
  it.each([
    ["WSS://Relay.Example.com:443/", "wss://relay.example.com"],
    ["ws://relay.example:80", "ws://relay.example"],
    ["wss://relay.example:7777/", "wss://relay.example:7777"],
    ["wss://relay.example/Path/", "wss://relay.example/Path/"],
    ["wss://relay.example/?a=B", "wss://relay.example/?a=B"],
    ["wss://relay.example/?", "wss://relay.example"],
    ["wss://relay.example/#fragment", "wss://relay.example"],
    ["  wss://relay.example\n", "wss://relay.example"],
    ["wss%3A%2F%2Frelay.example", "wss://relay.example"],
    ["WSS%3a%2f%2fRELAY.example", "wss://relay.example"],
    ["ws://[::1]:7000", "ws://[::1]:7000"],
    ["wss://bücher.example", "wss://xn--bcher-kva.example"],
  ])("%s is %s", (text, url) => {
    expect(normalizeRelayUrl(text)).toBe(url)
  })

  it.each([
    "",
    "relay.example",
    "https://relay.example",
    "javascript:alert(1)",
    "file:///etc/passwd",
    "wss://",
    "wss://user@relay.example",
    "wss://user:password@relay.example",
    "wss%3A%2F%2Frelay.example%",
    "wss://relay.example:99999",
    `wss://relay.example/${"a".repeat(MAX_RELAY_URL_CHARS)}`,
    // Short as written, too long once it is escaped.
    `wss://relay.example/${"é".repeat(900)}`,
  ])("%s is none", (text) => {
    expect(normalizeRelayUrl(text)).toBeUndefined()
  })

  it("what it gives, it gives again, whatever the text", () => {
    const texts = fc.oneof(
      fc.webUrl({ withQueryParameters: true, withFragments: true }).map((url) => url.replace(/^http/, "ws")),
      fc.string({ unit: "binary" }).map((path) => `wss://relay.example/${path}`),
      fc.string(),
    )
    fc.assert(
      fc.property(texts, (text) => {
        const url = normalizeRelayUrl(text)
        if (url !== undefined) expect(normalizeRelayUrl(url)).toBe(url)
      }),
    )
  })
})

it("normalizeRelayUrls drops what is invalid or said twice, and stops at the limit", () => {
  const texts = [
    "wss://b.example/",
    "nonsense",
    "wss://a.example",
    "wss://B.example",
    "wss://a.example/x",
    "wss://a.example/x/",
  ]
  expect(normalizeRelayUrls(texts)).toEqual(["wss://b.example", "wss://a.example", "wss://a.example/x"])
  const many = Array.from({ length: MAX_RELAYS + 5 }, (_, i) => `wss://r${i}.example`)
  expect(normalizeRelayUrls(many)).toEqual(many.slice(0, MAX_RELAYS))
})

it("sameRelays is about the set, not the order or the trailing slash", () => {
  expect(sameRelays(["wss://a", "wss://b"], ["wss://b/", "wss://a"])).toBe(true)
  expect(sameRelays([], [])).toBe(true)
  expect(sameRelays(["wss://a"], ["wss://a", "wss://b"])).toBe(false)
  expect(sameRelays(["wss://a", "wss://b"], ["wss://a"])).toBe(false)
  expect(sameRelays(["wss://a"], ["wss://b"])).toBe(false)
})

it.each([
  ["ws://localhost:7000", true],
  ["ws://relay.localhost", true],
  ["ws://127.0.0.1", true],
  ["ws://127.1:80", true],
  ["ws://[::1]:7000", true],
  ["ws://10.0.0.1", false],
  ["wss://localhost.example", false],
  ["wss://127.0.0.1.example", false],
  ["not a url", false],
])("isLoopbackRelay(%s) is %s", (url, expected) => {
  expect(isLoopbackRelay(url)).toBe(expected)
})
