import { homedir } from "node:os"
import { join } from "node:path"

/** The platform's folder for what programs keep: SQLite, sockets, locks. */
export function defaultDataDir(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string {
  if (platform === "darwin") return join(homedir(), "Library", "Application Support", "casemate")
  if (platform === "win32") return join(env["LOCALAPPDATA"] ?? join(homedir(), "AppData", "Local"), "casemate", "Data")
  return join(env["XDG_DATA_HOME"] || join(homedir(), ".local", "share"), "casemate")
}

/** Where the root key lies: never inside the data folder, so that a copy of one does not open the other. */
export function defaultConfigDir(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string {
  if (env["CASEMATE_CONFIG_DIR"]) return env["CASEMATE_CONFIG_DIR"]
  if (platform === "darwin") return join(homedir(), "Library", "Preferences", "casemate")
  if (platform === "win32") return join(env["APPDATA"] ?? join(homedir(), "AppData", "Roaming"), "casemate", "Config")
  return join(env["XDG_CONFIG_HOME"] || join(homedir(), ".config"), "casemate")
}
