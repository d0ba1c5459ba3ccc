import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs"
import { dirname } from "node:path"

/**
 * Writes a file that only we may read and that was not there: whole or not at all, also through a crash.
 * A link, not a rename: of two writers at once, the second gets EEXIST instead of the first one's place.
 */
export function createPrivateFile(path: string, content: string): void {
  const temporary = `${path}.new`
  const folder = dirname(path)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  rmSync(temporary, { force: true })
  try {
    const file = openSync(temporary, "wx", 0o600)
    try {
      writeSync(file, content)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    linkSync(temporary, path)
  } finally {
    rmSync(temporary, { force: true })
  }
  syncFolder(folder)
}

/** Makes a name in a folder outlive a power cut. Windows has no such call and needs none. */
export function syncFolder(folder: string): void {
  if (process.platform === "win32") return
  const handle = openSync(folder, "r")
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
