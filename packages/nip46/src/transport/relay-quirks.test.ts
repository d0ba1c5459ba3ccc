import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { checkLeaks } from "../../test/support/leaks.js"
import { ALICE, BOB, CAROL, crypto, KEYS, proof, START, signed } from "../../test/support/raw-peer.js"
import type { NostrEvent } from "../protocol/event.js"
import { MAX_EVENT_BYTES } from "../protocol/limits.js"
import { FaultRelay, type FaultRelayOptions } from "../testing/fault-relay.js"
import type { RelayFaults } from "../testing/relay-faults.js"
import { seededRandom } from "../testing/seeded-random.js"
import { RelayConnection, type RelayConnectionOptions } from "./relay-connection.js"

/** What relays do, and what one connection makes of it. The numbers count the lines of "Relays" among the quirks. */

const ACCEPTED = { kind: "accepted", message: "" }
const FILTERS = [{ kinds: [24133], "#p": [BOB] }]
const closers: (() => void)[] = []
const relays: FaultRelay[] = []

checkLeaks(() => relays.splice(0).reduce((sum, { sockets }) => sum + sockets, 0))

beforeEach(() => {
  vi.useFakeTimers({ now: START * 1000 })
})

afterEach(() => {
  for (const close of closers.splice(0).reverse()) close()
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

function createRelay(faults: Partial<RelayFaults> = {}, options: FaultRelayOptions = {}): FaultRelay {
  const relay = new FaultRelay({ verifyEvent: (event) => crypto.verifyEvent(event), faults, ...options })
  relays.push(relay)
  closers.push(() => relay.close())
  return relay
}

interface Listener {
  connection: RelayConnection
  got: NostrEvent[]
  refusals: string[]
  /** Why connections were lost, in order. */
  reasons: string[]
  eoses(): number
}

/** A connection that listens for Bob, once what it says at the start has been answered. */
async function listen(relay: FaultRelay, options: Partial<RelayConnectionOptions> = {}): Promise<Listener> {
  const [got, refusals, reasons]: [NostrEvent[], string[], string[]] = [[], [], []]
  let eoses = 0
  const connection = new RelayConnection({
    url: relay.url,
    webSocket: relay.webSocket,
    random: () => 0.5,
    onState: (state) => state.kind === "waiting" && reasons.push(state.reason),
    ...options,
  })
  closers.push(() => connection.close())
  connection.subscribe(FILTERS, {
    onEvent: (event) => got.push(event),
    onEose: () => eoses++,
    onRefused: (message) => refusals.push(message),
  })
  await settled()
  return { connection, got, refusals, reasons, eoses: () => eoses }
}

async function settled(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0)
}

function contents(events: readonly NostrEvent[]): string[] {
  return events.map((event) => event.content)
}

/** As a caller dedupes; the id was computed when the signature was verified. */
function distinct(events: readonly NostrEvent[]): NostrEvent[] {
  return [...new Map(events.filter((event) => crypto.verifyEvent(event)).map((event) => [event.id, event])).values()]
}

/** Milliseconds between the messages of this label. */
function gaps(relay: FaultRelay, label: string): number[] {
  const times = relay.received.filter(({ message }) => message[0] === label).map(({ at }) => at)
  return times.slice(1).map((at, i) => at - times[i]!)
}

describe("QUIRKS relays 1: kind 24133 is ephemeral, yet some relays store and replay it", () => {
  test("what came during an outage is had from a relay that stores, by the overlap of `since`", async () => {
    const relay = createRelay({ storeEphemerals: 300 })
    const { got } = await listen(relay)
    relay.publish(signed({ content: "before" }))
    await settled()
    relay.closeAll()
    await settled()
    await vi.advanceTimersByTimeAsync(100)
    // By a clock that is five minutes slow, which a signer still tolerates.
    relay.publish(signed({ content: "during", created_at: START - 300 }))
    await vi.advanceTimersByTimeAsync(5_000)
    expect(relay.of("REQ").at(-1)![1]).toMatchObject({ since: START - 600 })
    expect(contents(distinct(got)).toSorted()).toEqual(["before", "during"])
    // It was replayed as well, and only the caller's dedupe tells.
    expect(contents(got).filter((content) => content === "before")).toHaveLength(2)
  })

  test("others drop what arrives while nobody listens: it is gone, and what follows is had", async () => {
    const relay = createRelay()
    const { got } = await listen(relay)
    relay.closeAll()
    await settled()
    relay.publish(signed({ content: "during" }))
    await vi.advanceTimersByTimeAsync(5_000)
    relay.publish(signed({ content: "after" }))
    await settled()
    expect(contents(got)).toEqual(["after"])
  })

  test("a replay that ignores `since` is handed over like any event", async () => {
    const relay = createRelay({ storeEphemerals: 300, replayIgnoresTime: true })
    relay.publish(signed({ content: "old", created_at: START - 5_000 }))
    const { got, connection } = await listen(relay)
    connection.subscribe([{ ...FILTERS[0], since: START }], { onEvent: (event) => got.push(event) })
    await settled()
    expect(contents(got)).toEqual(["old", "old"])
  })
})

describe("QUIRKS relays 2: an OK can come long before delivery, or never", () => {
  test("long before delivery: it says that the relay took the event, and the event comes when it comes", async () => {
    const { connection, got } = await listen(createRelay({ delayEventsMs: 8_000 }))
    expect(await connection.publish(signed())).toEqual(ACCEPTED)
    await vi.advanceTimersByTimeAsync(7_999)
    expect(got).toEqual([])
    await vi.advanceTimersByTimeAsync(1)
    expect(got).toHaveLength(1)
  })

  test("OK for an event that goes nowhere is no more than that", async () => {
    const { connection, got } = await listen(createRelay({ lieOk: true }))
    expect(await connection.publish(signed())).toEqual(ACCEPTED)
    await vi.advanceTimersByTimeAsync(20_000)
    expect(got).toEqual([])
  })

  test("never, though the relay lives: the publish fails in time, and the connection stays", async () => {
    const relay = createRelay({ noOk: true })
    const { connection, got, reasons } = await listen(relay)
    const result = connection.publish(signed())
    await vi.advanceTimersByTimeAsync(10_000)
    expect(await result).toEqual({ kind: "failed", reason: "no OK" })
    await vi.advanceTimersByTimeAsync(60_000)
    expect([got.length, reasons, relay.dials]).toEqual([1, [], 1])
  })

  test.each([true, false])(
    "no OK and no EOSE within a few seconds: reconnect and send again (ping frames: %s)",
    async (pingFrames) => {
      const relay = createRelay({}, { pingFrames })
      const { connection, eoses, reasons } = await listen(relay)
      // It answers pings as before.
      Object.assign(relay.faults, { noOk: true, noEose: true, lieOk: true })
      const event = signed()
      const result = connection.publish(event, { timeoutMs: 30_000 })
      await vi.advanceTimersByTimeAsync(9_999)
      expect(reasons).toEqual([])
      relay.beHonest()
      await vi.advanceTimersByTimeAsync(5_000)
      expect(reasons).toEqual(["no answer to a probe"])
      expect(await result).toEqual(ACCEPTED)
      expect([relay.events, relay.dials, eoses()]).toEqual([[event, event], 2, 2])
    },
  )

  test.each([true, false])("no EOSE for a new REQ: reconnect and ask again (ping frames: %s)", async (pingFrames) => {
    const relay = createRelay({ noEose: true }, { pingFrames })
    const { eoses } = await listen(relay)
    await vi.advanceTimersByTimeAsync(9_999)
    relay.beHonest()
    await vi.advanceTimersByTimeAsync(2_000)
    expect([eoses(), relay.dials]).toEqual([1, 2])
  })
})

describe("QUIRKS relays 3: auth-required", () => {
  const asBob = async (challenge: string, url: string) => proof(challenge, url, KEYS[1])

  test.each([
    ["with the challenge before it", "early"],
    ["with the challenge only after it", "late"],
    ["with a prefix", "prefixed"],
  ] as const)("%s: on REQ and on EVENT", async (_, authRequired) => {
    const relay = createRelay({ authRequired })
    let asked = 0
    const { connection, got, eoses, refusals } = await listen(relay, {
      authenticate: (challenge, url) => {
        asked += 1
        return asBob(challenge, url)
      },
    })
    expect([eoses(), relay.authenticated]).toEqual([1, [[BOB]]])
    const event = signed({}, KEYS[1])
    expect(await connection.publish(event)).toEqual(ACCEPTED)
    await settled()
    expect([got, asked, refusals]).toEqual([[event], 1, []])
    expect(relay.of("REQ")).toHaveLength(2)

    // A publish that comes first is refused, proven and sent again as well.
    relay.closeAll()
    const other = new RelayConnection({ url: relay.url, webSocket: relay.webSocket, authenticate: asBob })
    closers.push(() => other.close())
    const result = other.publish(event)
    await settled()
    expect(await result).toEqual(ACCEPTED)
    expect(relay.events).toEqual([event, event, event])
  })

  test("after a reconnect: proven anew, for the challenge of the new connection", async () => {
    const relay = createRelay({ authRequired: "late" })
    const { eoses } = await listen(relay, { authenticate: asBob })
    relay.closeAll()
    await vi.advanceTimersByTimeAsync(5_000)
    const challenges = relay
      .of("AUTH")
      .map(([event]) => (event as NostrEvent).tags.find(([name]) => name === "challenge")?.[1])
    expect([eoses(), new Set(challenges).size, challenges.length]).toEqual([2, 2, 2])
  })

  test.each([
    ["another's proof", async (challenge: string, url: string) => proof(challenge, url, KEYS[2]), {}],
    ["a proof that the relay refuses", asBob, { refuseAuth: "restricted: not you" }],
  ])("%s: the refusal stands and is told once", async (_, authenticate, faults) => {
    const relay = createRelay({ authRequired: "late", ...faults })
    const { connection, refusals, eoses } = await listen(relay, { authenticate })
    const refused = { kind: "refused", message: "auth-required: prove that you are who this concerns" }
    expect(await connection.publish(signed({}, KEYS[1]))).toEqual(refused)
    await vi.advanceTimersByTimeAsync(20_000)
    expect([refusals, eoses(), relay.of("AUTH").length]).toEqual([[refused.message], 0, 1])
  })
})

describe("QUIRKS relays 4: `rate-limited:` backs off with jitter, `duplicate:` is success", () => {
  test.each([
    [0.1, [600, 700, 900]],
    [0.5, [1_000, 1_500, 2_500]],
  ])("EVENT and REQ are sent again ever later, and not at once with everyone (%d)", async (draw, expected) => {
    const relay = createRelay({ rateLimitedEvents: 3, rateLimitedSubscriptions: 3 })
    const { connection, eoses, reasons } = await listen(relay, { random: () => draw })
    const result = connection.publish(signed())
    await vi.advanceTimersByTimeAsync(6_000)
    expect(await result).toEqual(ACCEPTED)
    expect([gaps(relay, "EVENT"), gaps(relay, "REQ"), eoses(), reasons]).toEqual([expected, expected, 1, []])
  })

  test.each([true, false])("`duplicate:` with OK false: %s", async (refuseDuplicates) => {
    const { connection } = await listen(createRelay({ refuseDuplicates, storeEphemerals: 60 }))
    const event = signed()
    await connection.publish(event)
    expect(await connection.publish(event)).toEqual({ kind: "accepted", message: "duplicate: have this event" })
  })
})

test("QUIRKS relays 5: some ignore tag filters on live events: they are handed over, and the caller tells them apart", async () => {
  const relay = createRelay({ ignoreTagFilters: true })
  const { got, reasons } = await listen(relay)
  const [mine, others] = [signed({ content: "mine" }), signed({ content: "others'", tags: [["p", CAROL]] })]
  relay.publish(others)
  relay.publish(mine)
  relay.inject(signed({ kind: 1, content: "no one's" }))
  await settled()
  expect(contents(got)).toEqual(["others'", "mine", "no one's"])
  const wanted = got.filter((event) => event.kind === 24133 && event.tags.some(([t, p]) => t === "p" && p === BOB))
  expect([wanted, reasons]).toEqual([[mine], []])
})

describe("QUIRKS relays 6: events over 64 KiB are refused by common relays", () => {
  const sealed = (bytes: number) => crypto.nip44Encrypt("x".repeat(bytes), crypto.conversationKey(KEYS[0]!, BOB))

  test("a plaintext of 40,960 bytes goes through, both ways", async () => {
    const { connection, got } = await listen(createRelay({ maxEventBytes: MAX_EVENT_BYTES }))
    const event = signed({ content: sealed(40_960) })
    expect(await connection.publish(event)).toEqual(ACCEPTED)
    await settled()
    expect(got).toEqual([event])
  })

  test("one more byte does not: refused at once, in the relay's words, and not sent again", async () => {
    const relay = createRelay({ maxEventBytes: MAX_EVENT_BYTES })
    const { connection } = await listen(relay)
    const event = signed({ content: sealed(40_961) })
    expect(await connection.publish(event)).toEqual({ kind: "refused", message: "invalid: the event is too large" })
    await vi.advanceTimersByTimeAsync(20_000)
    expect(relay.events).toHaveLength(1)
  })
})

describe("QUIRKS relays 7: events older than 60 s or from the future can be refused", () => {
  test.each([
    [-61, "invalid: created_at is too old"],
    [61, "invalid: created_at is in the future"],
  ])("created_at %i s off: refused at once and not sent again; a fresh one is taken", async (offset, message) => {
    const relay = createRelay({ maxAgeSeconds: 60, maxFutureSeconds: 60 })
    const { connection, got } = await listen(relay)
    expect(await connection.publish(signed({ created_at: START + offset }))).toEqual({ kind: "refused", message })
    const fresh = signed()
    expect(await connection.publish(fresh)).toEqual(ACCEPTED)
    await vi.advanceTimersByTimeAsync(20_000)
    expect([got, relay.events.length]).toEqual([[fresh], 2])
  })

  test("an event that grew old while the relay was away ends as refused, not in silence", async () => {
    const relay = createRelay({ maxAgeSeconds: 60 })
    const { connection } = await listen(relay)
    relay.stop()
    const result = connection.publish(signed(), { timeoutMs: 120_000 })
    await vi.advanceTimersByTimeAsync(70_000)
    relay.start()
    await vi.advanceTimersByTimeAsync(10_000)
    expect(await result).toEqual({ kind: "refused", message: "invalid: created_at is too old" })
  })
})

describe("QUIRKS relays 8: sockets die silently", () => {
  test.each([true, false])("30 s without a sign of life is dead (ping frames: %s)", async (pingFrames) => {
    const relay = createRelay({}, { pingFrames })
    const { got, reasons, eoses } = await listen(relay)
    // An hour of quiet is no death.
    await vi.advanceTimersByTimeAsync(3_600_000)
    expect([reasons, relay.dials]).toEqual([[], 1])
    relay.dieSilently()
    await vi.advanceTimersByTimeAsync(31_000)
    expect([reasons, relay.dials, eoses()]).toEqual([["silent"], 2, 2])
    relay.publish(signed({ created_at: START + 3_600 }))
    await settled()
    expect(got).toHaveLength(1)
  })

  test("on wake it is checked at once: 5 s instead of 30", async () => {
    const relay = createRelay()
    const { connection, reasons } = await listen(relay)
    relay.dieSilently()
    connection.checkNow()
    await vi.advanceTimersByTimeAsync(5_000)
    expect(reasons).toEqual(["no answer to a probe"])
  })

  test("on wake a living socket stays", async () => {
    const relay = createRelay()
    const { connection, reasons } = await listen(relay)
    connection.checkNow()
    await vi.advanceTimersByTimeAsync(20_000)
    expect([reasons, relay.dials]).toEqual([[], 1])
  })

  test("a dial that hangs is given up, and the next one opens", async () => {
    const relay = createRelay({ hangDials: true })
    const { eoses, reasons } = await listen(relay)
    await vi.advanceTimersByTimeAsync(10_000)
    relay.faults.hangDials = false
    await vi.advanceTimersByTimeAsync(2_000)
    expect([reasons, eoses()]).toEqual([["no connection in time"], 1])
  })

  test("what was published into a dead socket is sent again over the next", async () => {
    const relay = createRelay()
    const { connection, got } = await listen(relay)
    relay.dieSilently()
    const result = connection.publish(signed(), { timeoutMs: 30_000 })
    await vi.advanceTimersByTimeAsync(15_000)
    expect(await result).toEqual(ACCEPTED)
    expect(got).toHaveLength(1)
  })
})

test("QUIRKS relays 9: events over several relays arrive several times, in any order, and none is missing", async () => {
  const faults = { duplicates: 0.5, reorder: 0.5, dropEvents: 0.1 }
  const relays = [1, 2, 3].map((seed) => createRelay(faults, { random: seededRandom(seed) }))
  const listeners: Listener[] = []
  for (const relay of relays) listeners.push(await listen(relay))
  const sent = Array.from({ length: 30 }, (_, i) => signed({ content: `${i}` }))
  for (const event of sent) {
    const results = await Promise.all(listeners.map(({ connection }) => connection.publish(event)))
    expect(results).toEqual([ACCEPTED, ACCEPTED, ACCEPTED])
  }
  await vi.advanceTimersByTimeAsync(1_000)
  const all = listeners.flatMap(({ got }) => got)
  expect(all.length).toBeGreaterThan(sent.length * 2)
  for (const { got } of listeners) expect(contents(got)).not.toEqual(contents(sent))
  expect(contents(distinct(all)).toSorted()).toEqual(contents(sent).toSorted())
})

test("garbage among the events does no harm to what follows it", async () => {
  const relay = createRelay()
  const { got, reasons } = await listen(relay)
  relay.injectGarbage()
  relay.publish(signed({}, KEYS[0]))
  await settled()
  expect([got.map((event) => event.pubkey), reasons]).toEqual([[ALICE], []])
})
