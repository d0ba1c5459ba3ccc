import { existsSync } from "node:fs"
import { join } from "node:path"
import { type OwnerClient, openOwnerClient } from "../channel/owner-client.js"
import { parseDataDir } from "../config/config.js"
import { explainFileError } from "../config/file-error.js"
import { RECORD_FILE } from "../config/folders.js"
import { UserError } from "../config/user-error.js"

/**
 * Speaks with the bunker that runs on a data folder.
 *
 * @throws UserError when none runs there
 */
export async function withBunker<T>(dataDir: string | undefined, use: (bunker: OwnerClient) => Promise<T>): Promise<T> {
  const folder = parseDataDir(dataDir)
  const bunker = await open(folder)
  try {
    return await use(bunker)
  } finally {
    bunker.close()
  }
}

async function open(folder: string): Promise<OwnerClient> {
  try {
    // The doors are named relative to the data folder, however deep that lies.
    process.chdir(folder)
    return await openOwnerClient()
  } catch (error) {
    switch ((error as NodeJS.ErrnoException).code) {
      case "ENOENT":
      case "ECONNREFUSED":
        throw new UserError(
          existsSync(join(folder, RECORD_FILE))
            ? `no bunker is running on ${folder}; start it with \`casemate start\`, or name its folder with --data-dir`
            : `there is no bunker in ${folder}; name the bunker's folder with --data-dir, or start one with \`casemate start\``,
        )
      case "ENOTDIR":
        throw new UserError(`${folder} is not a folder; name the bunker's with --data-dir`)
      case "EACCES":
      case "EPERM":
        throw new UserError(`the bunker on ${folder} belongs to another account of this machine`)
      default: {
        const mistake = explainFileError(error, folder)
        throw mistake === undefined ? error : new UserError(mistake)
      }
    }
  }
}
