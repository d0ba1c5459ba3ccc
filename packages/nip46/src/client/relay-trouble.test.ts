import { afterEach, describe, expect, it, vi } from "vitest"
import { checkLeaks } from "../../test/support/leaks.js"
import { type Asked, type ScriptedSigner, scriptedSigner } from "../../test/support/scripted-signer.js"
import { createNodeBackend } from "../crypto/node/index.js"
import { parseNostrconnectToken } from "../protocol/index.js"
import { FaultRelay, type FaultRelayOptions } from "../testing/index.js"
import { RelaySet, type RelaySetOptions, type TransportFactory } from "../transport/index.js"
import { type ConnectOptions, RemoteSigner, type Warning } from "./index.js"

/** QUIRKS, "Relays", as a client meets them, and the client's goals when relays are gone. */
const crypto = createNodeBackend()
const TIMING = {
  connectTimeoutMs: 2_000,
  answerPatienceMs: 150,
  checkTimeoutMs: 150,
  backoffBaseMs: 20,
  minDialIntervalMs: 50,
}

const open: { close(): void }[] = []
const relays: FaultRelay[] = []

checkLeaks(() => relays.splice(0).reduce((sum, { sockets }) => sum + sockets, 0))
afterEach(() => {
  for (const each of open.splice(0).reverse()) each.close()
})

function relay(name: string, options: FaultRelayOptions = {}): FaultRelay {
  const added = new FaultRelay({ url: `wss://${name}.test`, verifyEvent: crypto.verifyEvent, ...options })
  relays.push(added)
  open.push(added)
  return added
}

const openTransport: TransportFactory = (urls, options) => openWith(urls, options)

const openWith = (urls: readonly string[], options: Partial<RelaySetOptions>): RelaySet =>
  new RelaySet({
    ...options,
    relays: urls,
    timing: TIMING,
    webSocket: (url) => {
      const dialled = relays.find((each) => each.url === url)
      if (dialled === undefined) throw new Error("there is no such host")
      return dialled.webSocket(url)
    },
  })

/** A signer that listens on these relays. */
function signerAt(...at: FaultRelay[]): ScriptedSigner {
  const signer = scriptedSigner(
    openTransport,
    at.map(({ url }) => url),
  )
  open.push(signer)
  return signer
}

async function connect(token: string, options: ConnectOptions = {}): Promise<RemoteSigner> {
  const remote = await RemoteSigner.connect(token, { openTransport, ...options })
  open.push(remote)
  return remote
}

const tokenOf = (signer: ScriptedSigner, ...urls: string[]): string =>
  `bunker://${signer.pubkey}?${urls.map((url) => `relay=${url}`).join("&")}`

async function firstSignature(token: string): Promise<number> {
  const start = performance.now()
  const remote = await connect(token)
  await remote.signEvent({ kind: 1, content: "first" })
  return performance.now() - start
}

describe("relays that are gone", () => {
  it.each([["refuses"], ["hangs"], ["is silent"]])(
    "one of two %s: no slower than with one alone plus 1 s",
    async (how) => {
      const [good, bad] = [relay("good"), relay("bad")]
      const signer = signerAt(good)
      if (how === "refuses") bad.stop()
      if (how === "hangs") bad.faults.hangDials = true
      if (how === "is silent") Object.assign(bad.faults, { noOk: true, noEose: true, lieOk: true })
      const alone = await firstSignature(tokenOf(signer, good.url))
      const both = await firstSignature(tokenOf(signer, bad.url, good.url))
      expect(both - alone).toBeLessThan(1_000)
    },
  )

  it("all of them: one error, with each relay's reason, within the deadline", async () => {
    const [stopped, refusing, hanging] = [relay("stopped"), relay("refusing"), relay("hanging")]
    const signer = signerAt(relay("elsewhere"))
    stopped.stop()
    refusing.faults.refuse = "blocked: not here"
    hanging.faults.hangDials = true
    const token = tokenOf(signer, stopped.url, refusing.url, hanging.url, "wss://nowhere.test")
    const failed = connect(token, { timing: { relayMs: 400, requestMs: 5_000 } })
    await expect(failed).rejects.toMatchObject({
      code: "RELAYS_UNREACHABLE",
      details: {
        relays: {
          [stopped.url]: expect.stringContaining("socket") as string,
          [refusing.url]: "blocked: not here",
          [hanging.url]: "not connected",
          "wss://nowhere.test": "cannot dial: there is no such host",
        },
      },
    })
    await expect(failed).rejects.toThrow("blocked: not here")
    const pairing = RemoteSigner.pair({ openTransport, relays: [stopped.url, hanging.url], timing: { relayMs: 300 } })
    await expect(pairing).rejects.toMatchObject({
      code: "RELAYS_UNREACHABLE",
      details: { relays: { [stopped.url]: expect.stringContaining("socket") as string, [hanging.url]: "no answer" } },
    })
  })

  it("QUIRKS relays 2, QUIRKS client 7: one that comes back is asked again for what was lost, by the same id in a fresh event", async () => {
    const only = relay("only")
    const signer = signerAt(only)
    let ahead = 0
    const remote = await connect(signer.token(), { now: () => Date.now() + ahead })
    signer.on("ping", () => undefined)
    const ping = remote.ping()
    await vi.waitFor(() => expect(signer.asked.at(-1)?.method).toBe("ping"))
    const first = signer.asked.at(-1)
    only.stop()
    ahead = 90_000
    signer.on("ping", ({ answer }) => answer({ result: "pong" }))
    only.start()
    await ping
    const second = signer.asked.filter(({ method }) => method === "ping").at(-1)
    expect(second?.id).toBe(first?.id)
    expect(second?.event.id).not.toBe(first?.event.id)
    // As old as it was, relays and signers would refuse it.
    expect((second?.event.created_at ?? 0) - (first?.event.created_at ?? 0)).toBeGreaterThanOrEqual(90)
  }, 20_000)

  it("one that is lost for longer than relays are waited for does not fail what it had taken", async () => {
    const only = relay("only")
    const signer = signerAt(only)
    const remote = await connect(signer.token(), { timing: { relayMs: 300 } })
    signer.on("ping", () => undefined)
    const ping = remote.ping()
    await vi.waitFor(() => expect(signer.asked.at(-1)?.method).toBe("ping"))
    // It comes back, takes nothing in the time there is, and only then is well.
    only.closeAll()
    only.faults.refuse = "error: starting"
    await new Promise((resolve) => setTimeout(resolve, 400))
    only.beHonest()
    signer.on("ping", ({ answer }) => answer({ result: "pong" }))
    only.closeAll()
    await ping
  }, 20_000)

  it("while it is away a request waits, and is served once it is back", async () => {
    const only = relay("only")
    const signer = signerAt(only)
    const remote = await connect(signer.token())
    only.stop()
    const ping = remote.ping()
    setTimeout(() => only.start(), 200)
    await ping
  }, 20_000)
})

describe("relays that are late", () => {
  it.each([
    ["a moment later", 0],
    ["long after", 0.5],
  ])(
    "one whose subscription was refused at first and served %s: the answer that nobody heard is asked for again",
    async (_when, wait) => {
      const busy = relay("busy", { faults: { rateLimitedSubscriptions: 1 } })
      const elsewhere = relay("elsewhere")
      const signer = scriptedSigner(openTransport, [elsewhere.url])
      open.push(signer)
      // The signer answers at once, at the very relay that does not have us yet.
      const bridge = openTransport([elsewhere.url], {})
      open.push(bridge)
      bridge.subscribe([{ kinds: [24133] }], { onEvent: (event) => busy.publish(event) })
      const carried = new Set<string>()
      const carry = setInterval(() => {
        for (const event of busy.events) if (!carried.has(event.id)) void bridge.publish(event)
        for (const event of busy.events) carried.add(event.id)
      }, 5)
      open.push({ close: () => clearInterval(carry) })
      await vi.waitFor(() => expect(elsewhere.of("REQ")).toHaveLength(2))
      const remote = await connect(tokenOf(signer, busy.url), {
        openTransport: (urls, options) => openWith(urls, { ...options, random: () => wait }),
        timing: { requestMs: 8_000 },
      })
      await remote.ping()
    },
    20_000,
  )

  it("one that is first reached when the others have been given up is asked then", async () => {
    const [near, far] = [relay("near"), relay("far")]
    far.stop()
    const signer = signerAt(far)
    const connecting = connect(tokenOf(signer, near.url, far.url), { timing: { relayMs: 200 } })
    await vi.waitFor(() => expect(near.events.length).toBeGreaterThan(0))
    setTimeout(() => far.start(), 500)
    await (await connecting).ping()
  }, 20_000)

  it("a signer that comes late to the relays it named is asked there again", async () => {
    const [old, next] = [relay("old"), relay("next")]
    const signer = signerAt(old)
    const remote = await connect(signer.token())
    signer.on("switch_relays", ({ answer }) => answer({ result: [next.url] }))
    expect(await remote.switchRelays()).toEqual([next.url])
    const ping = remote.ping()
    await vi.waitFor(() => expect(next.events.length).toBeGreaterThan(0))
    signer.listenAt(next.url)
    await ping
  }, 20_000)
})

describe("deadlines that are shorter than relays are waited for", () => {
  it("all relays dead: each relay's reason all the same", async () => {
    const only = relay("only")
    const signer = signerAt(only)
    const remote = await connect(signer.token())
    only.stop()
    await expect(remote.ping({ timeoutMs: 300 })).rejects.toMatchObject({
      code: "RELAYS_UNREACHABLE",
      details: { relays: { [only.url]: expect.stringContaining("socket") as string } },
    })
  })

  it("a relay that takes events and serves nobody: that is what the error says", async () => {
    const shut = relay("shut", { faults: { refuseSubscriptions: "restricted: members only" } })
    const signer = signerAt(relay("elsewhere"))
    const failed = connect(tokenOf(signer, shut.url), { timing: { requestMs: 400 } })
    await expect(failed).rejects.toThrow("no relay lets this app hear the answer to connect")
    await expect(failed).rejects.toMatchObject({ details: { relays: { [shut.url]: "restricted: members only" } } })
  })
})

describe("a pairing, over sockets", () => {
  it.each([["closed"], ["aborted"], ["too late"]])("that is %s leaves none", async (how) => {
    const only = relay("only")
    const controller = new AbortController()
    const pairing = await RemoteSigner.pair({
      relays: [only.url],
      openTransport,
      signal: controller.signal,
      timing: { pairingMs: how === "too late" ? 30 : 60_000 },
    })
    expect(only.sockets).toBe(1)
    const waiting = pairing.connected()
    if (how === "closed") pairing.close()
    if (how === "aborted") controller.abort()
    await expect(waiting).rejects.toMatchObject({ code: how === "too late" ? "TIMEOUT" : "CLOSED" })
    await vi.waitFor(() => expect(only.sockets).toBe(0))
  })

  it("that brought a signer is not ended by its signal any more", async () => {
    const only = relay("only")
    const signer = signerAt(only)
    const controller = new AbortController()
    const pairing = await RemoteSigner.pair({ relays: [only.url], openTransport, signal: controller.signal })
    const { clientPubkey, secret } = parseNostrconnectToken(pairing.uri)
    await signer.say(clientPubkey, JSON.stringify({ id: "1", result: secret }))
    const remote = await pairing.connected()
    open.push(remote)
    controller.abort()
    await remote.ping()
  })
})

describe("relays that misbehave", () => {
  it("QUIRKS relays 2: an OK that never comes, with a delivery: the answer counts", async () => {
    const quiet = relay("quiet", { faults: { noOk: true } })
    const signer = signerAt(quiet)
    const remote = await connect(signer.token(), { timing: { relayMs: 200 } })
    await remote.signEvent({ kind: 1, content: "x" })
  })

  it("QUIRKS relays 2: an OK and no delivery: the deadline says that a relay took it", async () => {
    const liar = relay("liar")
    const signer = signerAt(liar)
    const remote = await connect(signer.token())
    liar.faults.lieOk = true
    await expect(remote.ping({ timeoutMs: 100 })).rejects.toMatchObject({ code: "TIMEOUT" })
    await expect(remote.ping({ timeoutMs: 100 })).rejects.toThrow("did not answer ping")
  })

  it.each([["early"], ["late"], ["prefixed"]] as const)(
    "QUIRKS relays 3: auth-required, %s: one AUTH with the client's key",
    async (when) => {
      const strict = relay("strict", { faults: { authRequired: when } })
      const plain = relay("plain")
      // The signer's side has its own key, and keyd's proof; here it meets the client elsewhere.
      const signer = scriptedSigner(openTransport, [plain.url])
      open.push(signer)
      const bridge = new RelaySet({ relays: [plain.url], timing: TIMING, webSocket: plain.webSocket })
      open.push(bridge)
      // What the client says at the strict relay is carried over, and the answers back.
      const carried = new Set<string>()
      const carry = setInterval(() => {
        for (const event of strict.events) {
          if (carried.has(event.id) || event.kind !== 24133 || strict.authenticated.length === 0) continue
          carried.add(event.id)
          void bridge.publish(event)
        }
      }, 5)
      open.push({ close: () => clearInterval(carry) })
      bridge.subscribe([{ kinds: [24133] }], { onEvent: (event) => strict.publish(event) })
      const remote = await connect(tokenOf(signer, strict.url))
      await remote.ping()
      expect(strict.authenticated).toEqual([[remote.clientPubkey]])
      expect(strict.of("AUTH")).toHaveLength(1)
    },
  )

  it("QUIRKS relays 4: rate-limited: it waits and tries again", async () => {
    const busy = relay("busy")
    const signer = signerAt(busy)
    const remote = await connect(signer.token())
    busy.faults.rateLimitedEvents = 1
    await remote.ping()
  })

  it("QUIRKS relays 9: duplicates, reordering, delays and lost answers: each request has its own answer", async () => {
    const rough = relay("rough", { faults: { duplicates: 2, reorder: 0.5, reorderMs: 20, delayMs: 3 } })
    const smooth = relay("smooth")
    const signer = signerAt(rough, smooth)
    signer.on("nip44_encrypt", ({ answer, params }) => answer({ result: params[1] }))
    const remote = await connect(signer.token())
    rough.faults.dropEvents = 0.3
    const texts = Array.from({ length: 30 }, (_, n) => `text ${n}`)
    expect(await Promise.all(texts.map((text) => remote.nip44Encrypt("a".repeat(64), text)))).toEqual(texts)
  })

  it("QUIRKS relays 5: one that ignores tag filters, full of strangers' events: they are passed over", async () => {
    const lax = relay("lax", { faults: { ignoreTagFilters: true } })
    const signer = signerAt(lax)
    const others = Array.from({ length: 5 }, () => signerAt(lax))
    const remote = await connect(signer.token())
    for (const other of others) {
      await other.say(signer.pubkey, JSON.stringify({ id: "x", result: "pong" }))
      await other.say(remote.clientPubkey, JSON.stringify({ id: "x", result: "pong" }))
    }
    await remote.ping()
  })

  it("QUIRKS relays 5: an answer counts by its kind, its p tag and its author, whatever a relay hands over", async () => {
    const lax = relay("lax", { faults: { ignoreTagFilters: true } })
    const signer = signerAt(lax)
    const remote = await connect(signer.token())
    signer.on("ping", () => undefined)
    let isOver = false
    const ping = remote.ping({ timeoutMs: 5_000 }).then(() => {
      isOver = true
    })
    await vi.waitFor(() => expect(signer.asked.at(-1)?.method).toBe("ping"))
    const { id, client } = signer.asked.at(-1) as Asked
    const content = signer.seal(client, JSON.stringify({ id, result: "pong" }))
    const genuine = { kind: 24133, content, tags: [["p", client]], created_at: Math.floor(Date.now() / 1000) }
    const wrong = [
      signer.sign({ ...genuine, kind: 24134 }),
      signer.sign({ ...genuine, tags: [["p", signer.pubkey]] }),
      signer.sign({ ...genuine, tags: [] }),
      signer.user.sign(genuine),
    ]
    for (const event of wrong) lax.inject(event)
    // They came before this answer did.
    signer.on("nip44_encrypt", ({ answer }) => answer({ result: "sealed" }))
    await remote.nip44Encrypt(signer.pubkey, "x")
    expect(isOver).toBe(false)
    lax.inject(signer.sign(genuine))
    await ping
  })

  it("QUIRKS relays 1: one that stores ephemeral events and plays them again: old answers answer nothing new", async () => {
    const storing = relay("storing", { faults: { storeEphemerals: 300, replayIgnoresTime: true } })
    const signer = signerAt(storing)
    const remote = await connect(signer.token())
    await remote.ping()
    const { session } = remote
    remote.close()
    const restored = RemoteSigner.restore(session, { openTransport })
    open.push(restored)
    signer.on("ping", () => undefined)
    await expect(restored.ping({ timeoutMs: 100 })).rejects.toMatchObject({ code: "TIMEOUT" })
  })

  it("QUIRKS client 7: one that refuses this moment's events is told to the app as a clock that is wrong", async () => {
    const late = relay("late")
    const signer = signerAt(late)
    const warnings: Warning[] = []
    const remote = await connect(signer.token(), { onWarning: (warning) => warnings.push(warning) })
    late.faults.maxFutureSeconds = -60
    await expect(remote.ping()).rejects.toMatchObject({ code: "RELAYS_UNREACHABLE" })
    expect(warnings).toContainEqual({
      kind: "clock",
      of: "relay",
      relay: late.url,
      reason: "invalid: created_at is in the future",
    })
  })
})
