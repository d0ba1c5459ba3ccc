import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { createConnection, createServer, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setImmediate as turn } from "node:timers/promises"
import { Nip46Error } from "@casemate/nip46/protocol"
import type { Connection, Outcome } from "@casemate/nip46/signer"
import { afterEach, beforeEach, expect, it } from "vitest"
import { type FramedSocket, frame } from "../../channel/frames.js"
import { createLogger } from "../../config/log.js"
import { GatewayDoor } from "../door/gateway-door.js"
import { callOwner } from "./calls.js"
import type { OwnerPorts } from "./ports.js"

const IGNORED: Outcome = { kind: "ignored", why: "malformed" }
const ID = "c0ffee"
const KEY = { name: "mine", pubkey: "ab".repeat(32), sealed: new Uint8Array(), createdAt: 0 }

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
    call: async () => ({ ok: false, code: "unknown_call", message: "" }),
    onServed: () => undefined,
    log: createLogger("test", "silent"),
  })
  let connection = { id: ID, state: "active", app: {}, grants: [], relays: [] } as unknown as Connection
  const record = {
    findConnection: async () => ({ kind: "found", connection }),
    userKeys: async () => [KEY],
    async removeUserKey() {
      story.push("recorded")
      return { kind: "removed", revoked: [ID] }
    },
    async setState() {
      connection = { ...connection, state: "revoked" }
      story.push("recorded")
      return true
    },
  }
  ports = {
    record,
    door,
    engine: { nip04Dropped: () => 0, approvals: { stop: async () => [] } },
    vault: {
      userKey: async () => void story.push("key opened"),
      forget: (pubkey: string) => void story.push(pubkey === KEY.pubkey ? "key wiped" : "another key wiped"),
    },
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

it("a key that is removed is kept open for what was under way, and wiped before the owner is told", async () => {
  await underWay("first", "second")
  const removing = callOwner("keys.remove", { key: "mine" }, ports).then(() => story.push("told removed"))
  await turn()
  expect(story).toEqual(["key opened", "recorded"])
  end.get("first")?.()
  await turn()
  expect(story).toEqual(["key opened", "recorded", "first ended"])
  end.get("second")?.()
  await removing
  expect(story).toEqual(["key opened", "recorded", "first ended", "second ended", "key wiped", "told removed"])
})

it("a key that does not open can be removed; a record that does not answer is no such key", async () => {
  const withKey = (error: Error): OwnerPorts =>
    ({ ...ports, vault: { userKey: () => Promise.reject(error), forget: () => undefined } }) as unknown as OwnerPorts
  await callOwner("keys.remove", { key: "mine" }, withKey(new Nip46Error("INVALID_KEY", "it was altered")))
  expect(story).toEqual(["recorded"])
  const failed = new Nip46Error("RECORD_FAILED", "the record could not be read")
  await expect(callOwner("keys.remove", { key: "mine" }, withKey(failed))).rejects.toBe(failed)
  expect(story).toEqual(["recorded"])
})

/** An engine that makes a connection while somebody else takes its key away. */
function racing(): OwnerPorts {
  const connection = { id: "fresh", userPubkey: KEY.pubkey, relays: [], clientRelays: [], grants: [], app: {} }
  return {
    engine: {
      offer: async () => ({ token: "bunker://…", connection }),
      accept: async () => ({ kind: "accepted", connection, response: { event: {}, relays: [] } }),
    },
    door: {
      info: { relays: ["wss://relay.example.com"], http: "" },
      listen: async () => [],
      watch: () => story.push("watched"),
    },
    responses: { send: () => story.push("answered") },
    record: {
      userKeys: async () => [KEY],
      userKey: async () => undefined,
      setState: async (id: string, state: string) => void story.push(`${id} ${state}`),
    },
    now: () => 0,
  } as unknown as OwnerPorts
}

it.each([
  ["connections.offer", { ttl: 600 }],
  [
    "connections.accept",
    { uri: `nostrconnect://${"12".repeat(32)}?relay=wss%3A%2F%2Frelay.example.com&secret=abcdef` },
  ],
])("what %s makes for a key that is removed meanwhile is revoked, and nobody gets it", async (call, args) => {
  await expect(callOwner(call, args, racing())).rejects.toThrow("this key was removed meanwhile")
  expect(story).toEqual(["fresh revoked"])
})
