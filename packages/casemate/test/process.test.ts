import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { type AddressInfo, createServer } from "node:net"
import { join } from "node:path"
import { type Event, verifyEvent } from "nostr-tools/pure"
import { afterEach, describe, expect, it } from "vitest"
import {
  type Bunker,
  casemate,
  type Folders,
  isAlive,
  kill,
  launchBunker,
  makeFolders,
  pidOf,
  processesNaming,
  processesOf,
  runCli,
  startBunker,
  until,
} from "./support/bunker.js"
import { startNaiveRelay } from "./support/naive-relay.js"
import { LINUX, titled } from "./support/needs.js"
import { callOwner } from "./support/owner.js"
import { coreLimit, internetSockets, proportionalMemory } from "./support/proc.js"
import { createRandom } from "./support/random.js"
import { RawClient, template } from "./support/raw-client.js"

/** What the README promises of a stop. */
const STOP_MS = 5_000
/** The same, after it was noticed that npm went away. */
const NPM_STOP_MS = 6_000
const ORPHANS_MS = 2_000
const IDLE_MB = 170

describe.skipIf(!LINUX.isHere)(titled("the processes of a bunker", LINUX), () => {
  const cleanups: (() => unknown)[] = []

  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  })

  function folders(): Folders {
    const made = makeFolders()
    cleanups.push(() => made.remove())
    return made
  }

  function client(token: string): RawClient {
    const opened = new RawClient(token)
    cleanups.push(() => opened.close())
    return opened
  }

  async function connected(bunker: Bunker): Promise<RawClient> {
    const opened = client(bunker.ready.bunker)
    expect(await opened.connect()).toEqual({ result: "ack" })
    return opened
  }

  /** Sent, and not repeated whatever happens. */
  function ask(app: RawClient, content: string): void {
    app.publish(prepare(app, content))
  }

  function prepare(app: RawClient, content: string): Event {
    return app.seal(JSON.stringify({ id: content, method: "sign_event", params: [template(content)] }), content)
  }

  async function expectAnswers(app: RawClient, contents: readonly string[]): Promise<void> {
    for (const content of contents) {
      const { result } = await app.reply(content)
      expect(JSON.parse(result ?? "null")).toMatchObject({ content })
      expect(verifyEvent(JSON.parse(result ?? "null"))).toBe(true)
    }
  }

  const noneLeft = (made: Folders, deadlineMs = ORPHANS_MS): Promise<void> =>
    until(() => processesNaming(made.data).length === 0, { deadlineMs, what: "the end of every process" })

  it.each(["the built-in relay", "an outside relay"])("SIGTERM finishes what came over %s", async (way) => {
    const made = folders()
    const relay = way === "an outside relay" ? await startNaiveRelay() : undefined
    if (relay !== undefined) cleanups.push(() => relay.close())
    const bunker = await startBunker(made, [
      "--http",
      "localhost:0",
      ...(relay === undefined ? [] : ["--relay", relay.url]),
    ])
    const tokens = [bunker.ready.bunker]
    for (let n = 1; n < 4; n++) tokens.push((await callOwner(made, "connections.offer", { ttl: 60 })).uri)
    const apps = tokens.map(client)
    for (const app of apps) expect(await app.connect()).toEqual({ result: "ack" })
    const contents = Array.from({ length: 12 }, (_, n) => `just before the stop ${n}`)
    for (const app of apps) for (const content of contents) prepare(app, content)
    const requests = apps.flatMap((app) => [...app.sent.values()].slice(1).map(({ event }) => ({ app, event })))
    for (const { app, event } of requests) app.publish(event)
    // What a relay has taken is in flight; what still lies in a socket is not.
    await until(() => requests.every(({ app, event }) => app.taken.has(event.id)))
    const toldAt = Date.now()
    const code = await bunker.stop()
    expect(Date.now() - toldAt).toBeLessThan(STOP_MS)
    expect(code).toBe(0)
    for (const app of apps) await expectAnswers(app, contents)
    await noneLeft(made)
    expect(readdirSync(made.data).filter((name) => name.endsWith(".sock"))).toEqual([])
  })

  it("refuses a second bunker on one data folder, and the first goes on", async () => {
    const made = folders()
    const bunker = await startBunker(made)
    const app = await connected(bunker)
    const before = processesOf(bunker.process)
    const second = await runCli(made, ["start", "--json", "--data-dir", made.data, "--http", "localhost:0"])
    expect(second.code).toBe(1)
    expect(second.stdout).toBe("")
    expect(second.stderr).toMatch(/^casemate: another casemate is running on [^\n]+\n$/)
    expect(second.stderr).toContain(made.data)
    expect(processesOf(bunker.process)).toEqual(before)
    expect(new Set(processesNaming(made.data))).toEqual(new Set(before))
    expect((await app.sign("still here")).result).toContain("still here")
    expect(await bunker.stop()).toBe(0)
  })

  it("starts keyd again after a kill -9, and its requests under way are answered without being repeated", async () => {
    const bunker = await startBunker(folders())
    const app = await connected(bunker)
    const keyd = pidOf(bunker.process, "keyd") as number
    // Stopped, it cannot answer before it dies.
    process.kill(keyd, "SIGSTOP")
    const contents = Array.from({ length: 5 }, (_, n) => `under way ${n}`)
    for (const content of contents) ask(app, content)
    kill(keyd)
    await expectAnswers(app, contents)
    expect(pidOf(bunker.process, "keyd")).not.toBe(keyd)
    expect(await bunker.stop()).toBe(0)
  })

  it("starts the gateway again where it was, and a request under way is answered", async () => {
    const bunker = await startBunker(folders())
    const app = await connected(bunker)
    const gateway = pidOf(bunker.process, "gateway") as number
    process.kill(gateway, "SIGSTOP")
    const answer = app.sign("under way")
    kill(gateway)
    expect((await answer).result).toContain("under way")
    expect(pidOf(bunker.process, "gateway")).not.toBe(gateway)
    expect(await bunker.stop()).toBe(0)
  })

  it("ends keyd and the gateway when the daemon alone is killed", async () => {
    const made = folders()
    const bunker = await startBunker(made)
    expect(processesNaming(made.data)).toHaveLength(3)
    kill(bunker.process.pid as number)
    await noneLeft(made)
  })

  it("leaves no child when the daemon is killed while it starts them", async () => {
    const random = createRandom()
    for (let n = 0; n < 8; n++) {
      const made = folders()
      const launch = launchBunker(made)
      const wanted = n % 2 === 0 ? "keyd" : "gateway"
      await until(() => pidOf(launch.process, wanted) !== undefined, { everyMs: 1 })
      await new Promise((resolve) => setTimeout(resolve, random.integer(120)))
      kill(launch.process.pid as number)
      await noneLeft(made).catch((cause: unknown) => {
        throw new Error(`round ${n}, CASEMATE_TEST_SEED=${random.seed}`, { cause })
      })
    }
  })

  it("leaves no child when it is told to stop while it starts", async () => {
    const random = createRandom()
    for (let n = 0; n < 4; n++) {
      const made = folders()
      const launch = launchBunker(made)
      const wanted = n % 2 === 0 ? "keyd" : "gateway"
      await until(() => pidOf(launch.process, wanted) !== undefined, { everyMs: 1 })
      await new Promise((resolve) => setTimeout(resolve, random.integer(120)))
      const seed = `round ${n}, CASEMATE_TEST_SEED=${random.seed}`
      expect([seed, await launch.stop()]).toEqual([seed, 0])
      await noneLeft(made)
    }
  })

  /** A bunker below a shell that passes no signal on, as npx starts it. */
  async function startBelowShell(made: Folders): Promise<ChildProcess> {
    const start = ["start", "--json", "--data-dir", made.data, "--http", "localhost:0"]
    const shell = spawn("sh", ["-c", '"$@" & wait', "sh", process.execPath, casemate, ...start], {
      env: made.env,
      stdio: ["ignore", "pipe", "ignore"],
    })
    await once(shell.stdout, "data")
    expect(processesNaming(made.data)).toHaveLength(4)
    return shell
  }

  it("stops when npm's shell is told to, which passes no signal on", async () => {
    const made = folders()
    made.env["npm_lifecycle_event"] = "npx"
    const shell = await startBelowShell(made)
    shell.kill("SIGTERM")
    await noneLeft(made, NPM_STOP_MS)
    expect(readdirSync(made.data).filter((name) => name.endsWith(".sock"))).toEqual([])
  })

  it("outlives the shell that started it when no npm did", async () => {
    const made = folders()
    const shell = await startBelowShell(made)
    shell.kill("SIGTERM")
    await once(shell, "exit")
    // That nothing happens can only be waited for; it would have looked twice by then.
    await new Promise((resolve) => setTimeout(resolve, 2_500))
    expect(processesNaming(made.data)).toHaveLength(3)
    expect((await callOwner(made, "status", {})).http).toBeDefined()
  })

  it("refuses a data folder whose root key is missing", async () => {
    const made = folders()
    expect(await (await startBunker(made)).stop()).toBe(0)
    const [key] = readdirSync(made.config).filter((name) => name.endsWith(".key"))
    rmSync(join(made.config, key as string))
    const { code, stderr } = await runCli(made, ["start", "--json", "--data-dir", made.data, "--http", "localhost:0"])
    expect(code).toBe(1)
    expect(stderr).toMatch(/^casemate: the root key [^\n]+ is missing[^\n]+\n$/)
    expect(stderr).toContain(join(made.config, key as string))
    await noneLeft(made)
  })

  it("refuses a folder in the place of a socket, with one sentence and no second try", async () => {
    const made = folders()
    mkdirSync(join(made.data, "keyd.sock"), { recursive: true })
    const { code, stderr } = await runCli(made, ["start", "--json", "--data-dir", made.data, "--http", "localhost:0"])
    expect([code, stderr]).toEqual([1, `casemate: ${join(made.data, "keyd.sock")} cannot be used: it is a folder\n`])
    await noneLeft(made)
  })

  it.each([
    [
      "throws",
      `net.Server.prototype.listen = () => { throw new Error("broken\\non purpose") }`,
      "failed as it started: broken",
    ],
    [
      "throws beside the way",
      `net.Server.prototype.listen = () => process.nextTick(() => { throw new Error("broken on purpose") })`,
      "failed as it started: broken on purpose",
    ],
    ["crashes", `process.kill(process.pid, "SIGABRT")`, "ended before it was ready"],
    ["ends", "process.exit(0)", "ended before it was ready"],
  ])(
    "says in one sentence that a process %s before it was ready, and tries no second time",
    async (_, fault, words) => {
      const made = folders()
      const preload = join(made.root, "fault.mjs")
      writeFileSync(preload, `import net from "node:net"\nif (process.argv[1].includes("/gateway/")) { ${fault} }\n`)
      made.env["NODE_OPTIONS"] = `--import=${preload}`
      const start = ["start", "--json", "--data-dir", made.data, "--http", "localhost:0"]
      const { code, stderr } = await runCli(made, start)
      expect([code, stderr]).toEqual([
        1,
        `casemate: the gateway process ${words}; run with CASEMATE_LOG_LEVEL=debug to see why\n`,
      ])
      await noneLeft(made)
      if (!words.includes("failed")) return
      made.env["CASEMATE_LOG_LEVEL"] = "debug"
      expect((await runCli(made, start)).stderr).toMatch(/"child":"gateway","stack":"Error: broken[^"]+fault\.mjs/)
    },
  )

  it.each(["keyd", "gateway"])("starts a %s again that somebody killed before it was ready", async (name) => {
    const made = folders()
    const launch = launchBunker(made)
    await until(() => pidOf(launch.process, name as "keyd" | "gateway") !== undefined, { everyMs: 1 })
    kill(pidOf(launch.process, name as "keyd" | "gateway") as number)
    const ready = await launch.ready
    expect(launch.log()).toMatch(/"child":"(keyd|gateway)".*"signal":"SIGKILL"/)
    expect(await client(ready.bunker).connect()).toEqual({ result: "ack" })
    expect(await launch.stop()).toBe(0)
  })

  it("comes up though keyd is killed after it was ready and before it was asked for a token", async () => {
    const made = folders()
    const launch = launchBunker(made)
    await until(() => existsSync(join(made.data, "keyd.sock")), { everyMs: 1 })
    kill(pidOf(launch.process, "keyd") as number)
    const ready = await launch.ready
    expect(launch.log()).toMatch(/"child":"keyd".*"signal":"SIGKILL"/)
    expect(await client(ready.bunker).connect()).toEqual({ result: "ack" })
    expect(await launch.stop()).toBe(0)
  })

  it.each(["127.0.0.1", "::1"])("refuses a port that is taken on %s, and leaves no child", async (host) => {
    const made = folders()
    const other = createServer().listen(0, host)
    await once(other, "listening")
    cleanups.push(() => other.close())
    const { port } = other.address() as AddressInfo
    const { code, stderr } = await runCli(made, [
      "start",
      "--json",
      "--data-dir",
      made.data,
      "--http",
      `localhost:${port}`,
    ])
    expect(code).toBe(1)
    expect(stderr).toMatch(/^casemate: [^\n]+ is already in use[^\n]+\n$/)
    expect(stderr).toContain(String(port))
    await noneLeft(made)
    // Nobody was shown the key that this start made.
    expect(readdirSync(made.root)).toEqual([])
  })

  it("leaves what was there before a first start that came to nothing", async () => {
    const made = folders()
    mkdirSync(join(made.data, "keyd.sock"), { recursive: true })
    writeFileSync(join(made.data, "notes.txt"), "mine")
    const { code } = await runCli(made, ["start", "--json", "--data-dir", made.data, "--http", "localhost:0"])
    expect(code).toBe(1)
    expect(readdirSync(made.root)).toEqual(["data"])
    expect(readdirSync(made.data).sort()).toEqual(["keyd.sock", "notes.txt"])
  })

  it("keeps a bunker whose later start came to nothing", async () => {
    const made = folders()
    const first = await startBunker(made)
    expect(await first.stop()).toBe(0)
    const files = [...readdirSync(made.data), ...readdirSync(made.config)].sort()
    const other = createServer().listen(0, "127.0.0.1")
    await once(other, "listening")
    cleanups.push(() => other.close())
    const http = `127.0.0.1:${(other.address() as AddressInfo).port}`
    expect((await runCli(made, ["start", "--json", "--data-dir", made.data, "--http", http])).code).toBe(1)
    expect([...readdirSync(made.data), ...readdirSync(made.config)].sort()).toEqual(files)
    const again = await startBunker(made)
    expect(again.ready.userPubkey).toBe(first.ready.userPubkey)
    expect(await again.stop()).toBe(0)
  })

  it("refuses a record that was emptied beside its vault file, and makes no new identity", async () => {
    const made = folders()
    expect(await (await startBunker(made)).stop()).toBe(0)
    const files = readdirSync(made.data).sort()
    writeFileSync(join(made.data, "record.db"), "")
    const { code, stderr } = await runCli(made, ["start", "--json", "--data-dir", made.data, "--http", "localhost:0"])
    expect(code).toBe(1)
    expect(stderr).toMatch(/^casemate: [^\n]+record\.db is empty, [^\n]+ backup, or move [^\n]+ away [^\n]+\n$/)
    expect(readdirSync(made.data).sort()).toEqual(files)
    expect(lstatSync(join(made.data, "record.db")).size).toBe(0)
  })

  it("refuses to start without the record that its vault file tells of, and makes no new identity", async () => {
    const made = folders()
    expect(await (await startBunker(made)).stop()).toBe(0)
    const record = readFileSync(join(made.data, "record.db"))
    rmSync(join(made.data, "record.db"))
    const start = ["start", "--json", "--data-dir", made.data, "--http", "localhost:0"]
    const { code, stderr } = await runCli(made, start)
    expect(code).toBe(1)
    expect(stderr).toMatch(/^casemate: [^\n]+record\.db is missing, [^\n]+ backup, or move [^\n]+ away [^\n]+\n$/)
    expect(existsSync(join(made.data, "record.db"))).toBe(false)
    writeFileSync(join(made.data, "record.db"), record, { mode: 0o600 })
    expect(await (await startBunker(made)).stop()).toBe(0)
  })

  it("keeps every file 0600 and every folder 0700, whatever the umask", async () => {
    const made = folders()
    const umask = process.umask(0)
    let bunker: Bunker
    try {
      bunker = await startBunker(made)
    } finally {
      process.umask(umask)
    }
    const app = await connected(bunker)
    expect((await app.sign("used")).result).toContain("used")
    const names: string[] = []
    for (const folder of [made.data, made.config]) {
      expect([folder, mode(folder)]).toEqual([folder, "700"])
      for (const name of readdirSync(folder)) {
        names.push(name)
        expect([name, mode(join(folder, name))]).toEqual([name, "600"])
      }
    }
    expect(names).toEqual(
      expect.arrayContaining(["keyd.sock", "gateway.sock", "record.db", "record.db-wal", "vault.json"]),
    )
    expect(names.filter((name) => name.endsWith(".key"))).toHaveLength(1)
    expect(await bunker.stop()).toBe(0)
  })

  it(`takes less than ${IDLE_MB} MB when idle`, async () => {
    const bunker = await startBunker(folders())
    const app = await connected(bunker)
    expect((await app.sign("once")).result).toContain("once")
    const shares = processesOf(bunker.process).map(proportionalMemory)
    expect(shares).toHaveLength(3)
    const total = shares.reduce((sum, share) => sum + share, 0)
    if (process.env["CASEMATE_TEST_FIGURES"] !== undefined) console.info({ total, shares })
    expect(total).toBeLessThan(IDLE_MB)
    expect(await bunker.stop()).toBe(0)
  })

  it("gives keyd no internet socket, and no inspector on SIGUSR1", async () => {
    const made = folders()
    // An inspector would take any free port, not one that another program may have.
    made.env["NODE_OPTIONS"] = "--inspect-port=0"
    const bunker = await startBunker(made)
    const app = await connected(bunker)
    expect((await app.sign("used")).result).toContain("used")
    const [keyd, gateway] = [pidOf(bunker.process, "keyd") as number, pidOf(bunker.process, "gateway") as number]
    const daemon = bunker.process.pid as number
    const listening = internetSockets(gateway).filter(({ isListening }) => isListening).length
    expect(listening).toBeGreaterThan(0)
    expect(internetSockets(keyd)).toEqual([])

    // The same signal opens one in a program that takes no care: what is looked for can be seen.
    const careless = spawn(process.execPath, ["--inspect-port=0", "-e", "setInterval(() => {}, 1000); console.log(1)"])
    cleanups.push(() => kill(careless.pid as number))
    await once(careless.stdout, "data")
    for (const pid of [daemon, keyd, gateway, careless.pid as number]) process.kill(pid, "SIGUSR1")
    await until(() => internetSockets(careless.pid as number).length > 0)
    expect((await app.sign("after the signal")).result).toContain("after the signal")
    expect((await callOwner(made, "status", {})).http).toBe(bunker.ready.http)
    expect([...internetSockets(keyd), ...internetSockets(daemon)]).toEqual([])
    expect(internetSockets(gateway).filter(({ isListening }) => isListening)).toHaveLength(listening)
    expect(bunker.log()).not.toMatch(/debugger|inspector/i)
    expect([isAlive(keyd), isAlive(gateway)]).toEqual([true, true])
    expect(await bunker.stop()).toBe(0)
  })

  it("keeps keyd free of the inspector that NODE_OPTIONS asks for", async () => {
    const made = folders()
    made.env["NODE_OPTIONS"] = "--inspect=127.0.0.1:0"
    const bunker = await startBunker(made)
    const daemon = bunker.process.pid as number
    expect(internetSockets(daemon).filter(({ isListening }) => isListening)).toHaveLength(1)
    expect(internetSockets(pidOf(bunker.process, "keyd") as number)).toEqual([])
    expect(await bunker.stop()).toBe(0)
  })

  it("lets keyd leave no core file, which would hold the keys", async () => {
    const made = folders()
    const shell = 'ulimit -c "$(ulimit -H -c)"; exec "$@"'
    const start = ["start", "--json", "--data-dir", made.data, "--http", "localhost:0"]
    const daemon = spawn("sh", ["-c", shell, "sh", process.execPath, casemate, ...start], {
      env: made.env,
      stdio: ["ignore", "pipe", "ignore"],
    })
    const exited = once(daemon, "exit")
    await once(daemon.stdout, "data")
    const keyd = pidOf(daemon, "keyd") as number
    expect(coreLimit(keyd)).toEqual(["0", "0"])
    // The crash that would write one.
    process.kill(keyd, "SIGABRT")
    await until(() => !isAlive(keyd))
    expect(readdirSync(made.data).filter((name) => name.startsWith("core"))).toEqual([])
    daemon.kill("SIGTERM")
    expect(await exited).toEqual([0, null])
  })
})

function mode(path: string): string {
  return (lstatSync(path).mode & 0o777).toString(8)
}
