import type { Event } from "nostr-tools/pure"
import { afterAll, beforeAll, expect, it } from "vitest"
import { type Bunker, type Folders, makeFolders, startBunker, until } from "./support/bunker.js"
import { type NaiveRelay, startNaiveRelay } from "./support/naive-relay.js"
import { callOwner } from "./support/owner.js"
import { RawClient } from "./support/raw-client.js"
import { readAudit, select, verifyAudit } from "./support/record.js"

const REQUESTS = 10
/** More than a client may ask at once: copies must not use up its share. */
const COPIES = 6_000
/** One answer comes over two relays, and the second sends it three times. */
const DELIVERIES = 4

let folders: Folders
let bunker: Bunker
let client: RawClient
let storing: NaiveRelay
let plain: NaiveRelay

beforeAll(async () => {
  folders = makeFolders()
  // The one keeps what it gets and sends it again at every REQ; the other sends everything three times.
  storing = await startNaiveRelay({ stores: true })
  plain = await startNaiveRelay({ copies: 3 })
  bunker = await start()
  client = new RawClient(bunker.ready.bunker)
})

afterAll(async () => {
  client.close()
  await bunker.killAll()
  await storing.close()
  await plain.close()
  folders.remove()
})

function start(): Promise<Bunker> {
  return startBunker(folders, ["--http", "localhost:0", "--relay", storing.url, "--relay", plain.url])
}

/** Requests that had an effect. */
function executions(): string[] {
  return readAudit(folders)
    .filter(({ action, verdict }) => action === "sign_event" && verdict === "allow")
    .map(({ event_id }) => event_id ?? "")
}

function replay(events: readonly Event[]): void {
  for (const relay of [storing, plain]) for (const event of events) relay.inject(client.remoteSigner, event)
}

/** Whatever was sent before it has been taken by keyd when this is answered: the pipe keeps the order. */
async function settle(): Promise<void> {
  expect((await client.request("ping", [])).result).toBe("pong")
}

/** Every answer that ever came for a request says the same. */
function expectOneOutcome(contents: readonly string[]): void {
  for (const content of contents) {
    const replies = client.replies.get(content) ?? []
    expect(replies.length).toBeGreaterThan(0)
    expect(new Set(replies.map(({ result }) => result))).toEqual(new Set([expect.any(String)]))
    expect(new Set(replies.map(({ result }) => JSON.parse(result ?? "null").sig)).size).toBe(1)
  }
}

it("QUIRKS relays 1, QUIRKS relays 9, invariant 2: events that come again have no second effect, over two relays, restarts and a crash", {
  timeout: 90_000,
}, async () => {
  const contents = Array.from({ length: REQUESTS }, (_, n) => `note ${n}`)
  expect(await client.connect({ id: "connect" })).toEqual({ result: "ack" })
  for (const content of contents) await client.sign(content, { id: content, retryMs: 60_000 })
  const genuine = [...client.sent.values()].map(({ event }) => event)
  const captured = genuine.slice()
  expect(captured.length).toBeGreaterThanOrEqual(REQUESTS + 1)
  const signed = new Set(executions())
  expect(signed.size).toBe(REQUESTS)
  expect(executions()).toHaveLength(REQUESTS)

  // At once: copies of other relays.
  replay(captured)
  await settle()
  expect(executions()).toHaveLength(REQUESTS)

  // Later: somebody asks for the answer again, and gets the one that was recorded.
  const before = client.deliveriesOf("note 1")
  await until(
    () => {
      replay(captured)
      return client.deliveriesOf("note 1") >= before + DELIVERIES
    },
    { everyMs: 250, what: "a recorded answer" },
  )
  await settle()
  expect(executions()).toHaveLength(REQUESTS)
  expectOneOutcome(contents)

  for (const end of ["a stop", "a crash"] as const) {
    if (end === "a stop") expect(await bunker.stop()).toBe(0)
    else await bunker.killAll()
    const deliveries = contents.map((content) => client.deliveriesOf(content))
    bunker = await start()
    // The storing relay sends all of it by itself.
    await until(() => contents.every((content, n) => client.deliveriesOf(content) > (deliveries[n] ?? 0)), {
      what: `the answers after ${end}`,
    })
    replay(captured)
    await settle()
    expect(executions()).toHaveLength(REQUESTS)
    expectOneOutcome(contents)
  }
  expect(new Set(executions())).toEqual(signed)
  const redeemed = readAudit(folders).filter(({ why }) => why === "the token's secret")
  expect(redeemed).toHaveLength(1)
})

it("answers a captured event once in a while, however often somebody sends it", { timeout: 60_000 }, async () => {
  expect((await client.sign("copied", { id: "copied", retryMs: 60_000 })).result).toContain("copied")
  const event = [...client.sent.values()].find(({ requestId }) => requestId === "copied")?.event as Event
  const first = client.deliveriesOf("copied")
  // Once it is older than another relay's copy would be, it is answered again.
  await until(
    () => {
      plain.inject(client.remoteSigner, event)
      return client.deliveriesOf("copied") > first + DELIVERIES
    },
    { everyMs: 250, what: "a recorded answer" },
  )
  const answered = client.deliveriesOf("copied")
  for (let n = 0; n < COPIES; n++) plain.inject(client.remoteSigner, event)
  expect((await client.sign("after the copies", { retryMs: 60_000 })).result).toContain("after the copies")
  await settle()
  expect(client.deliveriesOf("copied") - answered).toBeLessThan(20 * DELIVERIES)
  expect(executions()).toHaveLength(REQUESTS + 2)
})

it("does not send what it recorded after a revocation", { timeout: 60_000 }, async () => {
  const [app] = (await callOwner(folders, "apps.list", {})).filter(({ clientPubkey }) => clientPubkey === client.pubkey)
  await callOwner(folders, "apps.revoke", { id: app?.id ?? "" })
  const results = (): number => [...client.replies.values()].flat().filter(({ result }) => result !== undefined).length
  const before = results()
  const genuine = [...client.sent.values()].map(({ event }) => event)
  const restart = async (): Promise<void> => {
    expect(await bunker.stop()).toBe(0)
    bunker = await start()
  }
  for (const again of [async () => undefined, restart]) {
    await again()
    replay(genuine)
    expect((await client.request("ping", [])).error).toMatch(/revoked/)
  }
  expect(results()).toBe(before)
  expect(await bunker.stop()).toBe(0)
  expect(await verifyAudit(folders)).toMatchObject({ ok: true })
  const claims = select<{ n: number }>(folders, "SELECT count(*) AS n FROM claim WHERE answered_at IS NULL")
  expect(claims).toEqual([{ n: 0 }])
})
