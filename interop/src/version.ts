import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"

const require = createRequire(import.meta.url)

/** The version that is installed, from the package.json that the package came with. */
export function versionOf(name: string): string {
  for (let folder = dirname(require.resolve(name)); ; folder = dirname(folder)) {
    const found = manifestIn(folder)
    if (found?.name === name && found.version !== undefined) return found.version
    if (folder === dirname(folder)) throw new Error(`${name} is not installed: run npm ci`)
  }
}

interface Manifest {
  readonly name?: string
  readonly version?: string
}

function manifestIn(folder: string): Manifest | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest
  } catch {
    return undefined
  }
}
