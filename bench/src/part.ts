import { type ChildProcess, fork } from "node:child_process"
import { fileURLToPath } from "node:url"

/** A part of the bench that is a process of its own: it says once that it is ready, and with what. */
export interface Part<Ready> {
  readonly process: ChildProcess
  readonly pid: number
  readonly ready: Ready
  readonly close: () => Promise<void>
}

/** How long a part may take to start, in ms. */
const START_MS = 30_000

/** Starts one of the modules beside this one. */
export async function startPart<Ready>(module: string, args: readonly string[] = []): Promise<Part<Ready>> {
  const child = fork(fileURLToPath(new URL(module, import.meta.url)), args, { execArgv: [] })
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()))
  const close = (): Promise<void> => {
    child.kill("SIGKILL")
    return ended
  }
  try {
    const message = await nextMessage<{ ready: Ready }>(child, START_MS)
    return { process: child, pid: child.pid as number, ready: message.ready, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** Said by the part itself. One whose bench is gone ends. */
export function ready(details: object): void {
  process.on("disconnect", () => process.exit(0))
  process.send?.({ ready: details })
}

/** @throws an Error when the process ends, or says nothing for that long */
export function nextMessage<T>(child: ChildProcess, withinMs: number): Promise<T> {
  const name = child.spawnargs[1] ?? "a process"
  return new Promise<T>((resolve, reject) => {
    const settle = (then: () => void) => (): void => {
      clearTimeout(deadline)
      child.off("exit", onExit)
      child.off("message", onMessage)
      then()
    }
    const onExit = (code: number | null): void =>
      settle(() => reject(new Error(`${name} ended with ${code}; its own words stand above`)))()
    const onMessage = (message: unknown): void => settle(() => resolve(message as T))()
    const deadline = setTimeout(
      settle(() => reject(new Error(`${name} said nothing for ${withinMs} ms`))),
      withinMs,
    )
    child.on("exit", onExit)
    child.on("message", onMessage)
  })
}
