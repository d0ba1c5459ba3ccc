import { verifyEvent } from "nostr-tools/pure"
import { expect, it } from "vitest"
import {
  isAlive,
  kill,
  type Launch,
  launchBunker,
  makeFolders,
  pidOf,
  processesNaming,
  startBunker,
  until,
} from "./support/bunker.js"
import { LINUX, titled } from "./support/needs.js"
import { callOwner, insistOwner } from "./support/owner.js"
import { createRandom, type Random } from "./support/random.js"
import { RawClient, type Reply, template } from "./support/raw-client.js"
import { readAudit, select, verifyAudit } from "./support/record.js"

const KILLS = 50
const APPS = 3
const REQUESTS_AT_ONCE = 2
const DOOMED = 5
/** Some kills come before the last one was recovered from. */
const EARLY_PERCENT = 25

type Target = "keyd" | "gateway" | "all"

const title = "invariants 2, 3, 5 and 6 hold through kill -9 of keyd, the gateway and all of it, 50 times"

it.skipIf(!LINUX.isHere)(titled(title, LINUX), { timeout: 240_000 }, async () => {
  const random = createRandom()
  try {
    await run(random)
  } catch (error) {
    throw new Error(`with CASEMATE_TEST_SEED=${random.seed}`, { cause: error })
  }
})

async function run(random: Random): Promise<void> {
  const folders = makeFolders()
  const first = await startBunker(folders)
  const userPubkey = first.ready.userPubkey
  const args = ["--http", `localhost:${new URL(first.ready.http).port}`]
  let bunker: Launch = { ...first, ready: Promise.resolve(first.ready), exited: Promise.resolve(null) }
  const clients: RawClient[] = []
  const open = (token: string): RawClient => {
    const client = new RawClient(token)
    clients.push(client)
    return client
  }
  const tasks: Promise<void>[] = []
  let running = true
  let failure: unknown
  const task = (work: Promise<void>): void => {
    tasks.push(
      work.catch((error: unknown) => {
        failure ??= error
        running = false
      }),
    )
  }

  try {
    // The load: every request has a content of its own, and is asked until it is answered.
    let answered = 0
    let lastContent = 0
    const requests: { client: RawClient; id: string; content: string }[] = []
    const signSteadily = async (client: RawClient): Promise<void> => {
      while (running) {
        const content = `note ${++lastContent}`
        const id = `${client.pubkey.slice(0, 8)}-${lastContent}`
        requests.push({ client, id, content })
        expectSigned(await client.sign(content, { id, deadlineMs: 45_000 }), content, userPubkey)
        answered += 1
      }
    }
    for (let n = 0; n < APPS; n++) {
      const client = open((await insistOwner(folders, "connections.offer", { ttl: 3_600 })).uri)
      expect(await client.connect()).toEqual({ result: "ack" })
      for (let m = 0; m < REQUESTS_AT_ONCE; m++) task(signSteadily(client))
    }

    // The owner: what keyd acknowledged must stay, what it did not may or may not be there.
    const acknowledged = { keys: new Map<string, string>(), offers: new Set<string>(), revoked: new Set<string>() }
    let lastKey = 0
    const changeSteadily = async (): Promise<void> => {
      while (running) {
        const mark = answered
        try {
          const key = await callOwner(folders, "keys.generate", { name: `key-${++lastKey}` })
          acknowledged.keys.set(key.name, key.pubkey)
          const { id } = await callOwner(folders, "connections.offer", { ttl: 3_600 })
          acknowledged.offers.add(id)
          if (lastKey % 2 === 0) {
            await callOwner(folders, "apps.revoke", { id })
            acknowledged.revoked.add(id)
          }
        } catch {
          // It was killed in between: nothing was acknowledged.
        }
        await until(() => !running || answered >= mark + 4, { deadlineMs: 45_000, what: "the load going on" })
      }
    }
    task(changeSteadily())

    // Apps that get revoked on the way.
    const doomed: { id: string; client: RawClient }[] = []
    for (let n = 0; n < DOOMED; n++) {
      const { id, uri } = await insistOwner(folders, "connections.offer", { ttl: 3_600 })
      const client = open(uri)
      expect(await client.connect()).toEqual({ result: "ack" })
      expectSigned(await client.sign(`doomed ${n}`), `doomed ${n}`, userPubkey)
      doomed.push({ id, client })
    }
    const revoke = async ({ id, client }: (typeof doomed)[number]): Promise<void> => {
      await insistOwner(folders, "apps.revoke", { id })
      acknowledged.revoked.add(id)
      expect((await client.sign("after the revocation", { deadlineMs: 45_000 })).error).toMatch(/revoked/)
    }

    // Two apps with one secret, across the kill: one of them gets it.
    const races: { id: string; racers: RawClient[] }[] = []
    const race = async (id: string, uri: string): Promise<void> => {
      const racers = [open(uri), open(uri)]
      races.push({ id, racers })
      const replies = await Promise.all(racers.map((racer) => racer.connect({ deadlineMs: 45_000 })))
      expect(replies.filter(({ result }) => result === "ack")).toHaveLength(1)
      expect(replies.filter(({ error }) => /already used/.test(error ?? ""))).toHaveLength(1)
      for (const racer of racers) racer.close()
    }

    const targets = shuffled(
      Array.from({ length: KILLS }, (_, n) => (["keyd", "gateway", "all"] as const)[n % 3] as Target),
      random,
    )
    const recovery: Record<Target, number[]> = { keyd: [], gateway: [], all: [] }
    for (const [n, target] of targets.entries()) {
      const mark = answered + random.integer(15)
      if (random.integer(100) >= EARLY_PERCENT) {
        await until(() => !running || answered > mark, { deadlineMs: 45_000, what: "requests after the last kill" })
        const { id, uri } = await insistOwner(folders, "connections.offer", { ttl: 3_600 })
        task(race(id, uri))
        const victim = n % 9 === 8 ? doomed.shift() : undefined
        if (victim !== undefined) task(revoke(victim))
      }
      if (!running) break
      await pause(random.integer(60))
      const killedAt = Date.now()
      if (target === "all") {
        await bunker.killAll()
        await until(() => processesNaming(folders.data).length === 0, { deadlineMs: 2_000, what: "the end of orphans" })
        bunker = launchBunker(folders, args)
      } else {
        await until(() => pidOf(bunker.process, target) !== undefined, { what: `a ${target} process to kill` })
        const pid = pidOf(bunker.process, target) as number
        kill(pid)
        await until(() => !isAlive(pid))
      }
      const before = answered
      task(
        until(() => !running || answered > before, { deadlineMs: 45_000, what: `an answer after kill ${n}` }).then(
          () => void recovery[target].push(Date.now() - killedAt),
        ),
      )
    }
    const settled = answered + 10
    await until(() => !running || answered >= settled, { deadlineMs: 45_000, what: "requests after the last kill" })
    running = false
    await Promise.all(tasks)
    if (failure !== undefined) throw failure

    // What was acknowledged is there.
    const keys = new Map((await callOwner(folders, "keys.list", {})).map(({ name, pubkey }) => [name, pubkey]))
    for (const [name, pubkey] of acknowledged.keys) expect([name, keys.get(name)]).toEqual([name, pubkey])
    const apps = new Map((await callOwner(folders, "apps.list", {})).map((app) => [app.id, app]))
    for (const id of acknowledged.offers) expect(apps.get(id)).toBeDefined()
    for (const id of acknowledged.revoked) expect(apps.get(id)).toMatchObject({ id, status: "revoked" })
    for (const { id, racers } of races) {
      const winner = racers.find((racer) => [...racer.replies.values()].flat()[0]?.result === "ack")
      expect(apps.get(id)).toMatchObject({ status: "active", clientPubkey: winner?.pubkey })
    }
    expect(acknowledged.keys.size).toBeGreaterThan(10)
    expect(acknowledged.revoked.size).toBeGreaterThan(10)
    expect(races.length).toBeGreaterThan(20)

    // Copies that came later, after recoveries, all say the same.
    for (const { client, id, content } of requests) {
      for (const reply of client.replies.get(id) ?? []) expectSigned(reply, content, userPubkey, { verify: false })
    }

    expect(await bunker.stop()).toBe(0)
    await until(() => processesNaming(folders.data).length === 0, { deadlineMs: 2_000, what: "the end of all" })

    // Nothing was executed twice: one row for each request, whatever the number of its events.
    const requestOf = new Map<string, string>()
    for (const client of clients) {
      for (const [eventId, { requestId }] of client.sent) requestOf.set(eventId, `${client.pubkey} ${requestId}`)
    }
    const audit = readAudit(folders)
    const executions = audit.filter(({ action, verdict }) => action === "sign_event" && verdict === "allow")
    const executed = executions.map(({ event_id }) => requestOf.get(event_id ?? ""))
    expect(executed).not.toContain(undefined)
    expect(new Set(executed).size).toBe(executed.length)
    expect(executed).toHaveLength(requests.length + DOOMED)
    for (const { client, id } of requests) expect(executed).toContain(`${client.pubkey} ${id}`)
    const claims = select<{ event_id: string }>(folders, "SELECT event_id FROM claim")
    expect(new Set(claims.map(({ event_id }) => event_id)).size).toBe(claims.length)
    const claimed = new Set(claims.map(({ event_id }) => event_id))
    for (const { event_id } of executions) expect(claimed.has(event_id ?? "")).toBe(true)

    const redeemed = audit.filter(({ action, why }) => action === "connect" && why === "the token's secret")
    expect(new Set(redeemed.map(({ connection_id }) => connection_id)).size).toBe(redeemed.length)
    for (const { seq, connection_id } of audit.filter(({ action }) => action === "owner.revoke")) {
      const later = audit.filter((row) => row.connection_id === connection_id && row.seq > seq)
      expect(later.filter(({ actor, verdict }) => actor !== "owner" && verdict === "allow")).toEqual([])
    }
    expect(await verifyAudit(folders)).toMatchObject({ ok: true, head: { seq: audit.length } })

    if (process.env["CASEMATE_TEST_FIGURES"] !== undefined) {
      const retries = clients.reduce((sum, client) => sum + client.retries, 0)
      const deliveries = clients.reduce((sum, client) => sum + client.deliveries, 0)
      console.info({ seed: random.seed, requests: requests.length, retries, deliveries, audit: audit.length })
      console.info({ keys: acknowledged.keys.size, revoked: acknowledged.revoked.size, races: races.length })
      for (const target of ["keyd", "gateway", "all"] as const) console.info(target, figures(recovery[target]))
    }
  } finally {
    running = false
    for (const client of clients) client.close()
    await Promise.allSettled(tasks)
    folders.remove()
  }
}

function expectSigned(reply: Reply, content: string, userPubkey: string, { verify = true } = {}): void {
  expect(reply.error).toBeUndefined()
  const event = JSON.parse(reply.result ?? "null")
  expect(event).toMatchObject({ ...JSON.parse(template(content)), pubkey: userPubkey })
  if (verify) expect(verifyEvent(event)).toBe(true)
}

function shuffled<T>(list: T[], random: Random): T[] {
  for (let n = list.length - 1; n > 0; n--) {
    const other = random.integer(n + 1)
    ;[list[n], list[other]] = [list[other] as T, list[n] as T]
  }
  return list
}

/** Where in the work the kill falls: chance, not synchronisation. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

function figures(times: readonly number[]): object {
  const sorted = times.toSorted((a, b) => a - b)
  return { kills: sorted.length, median: sorted[sorted.length >> 1], worst: sorted.at(-1) }
}
