import { once } from "node:events"
import type { AddressInfo } from "node:net"
import { afterEach, describe, expect, it, test, vi } from "vitest"
import { WebSocket, WebSocketServer } from "ws"
import { checkLeaks } from "../../test/support/leaks.js"
import { createNodeBackend } from "../crypto/node/index.js"
import { FaultRelay, transportSuite } from "../testing/index.js"
import { RelaySet, type RelaySetOptions } from "./index.js"

const crypto = createNodeBackend()
const keypair = crypto.keypair(crypto.generateSecretKey())
const FILTERS = [{ kinds: [24133] }]
const TIMING = {
  connectTimeoutMs: 500,
  answerPatienceMs: 100,
  checkTimeoutMs: 100,
  backoffBaseMs: 20,
  minDialIntervalMs: 20,
}

checkLeaks()

const open: { close(): void }[] = []
afterEach(() => {
  for (const each of open.splice(0).reverse()) each.close()
})

const event = () =>
  crypto.signEvent({ kind: 24133, content: "x", tags: [], created_at: Math.floor(Date.now() / 1000) }, keypair)

function relay(name: string): FaultRelay {
  const added = new FaultRelay({ url: `ws://${name}.test` })
  open.push(added)
  return added
}

function setOf(relays: readonly FaultRelay[], options: Partial<RelaySetOptions> = {}): RelaySet {
  const set = new RelaySet({
    relays: relays.map(({ url }) => url),
    webSocket: (url) => {
      const dialled = relays.find((each) => each.url === url)
      if (dialled === undefined) throw new Error(`nobody is at ${url}`)
      return dialled.webSocket(url)
    },
    timing: TIMING,
    ...options,
  })
  open.push(set)
  return set
}

describe("RelaySet, in memory", () => {
  transportSuite({
    test,
    crypto,
    create: () => {
      const relays = ["one", "two"].map((name) => new FaultRelay({ url: `ws://${name}.test` }))
      return {
        relays: relays.map(({ url }) => url),
        open: (urls) =>
          new RelaySet({
            relays: urls,
            webSocket: (url) => (relays.find((each) => each.url === url) as FaultRelay).webSocket(url),
          }),
        close: () => {
          for (const each of relays) each.close()
        },
      }
    },
  })
})

describe("RelaySet, over sockets", () => {
  transportSuite({
    test,
    crypto,
    create: async () => {
      const servers = [0, 1].map(() => new WebSocketServer({ port: 0, host: "127.0.0.1" }))
      await Promise.all(servers.map((server) => once(server, "listening")))
      const urls = servers.map((server) => `ws://127.0.0.1:${(server.address() as AddressInfo).port}`)
      servers.forEach((server, n) => {
        const behind = new FaultRelay({ url: urls[n] as string })
        server.on("connection", (socket) => behind.accept(socket))
      })
      return {
        relays: urls,
        open: (relays) => new RelaySet({ relays, webSocket: (url) => new WebSocket(url) }),
        close: async () => {
          for (const server of servers) for (const client of server.clients) client.terminate()
          await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
        },
      }
    },
  })
})

describe("RelaySet", () => {
  it("needs a relay, and takes each once", () => {
    expect(() => new RelaySet({ relays: [], webSocket: () => relay("x").webSocket("") })).toThrow("at least one relay")
    const one = relay("one")
    expect(setOf([one, one]).relays).toEqual([one.url])
  })

  it("has published once one relay took it, however the others fare, and tells how they fared", async () => {
    const [good, refusing, dead] = [relay("good"), relay("refusing"), relay("dead")]
    refusing.faults.refuse = "blocked: not here"
    dead.stop()
    const set = setOf([good, refusing, dead])
    const told = new Map<string, string>()
    const report = await set.publish(event(), {
      timeoutMs: 300,
      onResult: (url, result) => told.set(url, result.kind === "failed" ? result.reason : result.kind),
    })
    expect(report.accepted).toBe(true)
    await vi.waitFor(() =>
      expect(Object.fromEntries(told)).toEqual({
        [good.url]: "accepted",
        [refusing.url]: "refused",
        [dead.url]: "not connected",
      }),
    )
  })

  it("says of each relay why it did not take an event", async () => {
    const [refusing, silent, dead] = [relay("refusing"), relay("silent"), relay("dead")]
    refusing.faults.refuse = "blocked: not here"
    silent.faults.noOk = true
    dead.stop()
    const report = await setOf([refusing, silent, dead]).publish(event(), { timeoutMs: 300 })
    expect(report.accepted).toBe(false)
    expect(Object.fromEntries(report.relays)).toEqual({
      [refusing.url]: { kind: "refused", message: "blocked: not here" },
      [silent.url]: { kind: "failed", reason: "no OK" },
      [dead.url]: { kind: "failed", reason: "not connected", detail: expect.stringContaining("socket") as string },
    })
  })

  it("authenticates with the hook that it was given, and tells who refused to serve", async () => {
    const verifyEvent = crypto.verifyEvent
    const open_ = new FaultRelay({ url: "ws://auth.test", verifyEvent, faults: { authRequired: "late" } })
    const closed = new FaultRelay({ url: "ws://closed.test", faults: { refuseSubscriptions: "restricted: members" } })
    open.push(open_, closed)
    const set = setOf([open_, closed], {
      authenticate: async (challenge, url) =>
        crypto.signEvent(
          {
            kind: 22242,
            content: "",
            tags: [
              ["relay", url],
              ["challenge", challenge],
            ],
            created_at: Math.floor(Date.now() / 1000),
          },
          keypair,
        ),
    })
    const live: string[] = []
    const refused: [string, string][] = []
    set.subscribe(FILTERS, {
      onEvent: () => undefined,
      onLive: (url) => live.push(url),
      onRefused: (url, reason) => refused.push([url, reason]),
    })
    await vi.waitFor(() => expect(live).toEqual([open_.url]))
    await vi.waitFor(() => expect(refused).toEqual([[closed.url, "restricted: members"]]))
    expect(open_.authenticated).toEqual([[keypair.pubkey]])
  })

  it("QUIRKS relays 8: looks after every socket when it is told to check", async () => {
    const one = relay("one")
    const set = setOf([one])
    const live = vi.fn()
    set.subscribe(FILTERS, { onEvent: () => undefined, onLive: live })
    await vi.waitFor(() => expect(live).toHaveBeenCalledTimes(1))
    one.dieSilently()
    set.checkNow()
    await vi.waitFor(() => expect(live).toHaveBeenCalledTimes(2))
  })
})
