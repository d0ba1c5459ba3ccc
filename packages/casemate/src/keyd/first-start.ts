import { existsSync, lstatSync, rmSync } from "node:fs"
import { join } from "node:path"
import { GATEWAY_SOCKET, OWNER_SOCKET } from "../channel/sockets.js"
import { RECORD_FILE } from "../config/folders.js"
import { LOCK_FILE } from "./record/lock.js"
import { RECORD_FILES } from "./record/record-file.js"
import { forgetRootKey, VAULT_FILE } from "./vault/root-key.js"

interface Folders {
  readonly dataDir: string
  readonly configDir: string
}

/** True when no bunker has ever lived in a data folder. Asked under its lock, before anything is made. */
export function isFirstStart({ dataDir }: Folders): boolean {
  return ![VAULT_FILE, RECORD_FILE].some((name) => existsSync(join(dataDir, name)))
}

/**
 * Takes away what a first start made that came to nothing: a vault that holds no key is of no use to anybody,
 * and its root key would lie about for ever. Under the folder's lock, whose file goes last.
 */
export function undoFirstStart({ dataDir, configDir }: Folders): void {
  forgetRootKey({ dataDir, configDir })
  for (const name of [...RECORD_FILES, OWNER_SOCKET, GATEWAY_SOCKET, LOCK_FILE]) {
    const path = join(dataDir, name)
    // A folder of that name is not ours.
    if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === false) rmSync(path, { force: true })
  }
}
