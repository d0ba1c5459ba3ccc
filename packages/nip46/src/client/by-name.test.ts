import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { checkLeaks } from "../../test/support/leaks.js"
import { type ScriptedSigner, scriptedSigner } from "../../test/support/scripted-signer.js"
import { parseNostrconnectToken } from "../protocol/index.js"
import { MemoryRelays } from "../transport/index.js"
import { RemoteSigner } from "./index.js"

const RELAY = "wss://one.example"

checkLeaks()

let relays: MemoryRelays
let signer: ScriptedSigner
const open: { close(): void }[] = []

beforeEach(() => {
  relays = new MemoryRelays()
  signer = scriptedSigner(relays.open, [RELAY])
  open.push(signer)
})
afterEach(() => {
  for (const each of open.splice(0)) each.close()
})

const serving = (document: unknown): typeof globalThis.fetch => {
  return async () => new Response(JSON.stringify(document))
}
const current = (nip46: object): typeof globalThis.fetch => serving({ names: { _: signer.pubkey }, nip46 })

describe("by name", () => {
  it("QUIRKS client 10: connects to a bunker that is published in the old shape", async () => {
    const fetch = serving({ names: { bob: signer.pubkey }, nip46: { [signer.pubkey]: [RELAY] } })
    const remote = await RemoteSigner.connect("bob@example.com", { fetch, openTransport: relays.open })
    open.push(remote)
    expect(signer.asked[0]?.params).toEqual([signer.pubkey])
    expect(await remote.getPublicKey()).toBe(signer.user.pubkey)
  })

  it("QUIRKS client 10: says how to pair with a signer that is published in the current one", async () => {
    const connecting = RemoteSigner.connect("signer.example", {
      fetch: current({ relays: [RELAY] }),
      openTransport: relays.open,
    })
    await expect(connecting).rejects.toMatchObject({ code: "INVALID_TOKEN", details: { field: "name" } })
    await expect(connecting).rejects.toThrow("RemoteSigner.pair({ signer: name })")
  })

  it("pairs over the relays that the signer announces, and says where to send the user (N46-NIP05-4)", async () => {
    const fetch = current({ relays: [RELAY], nostrconnect_url: "https://signer.example/<nostrconnect>" })
    const pairing = await RemoteSigner.pair({ signer: "signer.example", fetch, openTransport: relays.open })
    open.push(pairing)
    expect(parseNostrconnectToken(pairing.uri).relays).toEqual([RELAY])
    expect(pairing.redirectUrl).toBe(`https://signer.example/${pairing.uri}`)
  })

  it("pairs over the app's own relays where it names some, and needs some when the signer names none", async () => {
    const fetch = current({ nostrconnect_url: "https://signer.example/?uri=<nostrconnect>" })
    const own = { signer: "signer.example", fetch, openTransport: relays.open }
    const pairing = await RemoteSigner.pair({ ...own, relays: ["wss://mine.example"] })
    open.push(pairing)
    expect(parseNostrconnectToken(pairing.uri).relays).toEqual(["wss://mine.example"])
    expect(pairing.redirectUrl).toBe(`https://signer.example/?uri=${encodeURIComponent(pairing.uri)}`)
    await expect(RemoteSigner.pair(own)).rejects.toMatchObject({ code: "INVALID_RELAY" })
  })

  it("a name that leads nowhere is an error of its own", async () => {
    const fetch = serving({})
    const options = { fetch, openTransport: relays.open }
    await expect(RemoteSigner.connect("bob@example.com", options)).rejects.toMatchObject({ code: "NAME_NOT_FOUND" })
    const pairing = RemoteSigner.pair({ signer: "example.com", ...options })
    await expect(pairing).rejects.toMatchObject({ code: "NAME_NOT_FOUND" })
  })
})
