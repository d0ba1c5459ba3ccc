import { afterEach, expect, it } from "vitest"
import { WebSocket } from "ws"
import { type Bunker, type Folders, makeFolders, startBunker } from "./support/bunker.js"
import { startNaiveRelay } from "./support/naive-relay.js"
import { callOwner } from "./support/owner.js"
import { RawClient } from "./support/raw-client.js"

const cleanups: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

function folders(): Folders {
  const made = makeFolders()
  made.env["CASEMATE_LOG_LEVEL"] = "debug"
  cleanups.push(() => made.remove())
  return made
}

async function start(made: Folders, ...args: string[]): Promise<Bunker> {
  const bunker = await startBunker(made, args)
  cleanups.push(() => bunker.stop())
  return bunker
}

function client(token: string): RawClient {
  const opened = new RawClient(token)
  cleanups.push(() => opened.close())
  return opened
}

async function outsideRelay(): Promise<string> {
  const relay = await startNaiveRelay()
  cleanups.push(() => relay.close())
  return relay.url
}

const portOf = ({ ready }: Bunker): string => new URL(ready.http).port

const logged = (bunker: Bunker, message: string): Record<string, unknown>[] =>
  bunker
    .log()
    .split("\n")
    .filter((line) => line.includes(message))
    .map((line) => JSON.parse(line) as Record<string, unknown>)

/** The relays that the gateway has opened a socket to. */
const dialled = (bunker: Bunker): Set<unknown> => new Set(logged(bunker, '"state":').map(({ relay }) => relay))

it("apps that were paired over the built-in relay are served there after a start with --relay", async () => {
  const made = folders()
  const first = await start(made, "--http", "localhost:0")
  const port = portOf(first)
  const app = client(first.ready.bunker)
  expect(await app.connect()).toEqual({ result: "ack" })
  expect(await first.stop()).toBe(0)

  const outside = await outsideRelay()
  const second = await start(made, "--http", `localhost:${port}`, "--relay", outside)
  expect((await app.sign("over the built-in relay")).result).toContain("over the built-in relay")
  expect(second.ready.relays).toEqual([outside])
  expect((await callOwner(made, "connections.offer", { ttl: 60 })).relays).toEqual([outside])
  const fresh = client(second.ready.bunker)
  expect(await fresh.connect()).toEqual({ result: "ack" })
  expect(logged(second, "still serving the built-in relay")).toMatchObject([{ connections: 1 }])
  expect(dialled(second)).toEqual(new Set([outside]))
})

it("a start with --relay serves no relay of its own until a token names it, by whichever name", async () => {
  const made = folders()
  const outside = await outsideRelay()
  const bunker = await start(made, "--http", "localhost:0", "--relay", outside)
  const own = `ws://127.0.0.1:${portOf(bunker)}/relay`
  const status = await new Promise<number | undefined>((resolve) => {
    const socket = new WebSocket(own)
    socket.on("error", () => undefined)
    socket.on("unexpected-response", (request, response) => {
      request.destroy()
      resolve(response.statusCode)
    })
  })
  expect(status).toBe(404)
  const { uri } = await callOwner(made, "connections.offer", { ttl: 60, relays: [own] })
  const app = client(uri)
  expect(await app.connect()).toEqual({ result: "ack" })
  expect(dialled(bunker)).toEqual(new Set([outside]))
})
