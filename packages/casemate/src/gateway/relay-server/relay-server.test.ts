import type { NostrEvent } from "@casemate/nip46/protocol"
import { SimplePool, useWebSocketImplementation } from "nostr-tools/pool"
import { generateSecretKey, getPublicKey } from "nostr-tools/pure"
import { describe, expect, test, vi } from "vitest"
import { WebSocket } from "ws"
import {
  CLIENT,
  cleanups,
  listener,
  Peer,
  SIGNER,
  seconds,
  sign,
  startRelay,
} from "../../../test/support/relay-bench.js"

useWebSocketImplementation(WebSocket)

describe("carrying", () => {
  test("nostr-tools' pool publishes and subscribes, with and without the trailing slash", async () => {
    const { url } = await startRelay()
    const pool = new SimplePool()
    cleanups.push(() => pool.destroy())
    const got: unknown[] = []
    await new Promise<void>((resolve) => {
      const params = { onevent: (event: unknown) => got.push(event), oneose: resolve }
      pool.subscribe([url], { kinds: [24133], "#p": [SIGNER] }, params)
    })
    const event = sign()
    expect(await Promise.all(pool.publish([`${url}/`], event))).toEqual([""])
    await vi.waitFor(() => expect(got).toHaveLength(1))
    expect(JSON.parse(JSON.stringify(got[0]))).toEqual(event)
  })

  test("an event reaches every subscription it matches, once, and only fields of NIP-01", async () => {
    const { url, relay } = await startRelay()
    const event = sign({
      tags: [
        ["p", SIGNER],
        ["p", SIGNER],
      ],
    })
    const peers = await Promise.all([
      listener(url, { "#p": [SIGNER] }, { authors: [event.pubkey] }),
      listener(url, { authors: [event.pubkey] }),
      listener(url, { ids: [event.id] }),
      listener(url, { "#p": ["f".repeat(64)] }),
      listener(url, { "#p": [SIGNER], kinds: [1] }),
      listener(url, { "#p": [SIGNER], until: event.created_at - 1 }),
      listener(url, { "#p": [SIGNER], since: event.created_at, limit: 0 }),
    ])
    const sender = await Peer.dial(url)
    expect(await sender.ask("EVENT", { ...event, extra: "x" })).toEqual(["OK", event.id, true, ""])
    const got = await Promise.all(peers.map((peer) => peer.drain()))
    const once = [["EVENT", "s", event]]
    expect(got).toEqual([once, once, once, [], [], [], once])
    expect(relay.stats()).toMatchObject({ received: 1, refused: 0, delivered: 4 })
  })

  test.each([-86_400, 86_400])("a clock that is %i s off is for the signer to judge", async (off) => {
    const { url } = await startRelay()
    const peer = await listener(url)
    const event = sign({ created_at: seconds() + off })
    expect(await (await Peer.dial(url)).ask("EVENT", event)).toEqual(["OK", event.id, true, ""])
    expect(await peer.next()).toEqual(["EVENT", "s", event])
  })

  test("nobody listens: accepted, and not stored", async () => {
    const { url } = await startRelay()
    const event = sign()
    const sender = await Peer.dial(url)
    expect(await sender.ask("EVENT", event)).toEqual(["OK", event.id, true, ""])
    const late = await listener(url)
    expect(await late.drain()).toEqual([])
    // Sent again, it reaches who was not there before.
    expect(await sender.ask("EVENT", event)).toEqual(["OK", event.id, true, ""])
    expect(await late.next()).toEqual(["EVENT", "s", event])
  })

  test("a duplicate goes only to those who did not have it", async () => {
    const { url, relay } = await startRelay()
    const first = await listener(url)
    const event = sign()
    const sender = await Peer.dial(url)
    await sender.ask("EVENT", event)
    const duplicate = ["OK", event.id, true, expect.stringMatching(/^duplicate: /)]
    expect(await sender.ask("EVENT", event)).toEqual(duplicate)
    const second = await listener(url)
    expect(await sender.ask("EVENT", event)).toEqual(["OK", event.id, true, ""])
    expect(await first.drain()).toEqual([["EVENT", "s", event]])
    expect(await second.drain()).toEqual([["EVENT", "s", event]])
    expect(await sender.ask("EVENT", event)).toEqual(duplicate)
    expect(relay.stats().delivered).toBe(2)
  })

  test("bad twins that come first do not shut out the genuine event", async () => {
    const { url } = await startRelay()
    const peer = await listener(url)
    const event = sign()
    const sender = await Peer.dial(url)
    for (let i = 0; i < 50; i++) {
      const twin = { ...event, content: `twin ${i}` }
      expect(await sender.ask("EVENT", twin)).toEqual(["OK", event.id, false, expect.stringMatching(/^invalid: /)])
    }
    expect(await sender.ask("EVENT", event)).toEqual(["OK", event.id, true, ""])
    expect(await peer.drain()).toEqual([["EVENT", "s", event]])
  })

  test("a REQ of the same id replaces the subscription, CLOSE ends it", async () => {
    const { url, relay } = await startRelay()
    const peer = await listener(url)
    expect(await peer.ask("REQ", "s", { "#p": ["e".repeat(64)] })).toEqual(["EOSE", "s"])
    expect(relay.stats().subscriptions).toBe(1)
    relay.publishLocal(sign())
    expect(await peer.drain()).toEqual([])
    await peer.ask("REQ", "s", { "#p": [SIGNER] })
    relay.publishLocal(sign())
    expect(await peer.drain()).toHaveLength(1)
    // A refused REQ ends the old subscription too: CLOSED has told the client so.
    expect(await peer.ask("REQ", "s", { bogus: 1 })).toEqual(["CLOSED", "s", expect.stringMatching(/^unsupported: /)])
    expect(relay.publishLocal(sign())).toBe(0)
    await peer.ask("REQ", "s", { "#p": [SIGNER] })
    peer.send("CLOSE", "s").send("CLOSE", "unknown")
    expect(await peer.drain()).toEqual([])
    expect(relay.publishLocal(sign())).toBe(0)
  })
})

describe("in the same process", () => {
  test("a listener gets the events it wants, verified, and answers without a socket", async () => {
    const { url, relay } = await startRelay()
    const client = await listener(url, { kinds: [24133], "#p": [getPublicKey(CLIENT)] })
    const got: NostrEvent[] = []
    const detach = relay.attachLocal({ wants: (p) => p === SIGNER, onEvent: (event) => got.push(event) })
    const request = sign({
      tags: [
        ["p", "d".repeat(64)],
        ["p", SIGNER],
      ],
    })
    expect(await client.ask("EVENT", request)).toEqual(["OK", request.id, true, ""])
    await client.ask("EVENT", sign({ tags: [["p", "d".repeat(64)]] }))
    await client.ask("EVENT", { ...request, content: "forged" })
    expect(got).toEqual([request])
    const answer = sign({ tags: [["p", getPublicKey(CLIENT)]] }, generateSecretKey())
    expect(relay.publishLocal(answer)).toBe(1)
    expect(await client.next()).toEqual(["EVENT", "s", answer])
    // The bunker repeats an answer on purpose.
    expect(relay.publishLocal(answer)).toBe(1)
    expect(await client.next()).toEqual(["EVENT", "s", answer])
    detach()
    await client.ask("EVENT", sign())
    expect(got).toEqual([request])
  })

  test("a request repeated from the same connection is a duplicate, from a new one it is passed on", async () => {
    const { url, relay } = await startRelay()
    const got: string[] = []
    const event = sign()
    const first = await Peer.dial(url)
    await first.ask("EVENT", event)
    relay.attachLocal({ wants: () => true, onEvent: ({ id }) => got.push(id) })
    expect((await first.ask("EVENT", event))[3]).toBe("")
    expect((await first.ask("EVENT", event))[3]).toMatch(/^duplicate: /)
    expect(got).toEqual([event.id])
    const second = await Peer.dial(url)
    expect((await second.ask("EVENT", event))[3]).toBe("")
    expect(got).toEqual([event.id, event.id])
  })

  test("a listener that throws is reported, and the others are served", async () => {
    const errors: unknown[] = []
    const { url, relay } = await startRelay({ onListenerError: (error) => errors.push(error) })
    const got: string[] = []
    relay.attachLocal({
      wants: () => true,
      onEvent: () => {
        throw new Error("listener")
      },
    })
    relay.attachLocal({ wants: () => true, onEvent: ({ id }) => got.push(id) })
    const peer = await Peer.dial(url)
    const event = sign()
    expect(await peer.ask("EVENT", event)).toEqual(["OK", event.id, true, ""])
    expect(got).toEqual([event.id])
    expect(errors).toEqual([new Error("listener")])
  })
})

describe("stop and close", () => {
  test("a relay that stops takes no event and no socket, and still carries what is published", async () => {
    const { url, relay } = await startRelay()
    const peer = await listener(url)
    const sender = await Peer.dial(url)
    const before = sign()
    expect(await sender.ask("EVENT", before)).toEqual(["OK", before.id, true, ""])
    expect(await peer.next()).toEqual(["EVENT", "s", before])
    relay.stop()
    const after = sign()
    expect(await sender.ask("EVENT", after)).toEqual(["OK", after.id, false, "error: shutting down"])
    await expect(Peer.dial(url)).rejects.toThrow("503")
    const answer = sign()
    expect(relay.publishLocal(answer)).toBe(1)
    expect(await peer.next()).toEqual(["EVENT", "s", answer])
    expect(await peer.drain()).toEqual([])
  })

  test("hangs up without a closing handshake, refuses new sockets, and drops one that does not follow", async () => {
    const { url, relay } = await startRelay()
    const polite = await Peer.dial(url)
    const deaf = await Peer.dial(url)
    deaf.socket.pause()
    const closing = relay.close()
    await expect(Peer.dial(url)).rejects.toThrow("503")
    // 1006: the connection was lost, so whoever wants to comes back.
    expect(await polite.closed).toBe(1006)
    await closing
    await relay.close()
    expect(relay.stats().connections).toBe(0)
  })
})
