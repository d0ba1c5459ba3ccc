import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { checkLeaks } from "../../test/support/leaks.js"
import { scriptedSigner } from "../../test/support/scripted-signer.js"
import { parseNostrconnectToken } from "../protocol/index.js"
import { FaultRelay } from "../testing/index.js"
import { RelaySet, type TransportFactory } from "../transport/index.js"
import { RemoteSigner } from "./index.js"
import { onWake } from "./wake.js"

/** Counts who listens, as a page would keep them alive. */
class Target extends EventTarget {
  listeners = 0
  override addEventListener(...args: Parameters<EventTarget["addEventListener"]>): void {
    this.listeners += 1
    super.addEventListener(...args)
  }
  override removeEventListener(...args: Parameters<EventTarget["removeEventListener"]>): void {
    this.listeners -= 1
    super.removeEventListener(...args)
  }
  tell(type: string): void {
    this.dispatchEvent(new Event(type))
  }
}

class Page extends Target {
  visibilityState = "visible"
}

const relays: FaultRelay[] = []
const open: { close(): void }[] = []
let network: Target
let page: Page

checkLeaks(() => relays.splice(0).reduce((sum, { sockets }) => sum + sockets, 0))

beforeEach(() => {
  network = new Target()
  page = new Page()
  vi.stubGlobal("addEventListener", network.addEventListener.bind(network))
  vi.stubGlobal("removeEventListener", network.removeEventListener.bind(network))
  vi.stubGlobal("document", page)
})
afterEach(() => {
  for (const each of open.splice(0).reverse()) each.close()
  expect([network.listeners, page.listeners]).toEqual([0, 0])
  vi.unstubAllGlobals()
})

describe("onWake", () => {
  it("calls when the network is back and when the page is seen again, not when it is hidden, and ends", () => {
    const call = vi.fn()
    const end = onWake(call)
    network.tell("online")
    expect(call).toHaveBeenCalledTimes(1)
    page.visibilityState = "hidden"
    page.tell("visibilitychange")
    expect(call).toHaveBeenCalledTimes(1)
    page.visibilityState = "visible"
    page.tell("visibilitychange")
    expect(call).toHaveBeenCalledTimes(2)
    end()
    network.tell("online")
    page.tell("visibilitychange")
    expect(call).toHaveBeenCalledTimes(2)
  })

  it("works where there is a network and no page, and does nothing where there is neither", () => {
    vi.stubGlobal("document", undefined)
    const call = vi.fn()
    const end = onWake(call)
    network.tell("online")
    expect(call).toHaveBeenCalledTimes(1)
    end()
    vi.stubGlobal("addEventListener", undefined)
    onWake(call)()
  })
})

describe("QUIRKS relays 8: on wake a socket that died without a word is found at once, not after 30 s", () => {
  const wakes: [string, () => void][] = [
    ["online", () => network.tell("online")],
    ["visibilitychange", () => page.tell("visibilitychange")],
  ]

  it.each(wakes)("%s, with a signer", async (_, wake) => {
    const { relay, openTransport } = wire()
    const signer = scriptedSigner(openTransport, [relay.url])
    open.push(signer)
    const remote = await RemoteSigner.connect(signer.token(), { openTransport })
    open.push(remote)
    relay.dieSilently()
    wake()
    // The signer has no page that tells it: its own socket is looked after here.
    signer.transport.checkNow()
    await vi.waitFor(() => expect(relay.dials).toBeGreaterThanOrEqual(4), { timeout: 5_000 })
    await remote.ping({ timeoutMs: 5_000 })
  })

  it.each(wakes)("%s, while a nostrconnect:// token is shown", async (_, wake) => {
    const { relay, openTransport } = wire()
    const pairing = await RemoteSigner.pair({ relays: [relay.url], openTransport })
    open.push(pairing)
    relay.dieSilently()
    wake()
    await vi.waitFor(() => expect(relay.dials).toBeGreaterThanOrEqual(2), { timeout: 5_000 })

    const signer = scriptedSigner(openTransport, [relay.url])
    open.push(signer)
    const { clientPubkey, secret } = parseNostrconnectToken(pairing.uri)
    await vi.waitFor(() => expect(relay.of("REQ").length).toBeGreaterThanOrEqual(3), { timeout: 5_000 })
    await signer.say(clientPubkey, JSON.stringify({ id: "1", result: secret }))
    open.push(await pairing.connected({ timeoutMs: 5_000 }))
    // The signer looks after itself from here, and the pairing no longer.
    expect([network.listeners, page.listeners]).toEqual([1, 1])
  })
})

/** A relay whose sockets are given up only after 30 s of silence, unless they are looked after. */
function wire(): { relay: FaultRelay; openTransport: TransportFactory } {
  const relay = new FaultRelay({ url: "wss://one.test" })
  relays.push(relay)
  open.push(relay)
  const timing = { checkTimeoutMs: 100, backoffBaseMs: 20, minDialIntervalMs: 50 }
  return {
    relay,
    openTransport: (urls, options) => new RelaySet({ ...options, relays: urls, timing, webSocket: relay.webSocket }),
  }
}
