import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { createConnection, createServer, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setImmediate as turn } from "node:timers/promises"
import type { Connection, Outcome } from "@casemate/nip46/signer"
import { afterEach, beforeEach, expect, it } from "vitest"
import { type FramedSocket, frame } from "../../channel/frames.js"
import { createLogger } from "../../config/log.js"
import { GatewayDoor } from "../door/gateway-door.js"
import { callOwner } from "./calls.js"
import type { OwnerPorts } from "./ports.js"

const IGNORED: Outcome = { kind: "ignored", why: "malformed" }
const ID = "c0ffee"

const cleanups: (() => unknown)[] = []
/** What happened, in order. */
let story: string[]
/** Ends a request that is under way, by what its event is. */
let end: Map<unknown, () => void>
let gateway: FramedSocket
let ports: OwnerPorts

/** A door with an engine whose requests end when they are told to, and a record of one connection. */
beforeEach(async () => {
  story = []
  end = new Map()
  const door = new GatewayDoor({
    engine: {
      handle: (event) =>
        new Promise((resolve) => {
          end.set(event, () => {
            story.push(`${String(event)} ended`)
            resolve(IGNORED)
          })
        }),
    },
    watches: async () => [],
    prove: async () => undefined,
    onServed: () => undefined,
    log: createLogger("test", "silent"),
  })
  let connection = { id: ID, state: "active", app: {}, grants: [], relays: [] } as unknown as Connection
  const record = {
    findConnection: async () => ({ kind: "found", connection }),
    userKeys: async () => [],
    async setState() {
      connection = { ...connection, state: "revoked" }
      story.push("recorded")
      return true
    },
  }
  ports = {
    record,
    door,
    engine: { nip04Dropped: () => 0 },
    waits: { served: () => undefined },
    now: () => 0,
  } as unknown as OwnerPorts

  const folder = mkdtempSync(join(tmpdir(), "casemate-revoke-"))
  const server = createServer((socket: Socket) => door.accept(socket)).listen(join(folder, "door"))
  await once(server, "listening")
  const socket = createConnection(join(folder, "door"))
  gateway = frame(socket, { onMessage: () => undefined, onClose: () => undefined })
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }))
  cleanups.push(() => server.close())
  cleanups.push(() => gateway.destroy())
})
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup()
})

async function underWay(...events: string[]): Promise<void> {
  for (const [n, event] of events.entries()) gateway.send({ t: "event", n, event })
  while (!events.every((event) => end.has(event))) await turn()
}

async function revoke(): Promise<void> {
  const { status } = (await callOwner("apps.revoke", { id: ID }, ports)) as { status: string }
  story.push(`told ${status}`)
}

it("the owner is told of a revocation when all that was under way has ended, in whatever order", async () => {
  await underWay("first", "second")
  const revoking = revoke()
  // Everything but the two requests ends within a turn.
  await turn()
  expect(story).toEqual(["recorded"])
  end.get("second")?.()
  await turn()
  expect(story).toEqual(["recorded", "second ended"])
  end.get("first")?.()
  await revoking
  expect(story).toEqual(["recorded", "second ended", "first ended", "told revoked"])
})

it("it does not wait for what came in after it was recorded", async () => {
  await underWay("before")
  const revoking = revoke()
  await turn()
  await underWay("after")
  end.get("before")?.()
  await revoking
  expect(story).toEqual(["recorded", "before ended", "told revoked"])
  end.get("after")?.()
})
