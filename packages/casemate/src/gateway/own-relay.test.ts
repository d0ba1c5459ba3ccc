import { expect, test } from "vitest"
import { ownRelayTest, relayUrlOf } from "./own-relay.js"

test("the relay of a server is found under its address, with ws in place of http", () => {
  expect(relayUrlOf("http://localhost:4646")).toBe("ws://localhost:4646/relay")
  expect(relayUrlOf("https://bunker.example/signer")).toBe("wss://bunker.example/signer/relay")
})

test("what is served here is known under every name that a token may have for it, and nothing else is", () => {
  const isOurs = ownRelayTest(["https://bunker.example", "http://localhost:4646"])
  for (const url of [
    "wss://bunker.example/relay",
    "wss://BUNKER.example:443/relay/",
    "ws://localhost:4646/relay",
    "ws://127.0.0.1:4646/relay",
    "ws://[::1]:4646/relay/",
  ])
    expect([url, isOurs(url)]).toEqual([url, true])
  for (const url of [
    "ws://bunker.example/relay",
    "wss://bunker.example",
    "wss://bunker.example/relay/more",
    "ws://localhost:4647/relay",
    "ws://localhost/relay",
    "ws://localhost.example:4646/relay",
    "wss://relay.example",
    "",
  ])
    expect([url, isOurs(url)]).toEqual([url, false])
})

test("a host whose name only begins like localhost has no loopback names", () => {
  expect(ownRelayTest(["http://localhostage.example:80"])("ws://127.0.0.1:80/relay")).toBe(false)
})
