import type { Config } from "../config/config.js"
import { explainFileError } from "../config/file-error.js"

/** What the daemon and the two processes tell each other over Node's own IPC. */

export type ToChild = { readonly t: "stop" }

export type FromChild =
  | { readonly t: "ready"; readonly details: unknown }
  /** It cannot start, and the sentence says what a person has to mend. */
  | { readonly t: "refused"; readonly message: string }
  /** It cannot start, and that is a fault of ours or of the system's. */
  | { readonly t: "failed"; readonly reason: string; readonly stack: string }

export interface GatewayReady {
  readonly http: string
  readonly relays: readonly string[]
}

export interface ChildHooks {
  /** Ends what is in flight, then returns; the process exits with 0 afterwards. */
  stop(): Promise<void>
}

/** Exit code of a child that told its daemon that it cannot start. */
export const REFUSED_EXIT = 3

/**
 * The environment variable in which a child is told its configuration: the command line of a process is everybody's to
 * read, and the URL of a webhook may hold a secret.
 */
export const CONFIG_VARIABLE = "CASEMATE_CONFIG"

/**
 * The frame of a child process: its configuration comes in its environment, it says when it is ready, ends in
 * order when told, and ends at once when its daemon is gone: nobody would restart or stop it any more.
 */
export async function runChild(
  start: (config: Config) => Promise<{ hooks: ChildHooks; details: unknown }>,
  isMistake: (error: unknown) => error is Error,
): Promise<void> {
  const config = JSON.parse(process.env[CONFIG_VARIABLE] ?? "null") as Config | null
  delete process.env[CONFIG_VARIABLE]
  if (config === null || process.send === undefined) {
    process.stderr.write("this is a part of casemate; run `casemate start` instead\n")
    process.exit(1)
  }
  process.umask(0o077)
  process.on("disconnect", () => process.exit(0))
  // It may have gone while this module was loaded, and says so only once.
  if (!process.connected) process.exit(0)
  // A terminal sends ^C to the whole group: the daemon decides when its children end.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined)
  // Node's default for SIGUSR1 is to open an inspector.
  process.on("SIGUSR1", () => undefined)

  const giveUp = (error: unknown): void => tell(saidOf(error, isMistake(error)), () => process.exit(REFUSED_EXIT))
  // What is thrown beside the way must not end us without a word either.
  process.setUncaughtExceptionCaptureCallback(giveUp)
  try {
    const { hooks, details } = await start(config)
    process.setUncaughtExceptionCaptureCallback(null)
    let stopping = false
    process.on("message", (message: ToChild) => {
      if (message.t !== "stop" || stopping) return
      stopping = true
      hooks.stop().then(
        () => process.exit(0),
        () => process.exit(1),
      )
    })
    tell({ t: "ready", details })
  } catch (error) {
    giveUp(error)
  }
}

function saidOf(error: unknown, isMistake: boolean): FromChild {
  const { message, stack = "" } = error instanceof Error ? error : new Error(String(error))
  const mistake = isMistake ? message : explainFileError(error)
  if (mistake !== undefined) return { t: "refused", message: mistake }
  return { t: "failed", reason: message.split("\n", 1)[0] ?? "", stack }
}

function tell(message: FromChild, then?: () => void): void {
  process.send?.(message, undefined, {}, () => then?.())
}
