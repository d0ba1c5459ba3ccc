import { accessSync, constants, mkdirSync, rmdirSync, statSync } from "node:fs"
import { homedir } from "node:os"
import { dirname, isAbsolute, join } from "node:path"
import { explainFileError } from "./file-error.js"
import { UserError } from "./user-error.js"

/** The name of the record in the data folder: where it lies, a bunker lives. */
export const RECORD_FILE = "record.db"

/** The platform's folder for what programs keep: SQLite, sockets, locks. */
export function defaultDataDir(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string {
  if (platform === "darwin") return join(homedir(), "Library", "Application Support", "casemate")
  if (platform === "win32") return join(env["LOCALAPPDATA"] || join(homedir(), "AppData", "Local"), "casemate", "Data")
  return join(xdg(env["XDG_DATA_HOME"]) ?? join(homedir(), ".local", "share"), "casemate")
}

/** Where the root key lies: never inside the data folder, so that a copy of one does not open the other. */
export function defaultConfigDir(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string {
  if (env["CASEMATE_CONFIG_DIR"]) return env["CASEMATE_CONFIG_DIR"]
  if (platform === "darwin") return join(homedir(), "Library", "Preferences", "casemate")
  if (platform === "win32") return join(env["APPDATA"] || join(homedir(), "AppData", "Roaming"), "casemate", "Config")
  return join(xdg(env["XDG_CONFIG_HOME"]) ?? join(homedir(), ".config"), "casemate")
}

/**
 * Makes a folder for this account alone, and those above it; gives those that were not there, outermost first.
 *
 * @throws UserError when it cannot be made or used
 */
export function makeFolder(path: string): readonly string[] {
  const made: string[] = []
  try {
    makeAbove(path, made)
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK)
    return made
  } catch (error) {
    removeEmptyFolders(made)
    const mistake = explainFileError(error, path)
    throw mistake === undefined ? error : new UserError(mistake, { cause: error })
  }
}

/** Takes away what `makeFolder` made, as far as nothing came into it. */
export function removeEmptyFolders(made: readonly string[]): void {
  for (const path of [...made].reverse()) {
    try {
      rmdirSync(path)
    } catch {
      // It holds something, or somebody was faster.
    }
  }
}

/** Not mkdir's own `recursive`: below /proc Node 20 never comes back from it. */
function makeAbove(path: string, made: string[]): void {
  try {
    mkdirSync(path, { mode: 0o700 })
    made.push(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === "ENOENT" && dirname(path) !== path && !isFolder(dirname(path))) {
      makeAbove(dirname(path), made)
      mkdirSync(path, { mode: 0o700 })
      made.push(path)
    } else if (!isFolder(path)) throw error
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}

/** The XDG specification has relative paths ignored. */
function xdg(path: string | undefined): string | undefined {
  return path !== undefined && isAbsolute(path) ? path : undefined
}
