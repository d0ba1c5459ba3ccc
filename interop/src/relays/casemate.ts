import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import { casemate } from "../../../packages/casemate/test/support/bunker.js"
import type { RelayUnderTest } from "../relay.js"

/** The built-in relay, in a process of its own. */
export async function startCasemateRelay(): Promise<RelayUnderTest> {
  let running = await launch("localhost:0")
  const { host } = new URL(running.url)
  return {
    name: "the built-in relay",
    url: running.url,
    closesProperly: false,
    async restart(how) {
      await stop(running.child, how === "cutting" ? "SIGKILL" : "SIGTERM")
      running = await launch(host)
    },
    close: () => stop(running.child),
  }
}

interface Running {
  readonly child: ChildProcess
  readonly url: string
}

async function launch(http: string): Promise<Running> {
  const child = spawn(process.execPath, [casemate, "relay", "--http", http, "--json"], {
    stdio: ["ignore", "pipe", "inherit"],
  })
  const line = await new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).once("line", resolve)
    child.once("exit", (code) => reject(new Error(`casemate relay ended with ${code} before it was ready`)))
  })
  const { relay } = JSON.parse(line) as { relay: string }
  return { child, url: relay }
}

async function stop(child: ChildProcess, signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, "exit")
  child.kill(signal)
  await ended
}
