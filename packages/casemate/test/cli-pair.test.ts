import { type ChildProcess, spawn } from "node:child_process"
import { chmodSync, mkdirSync } from "node:fs"
import { generateSecretKey, getPublicKey } from "nostr-tools/pure"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type OwnerClient, openOwnerClient } from "../src/channel/owner-client.js"
import {
  type Bunker,
  casemate,
  type Folders,
  kill,
  makeFolders,
  pidOf,
  runCli,
  runJson,
  startBunker,
  until,
} from "./support/bunker.js"
import { LINUX, titled } from "./support/needs.js"
import { openApp } from "./support/nostr-tools.js"
import { RawClient } from "./support/raw-client.js"

/** What of the command line needs an app, or many of them. */
const home = process.cwd()
let folders: Folders
let bunker: Bunker
let owner: OwnerClient

beforeAll(async () => {
  folders = makeFolders()
  bunker = await startBunker(folders)
  await openOwner()
})
afterAll(async () => {
  owner.close()
  expect(await bunker.stop()).toBe(0)
  folders.remove()
})

/** Its door is named relative to the data folder; a keyd that was killed has left nobody behind it. */
async function openOwner(): Promise<void> {
  process.chdir(folders.data)
  owner = await openOwnerClient()
  process.chdir(home)
}

const here = (...args: string[]): string[] => [...args, "--data-dir", folders.data]

interface Waiting {
  readonly process: ChildProcess
  /** All that was printed, once it holds the pattern. */
  printed(pattern: RegExp): Promise<RegExpExecArray>
  readonly ended: Promise<{ code: number | null; stdout: string; stderr: string }>
}

function pair(...args: string[]): Waiting {
  const child = spawn(process.execPath, [casemate, ...here("pair", ...args)], { env: folders.env })
  let stdout = ""
  let stderr = ""
  let look = (): void => {}
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    stdout += chunk
    look()
  })
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    stderr += chunk
  })
  const ended = new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) =>
    child.once("close", (code) => resolve({ code, stdout, stderr })),
  )
  return {
    process: child,
    printed: (pattern) =>
      new Promise((resolve, reject) => {
        look = () => {
          const match = pattern.exec(stdout)
          if (match !== null) resolve(match)
        }
        look()
        void ended.then(() => reject(new Error(`it ended without ${pattern}: ${stdout}${stderr}`)))
      }),
    ended,
  }
}

describe("casemate pair, waiting", () => {
  it("shows the app that connects: the name it gives itself, harmless, and its public key (N46-METADATA-3)", async () => {
    const { printed, ended } = pair()
    const [token] = await printed(/bunker:\/\/\S+/)
    await printed(/Waiting for the app to connect/)
    const app = await openApp(token)
    await app.signer.connect({ name: 'Evil" \u001b[2J\u202e' })
    const { code, stdout } = await ended
    expect(code).toBe(0)
    expect(stdout).toContain(
      `Connected: "Evil\\" \\u{1b}[2J\\u{202e}", public key ${getPublicKey(app.secretKey)}, signs as npub1`,
    )
    expect(stdout).not.toContain("\u001b")
    await app.close()

    const list = await runCli(folders, here("apps", "list"))
    expect(list.stdout).toMatch(/^[0-9a-f]{16} +active +default +\d{4}-.* "Evil\\" /m)
    expect(list.stdout).not.toContain("\u001b")
  })

  it("prints one JSON object a line with --json", async () => {
    const { printed, ended } = pair("--json")
    const { uri } = JSON.parse((await printed(/^\{.*\}\n/))[0]) as { uri: string }
    const app = await openApp(uri)
    await app.signer.connect()
    const { code, stdout } = await ended
    expect(code).toBe(0)
    const lines = stdout.trim().split("\n")
    expect(lines).toHaveLength(2)
    expect(JSON.parse(lines[1] as string)).toMatchObject({
      event: "connected",
      status: "active",
      clientPubkey: getPublicKey(app.secretKey),
    })
    await app.close()
  })

  it("ends with a sentence when the token is revoked meanwhile", async () => {
    const { printed, ended } = pair("--json")
    const { id } = JSON.parse((await printed(/^\{.*\}\n/))[0]) as { id: string }
    await runJson(folders, ["apps", "revoke", id])
    expect(await ended).toMatchObject({
      code: 1,
      stderr: "casemate: this token was revoked before an app connected\n",
    })
  })

  it("leaves the token good when the waiting is ended", async () => {
    const { printed, ended, process: waiting } = pair()
    const [token] = await printed(/bunker:\/\/\S+/)
    await printed(/Ctrl-C ends the waiting, not the token/)
    waiting.kill("SIGINT")
    expect((await ended).code).not.toBe(0)
    const app = await openApp(token)
    await app.signer.connect()
    expect(await app.signer.getPublicKey()).toBe(bunker.ready.userPubkey)
    await app.close()
  })

  it.skipIf(!LINUX.isHere)(titled("goes on waiting when keyd is killed and started again", LINUX), async () => {
    const { printed, ended } = pair()
    const [token] = await printed(/bunker:\/\/\S+/)
    await printed(/Waiting for the app to connect/)
    kill(pidOf(bunker.process, "keyd") as number)
    const app = await openApp(token)
    await app.signer.connect({ name: "Patient" })
    const { code, stdout } = await ended
    expect([code, stdout]).toEqual([0, expect.stringContaining('Connected: "Patient"') as string])
    await app.close()
    await openOwner()
  })

  it.skipIf(!LINUX.isHere)(titled("waits for an app's first request through a kill of keyd", LINUX), async () => {
    const secretKey = generateSecretKey()
    const [relay = ""] = bunker.ready.relays
    const query = `relay=${encodeURIComponent(relay)}&secret=0123456789abcdef&name=Slow`
    const { printed, ended } = pair(`nostrconnect://${getPublicKey(secretKey)}?${query}`, "--yes")
    const [, id] = await printed(/Let in: "Slow" \(([0-9a-f]{16})\)/)
    await printed(/Waiting for its first request/)
    kill(pidOf(bunker.process, "keyd") as number)
    await until(async () => (await runCli(folders, here("keys", "list"))).code === 0, { what: "keyd is back" })
    const { remoteSignerPubkey } = await runJson<{ remoteSignerPubkey: string }>(folders, [
      "apps",
      "show",
      id as string,
    ])
    const app = new RawClient(`bunker://${remoteSignerPubkey}?relay=${encodeURIComponent(relay)}`, { secretKey })
    expect(await app.request("ping", [])).toEqual({ result: "pong" })
    const { code, stdout } = await ended
    expect([code, stdout]).toEqual([0, expect.stringContaining("it asked first: ping") as string])
    app.close()
    await openOwner()
  })

  it("ends with a sentence when the bunker stops", async () => {
    const other = makeFolders()
    const stopping = await startBunker(other)
    const child = spawn(process.execPath, [casemate, "pair", "--data-dir", other.data], { env: other.env })
    let stderr = ""
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString()
    })
    const ended = new Promise((resolve) => child.once("close", resolve))
    await new Promise<void>((resolve) =>
      child.stdout.on("data", (chunk: Buffer) => chunk.includes("Waiting") && resolve()),
    )
    await stopping.stop()
    expect(await ended).toBe(1)
    expect(stderr).toBe("casemate: the bunker stopped before it answered; start it again with `casemate start`\n")
    other.remove()
  })
})

describe("casemate apps", () => {
  it("says which apps an id may mean, and none is revoked", async () => {
    const seen = new Map<string, string>()
    let both: readonly [string, string] | undefined
    while (both === undefined) {
      const offers = await Promise.all(
        Array.from({ length: 50 }, () => owner.call("connections.offer", { ttl: 60, perms: "ping" })),
      )
      for (const { id } of offers) {
        const twin = seen.get(id.slice(0, 4))
        if (twin !== undefined) both = [twin, id]
        seen.set(id.slice(0, 4), id)
      }
    }
    const prefix = both[0].slice(0, 4)
    const { code, stderr } = await runCli(folders, here("apps", "revoke", prefix))
    expect(code).toBe(1)
    expect(stderr).toMatch(
      new RegExp(`^casemate: several apps have ids that begin with ${prefix}: .*; give more of it\n$`),
    )
    for (const id of both) {
      expect(stderr).toContain(id)
      expect(await owner.call("apps.show", { id })).toMatchObject({ status: "offered" })
    }
    const [first] = both
    expect((await runCli(folders, here("apps", "show", first))).stdout).toContain(first)
  })
})

describe("another account of this machine", () => {
  const runAsNobody = (args: string[]): Promise<{ code: number | null; stderr: string }> =>
    new Promise((resolve) => {
      const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}
      const child = spawn(process.execPath, [casemate, ...args], { env: folders.env, cwd: "/", ...nobody })
      let stderr = ""
      child.stderr.on("data", (chunk: Buffer) => {
        stderr += chunk.toString()
      })
      child.once("close", (code) => resolve({ code, stderr }))
    })

  it("is told whose the bunker is", async () => {
    const closed = `${folders.root}/closed`
    mkdirSync(closed)
    chmodSync(closed, 0)
    expect(await runAsNobody(["keys", "list", "--data-dir", closed])).toEqual({
      code: 1,
      stderr: `casemate: the bunker on ${closed} belongs to another account of this machine\n`,
    })
  })

  it("is told that it may not start one there", async () => {
    chmodSync(folders.root, 0o755)
    const closed = `${folders.root}/closed`
    const { code, stderr } = await runAsNobody(["start", "--data-dir", `${closed}/below`, "--http", "localhost:0"])
    expect(code).toBe(1)
    expect(stderr).toMatch(/^casemate: \/\S+ cannot be used: this account may not use it\n$/)
  })
})
