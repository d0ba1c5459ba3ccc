import { expect, it } from "vitest"
import { vetRelays } from "./vet-relays.js"

const careful = { trusted: [], allowPrivate: false }

it("guards what only the token vouches for", () => {
  const urls = ["wss://relay.example", "wss://1.1.1.1/x"]
  expect(vetRelays(urls, careful)).toEqual({ relays: urls, guarded: urls, refused: [] })
})

it("takes what the owner names, and this computer", () => {
  const urls = ["ws://10.0.0.1", "ws://localhost:4646/relay", "ws://127.0.0.1:7777", "wss://[::1]"]
  const trusted = ["ws://10.0.0.1"]
  expect(vetRelays(urls, { ...careful, trusted })).toEqual({ relays: urls, guarded: [], refused: [] })
})

it.each([
  ["ws://relay.example", "it is not encrypted"],
  ["ws://10.0.0.1", "it is not encrypted"],
  ["wss://10.0.0.1:7777", "it lies in a private network"],
  ["wss://169.254.169.254", "it lies in a private network"],
  ["wss://[fd00::1]", "it lies in a private network"],
  ["wss://0.0.0.0", "it lies in a private network"],
])("leaves out %s: %s; unless the owner allows it", (url, why) => {
  const urls = ["wss://relay.example.com", url]
  const [fine] = urls
  expect(vetRelays(urls, careful)).toEqual({ relays: [fine], guarded: [fine], refused: [{ url, why }] })
  expect(vetRelays(urls, { ...careful, allowPrivate: true })).toEqual({ relays: urls, guarded: [], refused: [] })
})
