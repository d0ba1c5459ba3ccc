import { mkdtempSync, rmSync } from "node:fs"
import type { Server } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { NostrEvent } from "@casemate/nip46/protocol"
import type { Outcome } from "@casemate/nip46/signer"
import { afterEach, beforeEach, expect, it } from "vitest"
import { EVENT_CREDIT } from "../src/channel/gateway-channel.js"
import { GATEWAY_SOCKET, listenOn } from "../src/channel/sockets.js"
import { createLogger } from "../src/config/log.js"
import { KeydLink } from "../src/gateway/keyd-link.js"
import { GatewayDoor } from "../src/keyd/door/gateway-door.js"
import { until } from "./support/bunker.js"

/** The two ends of the pipe over a real socket, with an engine and a relay that do as they are told. */

const log = createLogger("test", "silent")
const home = process.cwd()
let folder: string
let server: Server | undefined
let link: KeydLink | undefined
/** What a relay was given, by content. */
let published: string[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "casemate-pipe-"))
  process.chdir(folder)
  published = []
})

afterEach(() => {
  link?.close()
  server?.close()
  process.chdir(home)
  rmSync(folder, { recursive: true, force: true })
})

const eventOf = (content: string): NostrEvent => ({
  id: content.padStart(64, "0"),
  pubkey: "a".repeat(64),
  created_at: 1,
  kind: 24133,
  tags: [["p", "b".repeat(64)]],
  content,
  sig: "c".repeat(128),
})

const answered = (event: NostrEvent): Outcome => ({
  kind: "answered",
  answer: { event: eventOf(`answer ${event.content}`), relays: ["wss://relay.example"], connectionId: "one" },
})

async function openKeyd(handle: (event: NostrEvent) => Promise<Outcome>): Promise<GatewayDoor> {
  const door = new GatewayDoor({
    engine: { handle: (event) => handle(event as NostrEvent) },
    watches: async () => [],
    prove: async () => undefined,
    call: async () => ({ ok: false, code: "unknown_call", message: "" }),
    onServed: () => undefined,
    log,
  })
  server = await listenOn(GATEWAY_SOCKET, (socket) => door.accept(socket))
  return door
}

function openGateway(publish: (event: NostrEvent) => Promise<boolean> = async () => true): KeydLink {
  const opened = new KeydLink({
    hello: { relays: ["wss://relay.example"], http: "http://localhost:4646" },
    onWatches: () => undefined,
    onWatch: () => undefined,
    onUnwatch: () => undefined,
    onListen: async () => [],
    onNotice: async () => undefined,
    onAnswer: async (event) => {
      const isOut = await publish(event)
      if (isOut) published.push(event.content)
      return isOut
    },
    log,
  })
  opened.open()
  link = opened
  return opened
}

function endKeyd(door: GatewayDoor): void {
  door.close()
  server?.close()
}

it("carries an event in and its answer out, whichever end is up first", async () => {
  openGateway().forward(eventOf("early"), [])
  const door = await openKeyd(async (event) => answered(event))
  await until(() => published.length === 1)
  link?.forward(eventOf("late"), [])
  await until(() => published.length === 2)
  expect(published).toEqual(["answer early", "answer late"])
  expect(door.info).toEqual({ relays: ["wss://relay.example"], http: "http://localhost:4646" })
})

it("gives keyd no more events at a time than it has credit for, and all of them in the end", async () => {
  const gates: (() => void)[] = []
  let most = 0
  await openKeyd(async (event) => {
    await new Promise<void>((resolve) => gates.push(resolve))
    return answered(event)
  })
  const gateway = openGateway()
  const count = 2 * EVENT_CREDIT + 7
  for (let n = 0; n < count; n++) gateway.forward(eventOf(`event ${n}`), [])
  while (published.length < count) {
    most = Math.max(most, gates.length)
    gates.shift()?.()
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(most).toBe(EVENT_CREDIT)
  expect(new Set(published).size).toBe(count)
})

it("sends again to a new keyd what the old one had not finished", async () => {
  const seen: string[] = []
  const first = await openKeyd(async (event) => {
    seen.push(event.content)
    return new Promise(() => undefined)
  })
  openGateway().forward(eventOf("unfinished"), [])
  await until(() => seen.length === 1)
  endKeyd(first)
  await openKeyd(async (event) => answered(event))
  await until(() => published.length === 1)
  expect(published).toEqual(["answer unfinished"])
})

it("publishes once what a keyd that came back says again, and what was not out before", async () => {
  const answer = (content: string) => ({ event: eventOf(content), relays: [], connectionId: "one" })
  const first = await openKeyd(async (event) => answered(event))
  openGateway()
  await until(() => first.info !== undefined)
  first.publish(answer("out"))
  await until(() => published.length === 1)
  endKeyd(first)

  const second = await openKeyd(async (event) => answered(event))
  await until(() => second.info !== undefined)
  second.publish(answer("out"), true)
  second.publish(answer("not yet"), true)
  await until(() => published.length === 2)
  // Asked for anew, as a client's repeat does, it goes out again.
  second.publish(answer("out"))
  await until(() => published.length === 3)
  expect(published).toEqual(["out", "not yet", "out"])
})

it("keeps an answer for the next gateway until one has it out", async () => {
  const door = await openKeyd(async (event) => answered(event))
  let asked = 0
  openGateway(() => {
    asked++
    return new Promise(() => undefined)
  }).forward(eventOf("kept"), [])
  await until(() => asked === 1)
  link?.close()
  openGateway()
  await until(() => published.length === 1)
  expect(published).toEqual(["answer kept"])
  await door.drain()
})

it("a fault of the engine ends that request alone", async () => {
  await openKeyd(async (event) => {
    if (event.content === "bad") throw new Error("a fault")
    return answered(event)
  })
  const gateway = openGateway()
  for (const content of ["bad", "good"]) gateway.forward(eventOf(content), [])
  await until(() => published.length === 1)
  await gateway.drain()
  expect(published).toEqual(["answer good"])
})
