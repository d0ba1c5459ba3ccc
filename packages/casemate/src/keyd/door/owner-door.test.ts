import { once } from "node:events"
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs"
import type { Server, Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Nip46Error } from "@casemate/nip46/protocol"
import { pino } from "pino"
import { afterEach, beforeEach, describe, expect, it, test } from "vitest"
import { OwnerCallError, type OwnerClient, openOwnerClient } from "../../channel/owner-client.js"
import { connectTo, listenOn, OWNER_SOCKET } from "../../channel/sockets.js"
import { UserError } from "../../config/user-error.js"
import { callOwner } from "../owner/calls.js"
import type { OwnerPorts } from "../owner/ports.js"
import { acceptOwner } from "./owner-door.js"

const home = process.cwd()
const logged: string[] = []
const log = pino({ level: "trace" }, { write: (line: string) => void logged.push(line) })
let folder: string
let server: Server | undefined
let clients: OwnerClient[]
let answer: (call: string, args: unknown) => Promise<unknown>
let accepted: Socket[]

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "casemate-owner-"))
  process.chdir(folder)
  logged.length = 0
  clients = []
  accepted = []
  server = await listenOn(OWNER_SOCKET, (socket) => {
    accepted.push(socket)
    acceptOwner(socket, { call: (call, args) => answer(call, args), log })
  })
})
afterEach(() => {
  for (const client of clients) client.close()
  for (const socket of accepted) socket.destroy()
  server?.close()
  process.chdir(home)
  rmSync(folder, { recursive: true, force: true })
})

async function open(): Promise<OwnerClient> {
  const client = await openOwnerClient()
  clients.push(client)
  return client
}

/** Speaks to the door without the client's manners; resolves with what came back once it hangs up. */
async function sayRaw(text: string | Buffer): Promise<string> {
  const socket = await connectTo(OWNER_SOCKET)
  socket.on("error", () => {})
  let back = ""
  socket.on("data", (chunk) => {
    back += chunk.toString()
  })
  socket.write(text)
  await new Promise((resolve) => socket.once("close", resolve))
  return back
}

describe("the owner's door", () => {
  it("is 0600 from its first moment, and takes the place of one that a crash left", async () => {
    expect(statSync(OWNER_SOCKET).mode & 0o777).toBe(0o600)
    server?.close()
    writeFileSync(OWNER_SOCKET, "")
    server = await listenOn(OWNER_SOCKET, () => undefined)
    expect(statSync(OWNER_SOCKET).isSocket()).toBe(true)
    expect(statSync(OWNER_SOCKET).mode & 0o777).toBe(0o600)
  })

  it("answers each call with its own result, whatever the order", async () => {
    const waiting = new Map<string, (value: unknown) => void>()
    answer = (_, args) => new Promise((resolve) => waiting.set((args as { id: string }).id, resolve))
    const client = await open()
    const calls = ["aaaa", "bbbb"].map((id) => client.call("apps.show", { id }))
    while (waiting.size < 2) await once(accepted[0] as Socket, "data")
    waiting.get("bbbb")?.({ id: "second" })
    waiting.get("aaaa")?.({ id: "first" })
    expect(await Promise.all(calls)).toMatchObject([{ id: "first" }, { id: "second" }])
  })

  it("passes on a sentence that is meant for the owner", async () => {
    answer = async (call) => {
      throw call === "status" ? new UserError("mend this") : new Nip46Error("INVALID_PERMISSION", "mend that")
    }
    const client = await open()
    await expect(client.call("status", {})).rejects.toThrow(new OwnerCallError("mend this"))
    await expect(client.call("keys.list", {})).rejects.toThrow(new OwnerCallError("mend that"))
    expect(logged).toEqual([])
  })

  it("keeps an error of ours to the log, and goes on", async () => {
    answer = async () => {
      throw new TypeError("x is undefined")
    }
    const client = await open()
    await expect(client.call("status", {})).rejects.toThrow("the bunker could not do that; its log says why")
    expect(logged.join("")).toContain("x is undefined")
    answer = async () => ({ relays: [] })
    expect(await client.call("status", {})).toEqual({ relays: [] })
  })

  test.each([
    ["no JSON", "GET / HTTP/1.1\r\n\r\n"],
    ["no object", "null\n"],
    ["a list", "[]\n"],
    ["no id", '{"call":"status","args":{}}\n'],
    ["an id of another type", '{"id":"1","call":"status"}\n'],
    ["no call", '{"id":1,"args":{}}\n'],
    ["no end", Buffer.alloc(1_100_000, "x")],
    ["bytes that are no text", Buffer.from([0xff, 0xfe, 0x0a])],
  ])("hangs up on %s, and serves the next", async (_, text) => {
    answer = async () => "never asked"
    expect(await sayRaw(text)).toBe("")
    expect(await (await open()).call("status", {})).toBe("never asked")
  })

  it("outlives an owner who leaves in the middle of a call", async () => {
    let finish: (result: unknown) => void = () => {}
    let asked: (_: unknown) => void = () => {}
    const wasAsked = new Promise((resolve) => {
      asked = resolve
    })
    answer = () => {
      asked(undefined)
      return new Promise((resolve) => {
        finish = resolve
      })
    }
    const client = await open()
    const call = client.call("status", {})
    await wasAsked
    client.close()
    await expect(call).rejects.toThrow(/stopped before it answered/)
    await once(accepted[0] as Socket, "close")
    finish("too late")
    answer = async () => "on time"
    expect(await (await open()).call("status", {})).toBe("on time")
  })
})

describe("the owner's client", () => {
  it("says that the bunker stopped, for what was asked and for what is asked later", async () => {
    answer = () => new Promise(() => {})
    const client = await open()
    const call = client.call("status", {})
    await expect(Promise.all([call, (async () => accepted[0]?.destroy())()])).rejects.toThrow(
      new UserError("the bunker stopped before it answered; start it again with `casemate start`"),
    )
    await expect(client.call("status", {})).rejects.toThrow(/^the bunker stopped/)
  })

  test.each(["null", "{}", '{"id":1}', '{"id":1,"ok":false}', '{"id":"1","ok":true}', "nonsense"])(
    "takes %s for no answer, and waits no longer",
    async (text) => {
      server?.close()
      server = await listenOn(OWNER_SOCKET, (socket) => {
        accepted.push(socket)
        socket.on("error", () => {})
        socket.on("data", () => socket.write(`${text}\n`))
      })
      const client = await open()
      await expect(client.call("status", {})).rejects.toBeInstanceOf(UserError)
    },
  )

  it("takes an answer that lists thousands of apps", async () => {
    const apps = Array.from({ length: 5_000 }, (_, i) => ({ id: String(i), perms: "x".repeat(400) }))
    answer = async () => apps
    expect(await (await open()).call("apps.list", {})).toHaveLength(5_000)
  })

  it("fails with the system's own error where no bunker is", async () => {
    server?.close()
    rmSync(OWNER_SOCKET, { force: true })
    expect(existsSync(OWNER_SOCKET)).toBe(false)
    await expect(openOwnerClient()).rejects.toMatchObject({ code: "ENOENT" })
  })
})

describe("callOwner", () => {
  const none = {} as OwnerPorts
  test.each([
    ["no.such.call", {}, /does not know that call/],
    ["__proto__", {}, /does not know that call/],
    ["toString", {}, /does not know that call/],
    ["", {}, /does not know that call/],
    ["keys.generate", { name: "a b" }, /^a key's name has 1 to 32/],
    ["keys.generate", { name: "a\n" }, /^a key's name has 1 to 32/],
    ["keys.generate", {}, /name/],
    ["keys.generate", null, /object/i],
    ["keys.add", { name: "a", secretKey: "x".repeat(257) }, /^that is too long for a secret key/],
    ["keys.add", { name: "a", secretKey: 7 }, /string/],
    ["keys.add", { name: "a", secretKey: "a", passphrase: "x".repeat(1_025) }, /^that passphrase is too long/],
    ["keys.add", { name: "a", secretKey: "a", passphrase: 7 }, /^a passphrase is a text/],
    ["keys.export", { key: "a" }, /passphrase/],
    ["keys.export", { key: "a", passphrase: "elevenchars" }, /at least 12 characters/],
    ["keys.export", { key: "a", passphrase: "twelve chars", logN: 15 }, /^log_n is 16 to 22/],
    ["keys.export", { key: "a", passphrase: "twelve chars", logN: 23 }, /^log_n is 16 to 22/],
    ["keys.exportPlain", { key: "a" }, /confirm/],
    ["keys.rename", { key: "a", name: "b c" }, /^a key's name has 1 to 32/],
    ["keys.remove", {}, /key/],
    ["apps.show", { id: "abc" }, /^an app's id is at least/],
    ["apps.show", { id: "ABCD" }, /^an app's id is at least/],
    ["apps.show", { id: "' OR 1=1 --" }, /^an app's id is at least/],
    ["connections.offer", { ttl: 9 }, /at least 10 seconds/],
    ["connections.offer", { ttl: 30 * 86_400 + 1 }, /at most 30 days/],
    ["connections.offer", { ttl: 1.5 }, /integer/i],
    ["connections.offer", { ttl: Number.NaN }, /NaN|number/i],
    ["connections.offer", { ttl: 60, perms: "x".repeat(4_097) }, /^the permissions are too long/],
    ["connections.offer", { ttl: 60, relays: Array(11).fill("wss://a") }, /at most 10 relays/],
  ])("refuses %s with args of a wrong shape, case %#", async (call, args, why) => {
    const refused = callOwner(call, args, none)
    await expect(refused).rejects.toBeInstanceOf(UserError)
    await expect(refused).rejects.toThrow(why)
  })
})
