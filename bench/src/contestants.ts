import { readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { CURVE_KINDS, chooseCurve } from "@casemate/nip46/crypto/node"
import { startPart } from "./part.js"
import { startBunker } from "./signers/bunker.js"
import type { RunningSigner } from "./signers/running.js"

export interface Contestant {
  /** As `--only` takes it. */
  readonly name: string
  readonly title: string
  /** Why it cannot run here, where it cannot. */
  readonly missing?: string
  start(relay: string): Promise<RunningSigner>
}

const fastest = chooseCurve().kind

export const CONTESTANTS: readonly Contestant[] = [
  ...CURVE_KINDS.map((curve): Contestant => {
    const missing = reasonWithout(curve)
    return {
      name: curve,
      title: `casemate ${versionOf("casemate")}, ${curve}`,
      ...(missing !== undefined && { missing }),
      start: (relay) => startBunker(relay, curve),
    }
  }),
  { name: "bare", title: `bare loop, ${fastest}`, start: one("./signers/bare-loop.js") },
  { name: "ndk", title: `NDKNip46Backend ${versionOf("@nostr-dev-kit/ndk")}`, start: one("./signers/ndk-backend.js") },
  {
    name: "applesauce",
    title: `applesauce NostrConnectProvider ${versionOf("applesauce-signers")}`,
    start: one("./signers/applesauce-provider.js"),
  },
]

/** A signer that is one process. */
function one(module: string): Contestant["start"] {
  return async (relay) => {
    const part = await startPart<{ token: string; userPubkey: string }>(module, [relay])
    return { ...part.ready, pids: [part.pid], close: part.close }
  }
}

function reasonWithout(curve: (typeof CURVE_KINDS)[number]): string | undefined {
  try {
    chooseCurve(curve)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** The version that is installed, from the package.json that the package came with. */
function versionOf(name: string): string {
  const entry = name === "casemate" ? `${name}/package.json` : name
  for (let folder = dirname(fileURLToPath(import.meta.resolve(entry))); ; folder = dirname(folder)) {
    const manifest = manifestIn(folder)
    if (manifest?.name === name && manifest.version !== undefined) return manifest.version
    if (folder === dirname(folder)) throw new Error(`${name} is not installed: run npm ci`)
  }
}

function manifestIn(folder: string): { readonly name?: string; readonly version?: string } | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { name?: string; version?: string }
  } catch {
    return undefined
  }
}
