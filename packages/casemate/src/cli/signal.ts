import { isRunByNpm } from "./npm.js"

const LOOK_EVERY_MS = 1_000

/**
 * Resolves when this process is told to stop: by the first SIGINT, SIGTERM or SIGHUP, or because the npm that
 * runs it went away. A second signal ends the process at once.
 */
export function untilToldToStop(env: NodeJS.ProcessEnv = process.env): Promise<void> {
  return new Promise((resolve) => {
    let told = false
    const tell = (): void => {
      told = true
      resolve()
    }
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.on(signal, () => {
        if (told) process.exit(1)
        tell()
      })
    }
    if (isRunByNpm(env)) whenOrphaned(tell)
  })
}

/**
 * npm passes a SIGTERM to the shell that it put between, and that ends without a word to us. A
 * bunker that is to outlive its shell, under setsid or a service manager, has no npm above it and is not watched.
 */
function whenOrphaned(tell: () => void): void {
  const parent = process.ppid
  const look = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(look)
    tell()
  }, LOOK_EVERY_MS)
  look.unref()
}
