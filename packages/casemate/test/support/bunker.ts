import { type ChildProcess, execFile, spawn } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"

export const casemate = fileURLToPath(new URL("../../bin/casemate.js", import.meta.url))

export interface Ready {
  readonly event: "ready"
  readonly bunker: string
  readonly relays: readonly string[]
  readonly http: string
  readonly userPubkey: string
  readonly dataDir: string
}

export interface Folders {
  readonly root: string
  readonly data: string
  readonly config: string
  readonly env: NodeJS.ProcessEnv
  /** Ends what still runs on them, then takes them away. */
  remove(): void
}

/** A data folder and a configuration folder of their own. */
export function makeFolders(): Folders {
  const root = mkdtempSync(join(tmpdir(), "casemate-"))
  const config = join(root, "config")
  const data = join(root, "data")
  return {
    root,
    data,
    config,
    env: { ...envWithoutNpm(), CASEMATE_CONFIG_DIR: config, CASEMATE_LOG_LEVEL: "warn" },
    remove() {
      for (const pid of processesNaming(data)) kill(pid)
      rmSync(root, { recursive: true, force: true })
    },
  }
}

/** The tests run by way of npm; the bunkers that they start are started by hand unless a test says otherwise. */
function envWithoutNpm(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("npm_")))
}

export interface Bunker {
  readonly ready: Ready
  readonly process: ChildProcess
  /** What it has logged so far. */
  log(): string
  /** SIGTERM, then the exit code. */
  stop(): Promise<number | null>
  /** SIGKILL to all of it, at once; resolves when none is left. */
  killAll(): Promise<void>
}

/** A bunker that was told to start and may not be ready yet. */
export interface Launch extends Omit<Bunker, "ready"> {
  /** Rejects when it ends before it is ready. */
  readonly ready: Promise<Ready>
  readonly exited: Promise<number | null>
}

/** Starts `casemate start --json`. */
export function launchBunker(folders: Folders, args: readonly string[] = ["--http", "localhost:0"]): Launch {
  const child = spawn(process.execPath, [casemate, "start", "--json", "--data-dir", folders.data, ...args], {
    env: folders.env,
    stdio: ["ignore", "pipe", "pipe"],
  })
  let log = ""
  child.stderr.on("data", (chunk: Buffer) => {
    log += chunk.toString()
  })
  const exited = new Promise<number | null>((resolve) => child.once("exit", (code) => resolve(code)))
  const ready = new Promise<Ready>((resolve, reject) => {
    createInterface(child.stdout).once("line", (line) => resolve(JSON.parse(line) as Ready))
    void exited.then((code) => reject(new Error(`the bunker ended with ${code} before it was ready: ${log}`)))
  })
  ready.catch(() => undefined)
  return {
    ready,
    exited,
    process: child,
    log: () => log,
    async stop() {
      child.kill("SIGTERM")
      return exited
    },
    async killAll() {
      const all = processesOf(child)
      for (const pid of all) kill(pid)
      await exited
      await until(() => all.every((pid) => !isAlive(pid)))
    },
  }
}

/** Starts `casemate start --json` and waits until it is ready. */
export async function startBunker(folders: Folders, args?: readonly string[]): Promise<Bunker> {
  const launch = launchBunker(folders, args)
  return { ...launch, ready: await launch.ready }
}

/** The pids of a bunker: its daemon, keyd and the gateway. */
export function processesOf(child: ChildProcess): number[] {
  return [child.pid as number, ...childrenOf(child.pid as number).map(({ pid }) => pid)]
}

/** The pid of keyd or of the gateway. */
export function pidOf(child: ChildProcess, name: "keyd" | "gateway"): number | undefined {
  return childrenOf(child.pid as number).find(({ command }) => command.includes(`/${name}/main.js`))?.pid
}

/** Every process that was told of this folder, whoever its parent is. Reads /proc: elsewhere nobody is found. */
export function processesNaming(folder: string): number[] {
  if (process.platform !== "linux") return []
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((name) => {
      try {
        return readFileSync(`/proc/${name}/cmdline`, "utf8").includes(folder) ? [Number(name)] : []
      } catch {
        return []
      }
    })
}

/** Reads /proc: the tests that need it name Linux. Elsewhere nobody is found, and children follow their daemon. */
function childrenOf(parent: number): { pid: number; command: string }[] {
  if (process.platform !== "linux") return []
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, "utf8")
        const ppid = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1])
        if (ppid !== parent) return []
        return [{ pid: Number(name), command: readFileSync(`/proc/${name}/cmdline`, "utf8") }]
      } catch {
        return []
      }
    })
}

export function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL")
  } catch {
    // It ended by itself in the meantime.
  }
}

/** A zombie does not count: nobody has collected its exit code yet. */
export function isAlive(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ")
  } catch {
    return false
  }
}

export interface UntilOptions {
  readonly everyMs?: number
  readonly deadlineMs?: number
  /** Named when it does not come to hold. */
  readonly what?: string
}

/** Waits until something holds. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  { everyMs = 10, deadlineMs = 25_000, what = "a condition" }: UntilOptions = {},
): Promise<void> {
  const end = Date.now() + deadlineMs
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`${what} did not hold within ${deadlineMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
}

export interface CliResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs one casemate command to its end. */
export function runCli(folders: Folders, args: readonly string[], input?: string): Promise<CliResult> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [casemate, ...args],
      { env: folders.env, timeout: 60_000 },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr }),
    )
    child.stdin?.end(input ?? "")
  })
}

/** The same, on a bunker's folder, with what `--json` printed. */
export async function runJson<T>(folders: Folders, args: readonly string[], input?: string): Promise<T> {
  const result = await runCli(folders, [...args, "--data-dir", folders.data, "--json"], input)
  if (result.code !== 0) throw new Error(result.stderr)
  return JSON.parse(result.stdout) as T
}
