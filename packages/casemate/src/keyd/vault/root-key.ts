import { existsSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, statSync } from "node:fs"
import { join, sep } from "node:path"
import { UserError } from "../../config/user-error.js"
import { createPrivateFile } from "./private-file.js"
import { Secret } from "./secret.js"

export const VAULT_FILE = "vault.json"
const VAULT_ID = /^[0-9a-f]{32}$/
const ROOT_KEY = /^casemate-root-key-1:([0-9a-f]{64})\n?$/

export interface RootKeyOptions {
  readonly dataDir: string
  /** Must lie outside the data folder: a copy of the data alone shall open nothing. */
  readonly configDir: string
  /** A file of the data folder that exists once something was sealed: with it there, no new root key is made. */
  readonly sealedFile: string
  readonly randomBytes: (length: number) => Uint8Array
}

/** A root key and the vault it belongs to. */
export interface RootKey {
  readonly vaultId: string
  readonly rootKey: Secret
  readonly path: string
}

/**
 * Reads the root key of a data folder, or makes one for a new folder. The data folder carries a random
 * vault id and the key file is named after it, so that the folder can be moved and several share one
 * configuration.
 *
 * @throws UserError when the key is missing, malformed, readable by others, or inside the data folder
 */
export function loadRootKey({ dataDir, configDir, sealedFile, randomBytes }: RootKeyOptions): RootKey {
  for (const folder of [dataDir, configDir]) mkdirSync(folder, { recursive: true, mode: 0o700 })
  refuseNested(dataDir, configDir)
  const sealed = existsSync(join(dataDir, sealedFile))
  if (!sealed && wasSealed(join(dataDir, VAULT_FILE))) {
    throw new UserError(
      `${join(dataDir, sealedFile)} is missing, and the keys were in it: put it back from your backup, or move ${dataDir} away to start anew`,
    )
  }
  const vaultId = readVaultId(join(dataDir, VAULT_FILE), sealed, randomBytes)
  const path = rootKeyFile(configDir, vaultId)
  if (!existsSync(path)) {
    if (sealed) {
      throw new UserError(
        `the root key ${path} is missing, and the keys in ${dataDir} cannot be opened without it: put it back from your backup`,
      )
    }
    createRootKey(path, randomBytes)
  }
  return { vaultId, rootKey: readRootKey(path), path }
}

/** Notes in the vault file that its sealed file was made: from then on a start without that is no first start. */
export function noteSealed(dataDir: string): void {
  const path = join(dataDir, VAULT_FILE)
  if (wasSealed(path)) return
  const vaultId = vaultIdIn(readFileSync(path, "utf8"))
  const fresh = `${path}.new`
  rmSync(fresh, { force: true })
  createPrivateFile(fresh, `${JSON.stringify({ version: 1, vaultId, sealed: true })}\n`)
  renameSync(fresh, path)
}

function wasSealed(path: string): boolean {
  try {
    return (JSON.parse(readFileSync(path, "utf8")) as { sealed?: unknown }).sealed === true
  } catch {
    // Whatever is wrong with it is said where its id is read.
    return false
  }
}

/** Removes a root key and the vault file that names it: whatever was sealed under it is lost. */
export function forgetRootKey({ dataDir, configDir }: Pick<RootKeyOptions, "dataDir" | "configDir">): void {
  const path = join(dataDir, VAULT_FILE)
  if (!existsSync(path)) return
  const vaultId = vaultIdIn(readFileSync(path, "utf8"))
  if (vaultId !== undefined) rmSync(rootKeyFile(configDir, vaultId), { force: true })
  rmSync(path)
}

function rootKeyFile(configDir: string, vaultId: string): string {
  return join(configDir, `root-${vaultId}.key`)
}

function refuseNested(dataDir: string, configDir: string): void {
  const data = realpathSync(dataDir)
  const config = realpathSync(configDir)
  if (config !== data && !config.startsWith(data + sep)) return
  throw new UserError(
    `the configuration folder ${configDir} lies inside the data folder ${dataDir}, where a copy of the data would carry its own key: choose another`,
  )
}

function readVaultId(path: string, sealed: boolean, randomBytes: RootKeyOptions["randomBytes"]): string {
  if (!existsSync(path)) {
    if (sealed) {
      throw new UserError(
        `${path} is missing, and without it the root key of these keys is not known: put it back from your backup`,
      )
    }
    const vaultId = Buffer.from(randomBytes(16)).toString("hex")
    createPrivateFile(path, `${JSON.stringify({ version: 1, vaultId })}\n`)
  }
  const vaultId = vaultIdIn(readFileSync(path, "utf8"))
  if (vaultId !== undefined) return vaultId
  throw new UserError(`${path} is not a vault file of this version of casemate: put it back from your backup`)
}

function vaultIdIn(json: string): string | undefined {
  try {
    const { version, vaultId } = JSON.parse(json) as { version?: unknown; vaultId?: unknown }
    return version === 1 && typeof vaultId === "string" && VAULT_ID.test(vaultId) ? vaultId : undefined
  } catch {
    return undefined
  }
}

function createRootKey(path: string, randomBytes: RootKeyOptions["randomBytes"]): void {
  const bytes = randomBytes(32)
  createPrivateFile(path, `casemate-root-key-1:${Buffer.from(bytes).toString("hex")}\n`)
  bytes.fill(0)
}

function readRootKey(path: string): Secret {
  // Windows has no such bits: there the folder of the user is what keeps others out.
  if (process.platform !== "win32" && (statSync(path).mode & 0o077) !== 0) {
    throw new UserError(
      `the root key ${path} can be read by others: run chmod 600 ${path}, and change it if somebody did`,
    )
  }
  const hex = ROOT_KEY.exec(readFileSync(path, "utf8"))?.[1]
  if (hex === undefined) {
    throw new UserError(`the root key ${path} is damaged: put it back from your backup`)
  }
  return new Secret(Uint8Array.from(Buffer.from(hex, "hex")))
}
