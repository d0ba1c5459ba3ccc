import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { checkLeaks } from "../../test/support/leaks.js"
import { type ScriptedSigner, scriptedSigner } from "../../test/support/scripted-signer.js"
import { MemoryRelays, type Transport, type TransportFactory } from "../transport/index.js"
import { type ConnectOptions, RemoteSigner, type Session, type Warning } from "./index.js"
import { readSwitch } from "./switch-relays.js"

const OLD = "wss://old.example"
const NEW = "wss://new.example"

checkLeaks()

let relays: MemoryRelays
let signer: ScriptedSigner
const open: { close(): void }[] = []
/** What the client has open, by its relays. */
let opened: Set<string>

beforeEach(() => {
  relays = new MemoryRelays()
  signer = scriptedSigner(relays.open, [OLD])
  opened = new Set()
  open.push(signer)
})
afterEach(() => {
  for (const each of open.splice(0)) each.close()
})

const openTransport: TransportFactory = (urls, options) => {
  const transport = relays.open(urls, options)
  const name = urls.join()
  opened.add(name)
  return {
    ...transport,
    close: () => {
      opened.delete(name)
      transport.close()
    },
  }
}

async function connect(options: ConnectOptions = {}): Promise<RemoteSigner> {
  const remote = await RemoteSigner.connect(signer.token(), { openTransport, ...options })
  open.push(remote)
  return remote
}

/** The signer, at the new relay as well. */
function listenAt(url: string): Transport {
  const transport = relays.open([url], {})
  open.push(transport)
  return transport
}

describe("readSwitch", () => {
  it.each([
    [null],
    ["null"],
    [""],
    ["ack"],
    ["[]"],
    [[]],
    [OLD],
    [[OLD]],
    [JSON.stringify([`${OLD}/`])],
    [[1, {}]],
    ["{}"],
    [["https://x.example"]],
    [["ws://plain.example"]],
    [undefined],
    [{}],
  ])("QUIRKS client 4: stays at %j (N46-SWITCH-4)", (answer) => {
    expect(readSwitch(answer, [OLD])).toBeUndefined()
  })

  it("QUIRKS client 4: stays at the same relays in another order", () => {
    expect(readSwitch([NEW, OLD], [OLD, NEW])).toBeUndefined()
  })

  it.each([
    [[NEW]],
    [JSON.stringify([NEW])],
    [[NEW, 1, "x"]],
    [["WSS://NEW.example:443/"]],
    [[NEW, "ws://plain.example"]],
  ])("QUIRKS client 4: moves at %j (N46-SWITCH-4)", (answer) => {
    expect(readSwitch(answer, [OLD])).toEqual([NEW])
  })

  it("goes to a plain relay only from a plain one", () => {
    expect(readSwitch(["ws://localhost:2"], ["ws://localhost:1"])).toEqual(["ws://localhost:2"])
  })
})

describe("switch_relays", () => {
  it("moves to the new relays right after connecting, and keeps that (N46-SWITCH-5)", async () => {
    const sessions: (Session | undefined)[] = []
    listenAt(NEW)
    const there = scriptedSigner(relays.open, [NEW])
    open.push(there)
    signer.on("switch_relays", ({ answer }) => answer({ result: JSON.stringify([NEW]) }))
    const remote = await connect({ onSession: (session) => sessions.push(session) })
    await vi.waitFor(() => expect(sessions.at(-1)?.relays).toEqual([NEW]))
    expect(remote.relays).toEqual([NEW])
    await vi.waitFor(() => expect([...opened]).toEqual([NEW]))
  })

  it("QUIRKS client 4: hears the old relays until what was asked over them is answered", async () => {
    signer.on("switch_relays", () => undefined)
    const remote = await connect()
    signer.on("ping", () => undefined)
    const ping = remote.ping()
    await vi.waitFor(() => expect(signer.asked.at(-1)?.method).toBe("ping"))
    const asked = signer.asked.at(-1)
    signer.on("switch_relays", ({ answer }) => answer({ result: [NEW] }))
    expect(await remote.switchRelays()).toEqual([NEW])
    expect([...opened].sort()).toEqual([NEW, OLD])
    await asked?.answer({ result: "pong" })
    await ping
    // The background request after connecting waits on; it ends with the object.
    remote.close()
    expect([...opened]).toEqual([])
  })

  it("QUIRKS client 5: what is asked while the signer leaves its old relays is asked again over the new ones", async () => {
    const lives: (() => void)[] = []
    const slow: TransportFactory = (urls, options) => {
      const transport = openTransport(urls, options)
      if (!urls.includes(NEW)) return transport
      return {
        ...transport,
        subscribe: (filters, handlers) =>
          transport.subscribe(filters, { ...handlers, onLive: (url) => lives.push(() => handlers.onLive?.(url)) }),
      }
    }
    signer.on("switch_relays", async ({ answer }) => {
      await answer({ result: [NEW] })
      signer.move([NEW])
    })
    const remote = await connect({ openTransport: slow })
    await vi.waitFor(() => expect(lives).toHaveLength(1))
    // It goes where nobody listens any more: the new relay is not live yet.
    const [ping, signed] = [remote.ping({ timeoutMs: 5_000 }), remote.signEvent({ kind: 1, content: "x" })]
    expect(signer.asked.map(({ method }) => method)).not.toContain("ping")
    for (const goLive of lives) goLive()
    await Promise.all([ping, signed])
    expect(remote.relays).toEqual([NEW])
    expect(signer.asked.filter(({ method }) => method === "ping")).toHaveLength(1)
  })

  it("QUIRKS client 5: what has shown its user a page is not asked again over new relays", async () => {
    signer.on("switch_relays", () => undefined)
    signer.on("ping", ({ answer }) => answer({ result: "auth_url", error: "https://signer.example/1" }))
    const shown = vi.fn()
    const remote = await connect({ onAuthUrl: shown })
    const ping = remote.ping()
    await vi.waitFor(() => expect(shown).toHaveBeenCalledTimes(1))
    const asked = signer.asked.find(({ method }) => method === "ping")
    const heard = vi.fn()
    listenAt(NEW).subscribe([{ kinds: [24133], "#p": [signer.pubkey] }], { onEvent: heard })
    signer.on("switch_relays", ({ answer }) => answer({ result: [NEW] }))
    await remote.switchRelays()
    await asked?.answer({ result: "pong" })
    await ping
    // Of the two requests that waited only the one without a page: the first switch_relays.
    expect(heard).toHaveBeenCalledTimes(1)
  })

  it("QUIRKS client 4: stays, and says so, when no new relay listens in time", async () => {
    const warnings: Warning[] = []
    const sessions: (Session | undefined)[] = []
    const dead: TransportFactory = (urls, options) => {
      const transport = openTransport(urls, options)
      if (!urls.includes(NEW)) return transport
      return { ...transport, subscribe: () => ({ id: "x", update: () => undefined, close: () => undefined }) }
    }
    signer.on("switch_relays", ({ answer }) => answer({ result: [NEW] }))
    const remote = await RemoteSigner.connect(signer.token(), {
      openTransport: dead,
      timing: { switchMs: 40 },
      onWarning: (warning) => warnings.push(warning),
      onSession: (session) => sessions.push(session),
    })
    open.push(remote)
    await vi.waitFor(() => expect(warnings).toEqual([{ kind: "switch_relays", relays: [NEW] }]))
    expect(remote.relays).toEqual([OLD])
    expect([...opened]).toEqual([OLD])
    expect(sessions.at(-1)?.relays).toEqual([OLD])
    await remote.ping()
  })

  it.each([["unsupported method"], [undefined]])(
    "QUIRKS client 4: a signer that answers %j is asked for nothing more",
    async (error) => {
      signer.on("switch_relays", ({ answer }) => (error === undefined ? undefined : answer({ error })))
      const remote = await connect()
      await vi.waitFor(() => expect(signer.asked.map(({ method }) => method)).toContain("switch_relays"))
      await remote.ping()
      expect(remote.relays).toEqual([OLD])
    },
  )

  it("a move ends with its caller's deadline and signal, and is not made afterwards", async () => {
    const never: TransportFactory = (urls, options) => {
      const transport = openTransport(urls, options)
      if (!urls.includes(NEW)) return transport
      return { ...transport, subscribe: () => ({ id: "x", update: () => undefined, close: () => undefined }) }
    }
    const remote = await RemoteSigner.connect(signer.token(), { openTransport: never })
    open.push(remote)
    signer.on("switch_relays", ({ answer }) => answer({ result: [NEW] }))
    await expect(remote.switchRelays({ timeoutMs: 60 })).rejects.toMatchObject({ code: "TIMEOUT" })
    const controller = new AbortController()
    const moving = remote.switchRelays({ signal: controller.signal })
    setTimeout(() => controller.abort(), 50)
    await expect(moving).rejects.toMatchObject({ code: "CLOSED" })
    expect(remote.relays).toEqual([OLD])
    await remote.ping()
  })

  it("ends in the middle of a move when it is closed", async () => {
    signer.on("switch_relays", ({ answer }) => answer({ result: [NEW] }))
    const remote = await connect()
    await vi.waitFor(() => expect(opened.has(NEW)).toBe(true))
    remote.close()
    expect([...opened]).toEqual([])
  })
})
