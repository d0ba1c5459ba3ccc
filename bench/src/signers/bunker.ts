import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import type { CurveKind } from "@casemate/nip46/crypto/node"
import { childrenOf } from "../proc.js"
import type { RunningSigner } from "./running.js"

const casemate = fileURLToPath(new URL("bin/casemate.js", import.meta.resolve("casemate/package.json")))

/** The bunker as its users start it, behind the relay, with folders of its own. */
export async function startBunker(relay: string, curve: CurveKind): Promise<RunningSigner> {
  const root = mkdtempSync(join(tmpdir(), "casemate-bench-"))
  const args = ["start", "--json", "--data-dir", join(root, "data"), "--http", "localhost:0", "--relay", relay]
  const child = spawn(process.execPath, [casemate, ...args], {
    env: {
      ...process.env,
      CASEMATE_CONFIG_DIR: join(root, "config"),
      CASEMATE_LOG_LEVEL: "warn",
      CASEMATE_CRYPTO: curve,
    },
    stdio: ["ignore", "pipe", "inherit"],
  })
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()))
  // Who interrupts the bench leaves no bunker behind.
  const abandon = (): void => {
    child.kill("SIGTERM")
    rmSync(root, { recursive: true, force: true })
  }
  process.once("exit", abandon)
  const close = async (): Promise<void> => {
    child.kill("SIGTERM")
    await ended
    process.off("exit", abandon)
    rmSync(root, { recursive: true, force: true })
  }
  try {
    const { bunker, userPubkey } = await readyLine(child)
    const [daemon, ...parts] = [child.pid as number, ...childrenOf(child.pid as number)]
    if (daemon === undefined || parts.length !== 2)
      throw new Error("the bunker does not run as daemon, keyd and gateway")
    return { token: bunker, userPubkey, pids: [daemon, ...parts], close }
  } catch (error) {
    await close()
    throw error
  }
}

interface Ready {
  readonly bunker: string
  readonly userPubkey: string
}

function readyLine(child: ChildProcess): Promise<Ready> {
  return new Promise<Ready>((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`the bunker ended with ${code}; its own words stand above`)))
    if (child.stdout === null) return
    createInterface(child.stdout).once("line", (line) => resolve(JSON.parse(line) as Ready))
  })
}
