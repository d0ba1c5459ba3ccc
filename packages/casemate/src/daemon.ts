import { type ChildProcess, type ForkOptions, fork } from "node:child_process"
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import {
  CONFIG_VARIABLE,
  type FromChild,
  type GatewayReady,
  REFUSED_EXIT,
  type ToChild,
} from "./channel/supervision.js"
import type { Config } from "./config/config.js"
import { makeFolder, removeEmptyFolders } from "./config/folders.js"
import type { Logger } from "./config/log.js"
import { UserError } from "./config/user-error.js"

/** How long a child may take over its end before it is killed; both together stay under 5 s. */
const GATEWAY_PATIENCE_MS = 3_500
const KEYD_PATIENCE_MS = 1_000
const START_PATIENCE_MS = 20_000
const RESTART_MIN_MS = 50
const RESTART_MAX_MS = 5_000
/** A child that lived this long is taken to be well again. */
const WELL_AFTER_MS = 2_000
const SHELL = "/bin/sh"
const SEE_WHY = "run with CASEMATE_LOG_LEVEL=debug to see why"

export interface Daemon {
  readonly gateway: GatewayReady
  /** Ends both in order: first what comes in, then what answers. */
  stop(): Promise<void>
}

/**
 * Starts keyd and the gateway, and starts again what dies. A first start that comes to nothing leaves nothing.
 *
 * @throws UserError when one of them says why it cannot start
 */
export async function startDaemon(config: Config, log: Logger): Promise<Daemon> {
  const made: string[] = []
  // Node's default opens an inspector, and a key may just have been typed here.
  process.on("SIGUSR1", () => undefined)
  const keyd = new Child("keyd", "./keyd/main.js", config, log)
  const gateway = new Child("gateway", "./gateway/main.js", config, log)
  try {
    for (const folder of [config.configDir, config.dataDir]) made.push(...makeFolder(folder))
    await keyd.start()
    const details = (await gateway.start()) as GatewayReady
    gateway.config = foundAgain(config, details)
    return {
      gateway: details,
      async stop() {
        await gateway.stop(GATEWAY_PATIENCE_MS)
        await keyd.stop(KEYD_PATIENCE_MS)
        removeEmptyFolders(made)
      },
    }
  } catch (error) {
    await gateway.stop(0)
    await keyd.stop(KEYD_PATIENCE_MS)
    removeEmptyFolders(made)
    throw error
  }
}

/** Runs the built-in relay alone, in one process of its own. @throws UserError when it says why it cannot start */
export async function startRelay(config: Config, log: Logger): Promise<Daemon> {
  const relay = new Child("relay", "./gateway/relay-main.js", config, log)
  try {
    const details = (await relay.start()) as GatewayReady
    relay.config = foundAgain(config, details)
    return { gateway: details, stop: () => relay.stop(GATEWAY_PATIENCE_MS) }
  } catch (error) {
    await relay.stop(0)
    throw error
  }
}

/** Port 0 was an invitation to pick one: what comes back after a crash must be found where it was. */
function foundAgain(config: Config, { http }: GatewayReady): Config {
  return { ...config, http: { ...config.http, port: Number(new URL(http).port) } }
}

class Child {
  config: Config
  readonly #name: string
  readonly #module: string
  readonly #log: Logger
  #process: ChildProcess | undefined
  #restartTimer: NodeJS.Timeout | undefined
  #restartMs = RESTART_MIN_MS
  #startedAt = 0
  #stopping = false

  constructor(name: string, module: string, config: Config, log: Logger) {
    this.#name = name
    this.#module = fileURLToPath(new URL(module, import.meta.url))
    this.#log = log
    this.config = config
  }

  /**
   * The first start: what keeps it from being ready is the caller's to know, and is not tried again. Only one
   * that somebody killed is: that was nothing of its own.
   */
  start(): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const giveUp = (why: string): void => {
        clearTimeout(patience)
        clearTimeout(this.#restartTimer)
        this.#stopping = true
        reject(new UserError(why))
      }
      const patience = setTimeout(
        () => giveUp(`the ${this.#name} process was not ready within ${START_PATIENCE_MS / 1000} s; ${SEE_WHY}`),
        START_PATIENCE_MS,
      )
      const attempt = (): void => {
        let isReady = false
        const child = this.#spawn((message) => {
          if (message.t !== "ready") return giveUp(sentenceOf(message, this.#name))
          clearTimeout(patience)
          isReady = true
          resolve(message.details)
        })
        whenGone(child, () => {
          if (isReady) this.#again(child, () => this.#restart())
          else if (child.signalCode === "SIGKILL") this.#again(child, attempt)
          else giveUp(`the ${this.#name} process ended before it was ready; ${SEE_WHY}`)
        })
      }
      attempt()
    })
  }

  async stop(patienceMs: number): Promise<void> {
    this.#stopping = true
    clearTimeout(this.#restartTimer)
    const child = this.#process
    if (child === undefined || hasEnded(child)) return
    const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()))
    if (child.connected) child.send({ t: "stop" } satisfies ToChild, ignoreGone)
    const kill = setTimeout(() => child.kill("SIGKILL"), patienceMs)
    await ended
    clearTimeout(kill)
  }

  #spawn(onMessage: (message: FromChild) => void): ChildProcess {
    this.#startedAt = Date.now()
    // stdout is for what a person asked to see: a child has only its log.
    const { env = process.env, ...how } = guarded(this.#name === "keyd")
    // The folder is for whoever looks at the list of processes.
    const child = fork(this.#module, [this.config.dataDir], {
      ...how,
      env: { ...env, [CONFIG_VARIABLE]: JSON.stringify(this.config) },
      stdio: ["ignore", 2, "inherit", "ipc"],
    })
    this.#process = child
    child.on("message", (message: FromChild) => {
      if (message.t === "failed") this.#log.debug({ child: this.#name, stack: message.stack }, "a process failed")
      onMessage(message)
    })
    return child
  }

  #restart(): void {
    const child = this.#spawn((message) => {
      if (message.t === "ready") return
      const reason = sentenceOf(message, this.#name)
      this.#log.error({ child: this.#name, reason }, "a process cannot start again")
    })
    whenGone(child, () => this.#again(child, () => this.#restart()))
  }

  /** Starts one that ended again, after a pause that grows as long as it does not stay. */
  #again({ exitCode: code, signalCode: signal }: ChildProcess, start: () => void): void {
    if (this.#stopping) return
    if (Date.now() - this.#startedAt > WELL_AFTER_MS) this.#restartMs = RESTART_MIN_MS
    if (code !== REFUSED_EXIT)
      this.#log.warn({ child: this.#name, code, signal, again: this.#restartMs }, "a process ended; starting it again")
    this.#restartTimer = setTimeout(start, this.#restartMs)
    this.#restartMs = Math.min(RESTART_MAX_MS, this.#restartMs * 2)
  }
}

/** Once it ended and everything that it said was heard: its exit may be known before its last words. */
function whenGone(child: ChildProcess, then: () => void): void {
  child.once("exit", () => (child.connected ? child.once("disconnect", then) : then()))
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null
}

function sentenceOf(message: Exclude<FromChild, { t: "ready" }>, name: string): string {
  return message.t === "refused"
    ? message.message
    : `the ${name} process failed as it started: ${message.reason}; ${SEE_WHY}`
}

/**
 * How a child is run. One that holds keys leaves no core file, wherever the system would put it, and takes
 * no NODE_OPTIONS: an inspector or a preloaded module would have the keys.
 */
function guarded(holdsKeys: boolean): Pick<ForkOptions, "execPath" | "execArgv" | "env"> {
  if (!holdsKeys) return { execArgv: [] }
  const { NODE_OPTIONS: _, ...env } = process.env
  // Node cannot set a limit of its own process; a shell can, and then becomes node.
  if (process.platform === "win32" || !existsSync(SHELL)) return { execArgv: [], env }
  return { execPath: SHELL, execArgv: ["-c", 'ulimit -c 0; exec "$0" "$@"', process.execPath], env }
}

/** Without it, sending to a child that is ending by itself would end us. */
function ignoreGone(): void {}
