import { describe, expect, test, vi } from "vitest"
import { WebSocket } from "ws"
import { listener, Peer, SIGNER, sign, startRelay } from "../../../test/support/relay-bench.js"

describe("caps", () => {
  test("subscriptions per connection", async () => {
    const { url } = await startRelay({ limits: { maxSubscriptions: 2 } })
    const peer = await Peer.dial(url)
    const filter = { "#p": [SIGNER] }
    expect(await peer.ask("REQ", "1", filter)).toEqual(["EOSE", "1"])
    expect(await peer.ask("REQ", "2", filter)).toEqual(["EOSE", "2"])
    expect(await peer.ask("REQ", "3", filter)).toEqual(["CLOSED", "3", expect.stringMatching(/^restricted: /)])
    // Replacing is not adding.
    expect(await peer.ask("REQ", "2", filter)).toEqual(["EOSE", "2"])
    peer.send("CLOSE", "1")
    expect(await peer.ask("REQ", "3", filter)).toEqual(["EOSE", "3"])
  })

  test("values in all filters of a connection together", async () => {
    const { url } = await startRelay({ limits: { maxValuesPerConnection: 3 } })
    const peer = await Peer.dial(url)
    const filter = { kinds: [24133], "#p": [SIGNER] }
    expect(await peer.ask("REQ", "1", filter)).toEqual(["EOSE", "1"])
    expect(await peer.ask("REQ", "2", filter)).toEqual(["CLOSED", "2", expect.stringMatching(/^restricted: /)])
    peer.send("CLOSE", "1")
    expect(await peer.ask("REQ", "2", filter)).toEqual(["EOSE", "2"])
  })

  test("the size of a message, before it is parsed", async () => {
    const { url, relay } = await startRelay()
    const peer = await Peer.dial(url)
    peer.socket.send("x".repeat(131_073))
    expect(await peer.closed).toBe(1009)
    await vi.waitFor(() => expect(relay.stats().connections).toBe(0))
  })

  test("messages per second: refused first, closed when it goes on", async () => {
    let now = Date.now()
    const { url, relay } = await startRelay({ limits: { messageBurst: 3, messagesPerSecond: 1 }, now: () => now })
    const peer = await Peer.dial(url)
    for (let i = 0; i < 3; i++) expect((await peer.ask("EVENT", sign()))[2]).toBe(true)
    const limited = expect.stringMatching(/^rate-limited: /)
    expect(await peer.ask("EVENT", sign())).toEqual(["OK", expect.any(String), false, limited])
    expect(await peer.ask("REQ", "s3", { "#p": [SIGNER] })).toEqual(["CLOSED", "s3", limited])
    now += 1_000
    expect((await peer.ask("EVENT", sign()))[2]).toBe(true)
    for (let i = 0; i < 4; i++) peer.send("CLOSE", "x")
    expect(await peer.closed).toBe(1008)
    expect(relay.stats().received).toBe(4)
  })

  test("a fast app of 500 messages at once is served whole", async () => {
    const { url } = await startRelay()
    const peer = await Peer.dial(url)
    const event = sign()
    for (let i = 0; i < 500; i++) peer.send("EVENT", event)
    for (let i = 0; i < 500; i++) expect((await peer.next())[2]).toBe(true)
  })

  test("connections in total, and a free place is given away again", async () => {
    const { url, relay } = await startRelay({ limits: { maxConnections: 2 } })
    const peers = [await Peer.dial(url), await Peer.dial(url)]
    await expect(Peer.dial(url)).rejects.toThrow("503")
    peers[0]!.socket.close()
    await vi.waitFor(() => expect(relay.stats().connections).toBe(1))
    expect((await Peer.dial(url)).socket.readyState).toBe(WebSocket.OPEN)
  })

  test("connections per address, but not for loopback", async () => {
    let address = "203.0.113.7"
    const { url } = await startRelay({ limits: { maxConnectionsPerAddress: 2 }, remoteAddress: () => address })
    const peers = [await Peer.dial(url), await Peer.dial(url)]
    await expect(Peer.dial(url)).rejects.toThrow("429")
    address = "203.0.113.8"
    await Peer.dial(url)
    address = "127.0.0.1"
    for (let i = 0; i < 4; i++) await Peer.dial(url)
    address = "203.0.113.7"
    peers[0]!.socket.close()
    await vi.waitFor(async () => {
      await Peer.dial(url)
    })
  })

  test("a reader that does not read is told to come again later, and the others do not notice", async () => {
    const { url, relay } = await startRelay({ limits: { maxBufferedBytes: 100_000 } })
    const slow = await listener(url)
    const honest = await listener(url)
    slow.socket.pause()
    const event = sign({ content: "x".repeat(60_000) })
    let sent = 0
    // The system's own buffers fill first.
    while (relay.publishLocal(event) === 2) {
      expect(await honest.next()).toEqual(["EVENT", "s", event])
      if (++sent > 2_000) throw new Error("the slow reader was never dropped")
    }
    expect(await honest.next()).toEqual(["EVENT", "s", event])
    expect(relay.publishLocal(event)).toBe(1)
    slow.socket.resume()
    expect(await slow.closed).toBe(1013)
    expect(honest.socket.readyState).toBe(WebSocket.OPEN)
  })

  test("a peer that answers no ping is dropped, one that does stays", async () => {
    const { url, relay } = await startRelay({ limits: { pingIntervalMs: 50 } })
    const pings: unknown[] = []
    const alive = await Peer.dial(url)
    alive.socket.on("ping", (data) => pings.push(data))
    const dead = await Peer.dial(url, { autoPong: false })
    expect(await dead.closed).toBe(1006)
    await vi.waitFor(() => expect(pings.length).toBeGreaterThan(4))
    expect(relay.stats().connections).toBe(1)
    expect(alive.socket.readyState).toBe(WebSocket.OPEN)
  })
})
