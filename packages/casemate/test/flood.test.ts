import { once } from "node:events"
import { type Event, verifyEvent } from "nostr-tools/pure"
import { afterEach, expect, it } from "vitest"
import { WebSocket } from "ws"
import { type Bunker, type Folders, makeFolders, pidOf, processesOf, startBunker, until } from "./support/bunker.js"
import { createMalformed, type Malformed, type MalformedMaker } from "./support/malformed.js"
import { type NaiveRelay, startNaiveRelay } from "./support/naive-relay.js"
import { LINUX, titled } from "./support/needs.js"
import { callOwner } from "./support/owner.js"
import { proportionalMemory } from "./support/proc.js"
import { createRandom } from "./support/random.js"
import { RawClient } from "./support/raw-client.js"

/** Past a relay that checks nothing, so that keyd gets all of them; and at our own. */
const OVER_NAIVE_RELAY = 6_500
const OVER_OWN_RELAY = 3_500
const SOCKETS = 7
const HONEST_LATENCY_MS = 20_000
/** What waits may take, and what it costs to parse it. */
const STANDSTILL_MB = 200

const cleanups: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function setUp(
  relay?: NaiveRelay,
): Promise<{ folders: Folders; bunker: Bunker; honest: RawClient; maker: MalformedMaker }> {
  const folders = makeFolders()
  cleanups.push(() => folders.remove())
  const bunker = await startBunker(folders, [
    "--http",
    "localhost:0",
    ...(relay === undefined ? [] : ["--relay", relay.url]),
  ])
  cleanups.push(() => bunker.killAll())
  const honest = new RawClient(bunker.ready.bunker)
  cleanups.push(() => honest.close())
  expect(await honest.connect()).toEqual({ result: "ack" })
  const genuine = []
  for (let n = 0; n < 10; n++) {
    await honest.sign(`before ${n}`)
    genuine.push([...honest.sent.values()].at(-1)?.event)
  }
  const random = createRandom()
  console.info(`malformed events of CASEMATE_TEST_SEED=${random.seed}`)
  const { uri } = await callOwner(folders, "connections.offer", { ttl: 600 })
  const maker = createMalformed({ random, honest, token: uri, genuine: genuine.filter((event) => event !== undefined) })
  return { folders, bunker, honest, maker }
}

/** Among every hundred of them is an honest request, asked once: none may be lost. */
async function flood(
  count: number,
  { maker, honest, send }: { maker: MalformedMaker; honest: RawClient; send: (malformed: Malformed) => void },
): Promise<{ sent: number; latencies: number[] }> {
  const signings: Promise<number>[] = []
  let sent = 0
  for (; sent < count; sent++) {
    send(maker.next())
    if (sent % 100 === 50) signings.push(signOnce(honest, `honest ${sent}`))
    if (sent % 50 === 49) await new Promise((resolve) => setImmediate(resolve))
  }
  return { sent, latencies: await Promise.all(signings) }
}

async function signOnce(honest: RawClient, content: string): Promise<number> {
  const sentAt = Date.now()
  const { result, error } = await honest.sign(content, { retryMs: 120_000, deadlineMs: HONEST_LATENCY_MS })
  const took = Date.now() - sentAt
  expect(error).toBeUndefined()
  const event = JSON.parse(result ?? "null")
  expect(event).toMatchObject({ content })
  expect(verifyEvent(event)).toBe(true)
  return took
}

function tell(what: string, latencies: readonly number[], pids: readonly number[]): void {
  if (process.env["CASEMATE_TEST_FIGURES"] === undefined) return
  const sorted = latencies.toSorted((a, b) => a - b)
  const memory = LINUX.isHere ? pids.map((pid) => Math.round(proportionalMemory(pid))) : []
  console.info(what, { honest: sorted.length, median: sorted[sorted.length >> 1], worst: sorted.at(-1), memory })
}

it(`serves an honest client through ${OVER_NAIVE_RELAY} malformed and forged events from a relay that checks nothing`, {
  timeout: 90_000,
}, async () => {
  const relay = await startNaiveRelay()
  cleanups.push(() => relay.close())
  const { folders, bunker, honest, maker } = await setUp(relay)
  const before = LINUX.isHere ? processesOf(bunker.process) : []
  const ignoredBefore = await ignored(folders)

  const send = (malformed: Malformed): void => {
    if ("text" in malformed) relay.injectRaw(honest.remoteSigner, malformed.text)
    else relay.inject(honest.remoteSigner, malformed.event)
  }
  const { sent, latencies } = await flood(OVER_NAIVE_RELAY, { maker, honest, send })
  expect(latencies).toHaveLength(OVER_NAIVE_RELAY / 100)
  expect(sent).toBe(OVER_NAIVE_RELAY)
  // Half of the kinds have the shape of an event of ours; their signature, or what it covers, is forged.
  const forged = (await ignored(folders))("forged") - ignoredBefore("forged")
  expect(forged).toBeGreaterThan(OVER_NAIVE_RELAY / 4)
  expect((await ignored(folders))("undecryptable")).toBeGreaterThan(0)
  expect((await ignored(folders))("garbage")).toBeGreaterThan(0)
  expect((await ignored(folders))("strangers_limit")).toBeGreaterThan(0)
  if (LINUX.isHere) expect(processesOf(bunker.process)).toEqual(before)
  tell("naive relay", latencies, before)

  // A message that no relay should send costs it its socket, and nothing else.
  relay.injectRaw(honest.remoteSigner, JSON.stringify(["NOTICE", "x".repeat(2_000_000)]))
  expect((await honest.sign("after the bomb", { retryMs: 500 })).result).toContain("after the bomb")
  if (LINUX.isHere) expect(processesOf(bunker.process)).toEqual(before)
  expect(await bunker.stop()).toBe(0)
})

it(`serves an honest client through ${OVER_OWN_RELAY} of them at the built-in relay`, { timeout: 90_000 }, async () => {
  const { bunker, honest, maker } = await setUp()
  const before = LINUX.isHere ? processesOf(bunker.process) : []
  const sockets = await Promise.all(
    Array.from({ length: SOCKETS }, async () => {
      const socket = new WebSocket(bunker.ready.relays[0] as string)
      cleanups.push(() => socket.terminate())
      await once(socket, "open")
      return socket
    }),
  )
  let replies = 0
  let accepted = 0
  for (const socket of sockets) {
    socket.on("message", (data) => {
      replies += 1
      if (/^\["OK","[0-9a-f]{64}",true/.test((data as Buffer).toString("utf8"))) accepted += 1
    })
  }
  let turn = 0
  const send = (malformed: Malformed): void => {
    const socket = sockets[turn++ % sockets.length] as WebSocket
    socket.send("text" in malformed ? malformed.text : JSON.stringify(["EVENT", malformed.event]))
  }
  const { sent, latencies } = await flood(OVER_OWN_RELAY, { maker, honest, send })
  // Every message gets its word: OK, NOTICE or CLOSED.
  await until(() => replies >= OVER_OWN_RELAY, { what: "an answer to every message" })
  expect(latencies).toHaveLength(OVER_OWN_RELAY / 100)
  expect(sent).toBe(OVER_OWN_RELAY)
  // Strangers' and the client's own: signed by those who sent them.
  expect(accepted).toBeLessThan((OVER_OWN_RELAY / maker.kinds.length) * 3.5)
  if (LINUX.isHere) expect(processesOf(bunker.process)).toEqual(before)
  tell("own relay", latencies, before)

  // One socket beyond all measure is closed, and only that one.
  const [greedy, modest] = sockets as [WebSocket, WebSocket]
  const closed = once(greedy, "close", { signal: AbortSignal.timeout(20_000) })
  for (let n = 0; n < 4_000; n++) greedy.send("[]")
  expect(await closed).toMatchObject([1008, expect.anything()])
  expect(modest.readyState).toBe(WebSocket.OPEN)
  expect((await honest.sign("after the flood", { retryMs: 120_000 })).result).toContain("after the flood")
  if (LINUX.isHere) expect(processesOf(bunker.process)).toEqual(before)
  expect(await bunker.stop()).toBe(0)
})

const standstill = "keeps no more than its share for a keyd that stands still"
it.skipIf(!LINUX.isHere)(titled(standstill, LINUX), { timeout: 60_000 }, async () => {
  const relay = await startNaiveRelay()
  cleanups.push(() => relay.close())
  const { bunker, honest } = await setUp(relay)
  const [keyd, gateway] = [pidOf(bunker.process, "keyd") as number, pidOf(bunker.process, "gateway") as number]
  const before = proportionalMemory(gateway)
  process.kill(keyd, "SIGSTOP")
  const old = [...honest.sent.values()].at(-1)?.event as Event
  const tags = [["p", honest.remoteSigner], ...Array.from({ length: 900 }, () => ["e", "a".repeat(60)])]
  // Just below the largest event, beyond it, and within it but for what no event has.
  for (const event of [
    { ...old, tags },
    { ...old, tags: [...tags, ...tags] },
    { ...old, comment: "x".repeat(100_000) },
  ]) {
    for (let n = 0; n < 2_000; n++) {
      relay.inject(honest.remoteSigner, event)
      if (n % 50 === 49) await new Promise((resolve) => setImmediate(resolve))
    }
  }
  const seen = relay.received.length
  const answer = honest.sign("while keyd stands still", { retryMs: 1_000, deadlineMs: 40_000 })
  await until(() => relay.received.length > seen && relay.backlog() === 0)
  const grown = proportionalMemory(gateway) - before
  process.kill(keyd, "SIGCONT")
  expect((await answer).result).toContain("while keyd stands still")
  if (process.env["CASEMATE_TEST_FIGURES"] !== undefined) console.info("standstill", { grown: Math.round(grown) })
  expect(grown).toBeLessThan(STANDSTILL_MB)
  expect(pidOf(bunker.process, "gateway")).toBe(gateway)
  expect(await bunker.stop()).toBe(0)
})

it("is 10,000 of them in all", () => {
  expect(OVER_NAIVE_RELAY + OVER_OWN_RELAY).toBe(10_000)
})

async function ignored(folders: Folders): Promise<(why: string) => number> {
  const status = await callOwner(folders, "status", {})
  return (why) => status.ignored[why] ?? 0
}
