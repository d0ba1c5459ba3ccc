import { existsSync } from "node:fs"
import { join } from "node:path"
import { BunkerGoneError, type OwnerClient, openOwnerClient } from "../channel/owner-client.js"
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

/** How long a keyd may be gone while its daemon starts it again. */
const GONE_MS = 5_000
/** The same while a bunker starts, on a machine that may be busy with nothing but that. */
const START_MS = 20_000
const LOOK_EVERY_MS = 200

export interface AgainOptions {
  /** It was seen to run a moment ago: when it is not there at first, it went away and comes back. */
  readonly hasRun?: boolean
  /** Ends the waiting for its return. */
  readonly signal?: AbortSignal
}

/**
 * The same for what must outlive keyd: done again when keyd goes away meanwhile and comes back.
 *
 * @throws UserError when none runs there, or it does not come back
 */
export async function withBunkerAgain<T>(
  dataDir: string | undefined,
  use: (bunker: OwnerClient) => Promise<T>,
  { hasRun = false, signal }: AgainOptions = {},
): Promise<T> {
  // Named once: opening one changes the working directory.
  const folder = parseDataDir(dataDir)
  let wasThere = hasRun
  let gone: { readonly since: number; readonly error: UserError } | undefined
  for (;;) {
    try {
      return await withBunker(folder, async (bunker) => {
        wasThere = true
        gone = undefined
        return use(bunker)
      })
    } catch (error) {
      if (!(error instanceof BunkerGoneError || (error instanceof NotRunningError && wasThere))) throw error
      gone ??= { since: performance.now(), error }
      const isOver = performance.now() - gone.since > (hasRun ? START_MS : GONE_MS)
      if (isOver || signal?.aborted === true) throw hasRun ? neverBack() : gone.error
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
    }
  }
}

function neverBack(): UserError {
  return new UserError("the process that holds the keys ended and did not come back; its log says why")
}

/** Nobody listens on a data folder. */
class NotRunningError extends UserError {}

async function open(folder: string): Promise<OwnerClient> {
  try {
    // The doors are named relative to the data folder, however deep that lies.
    process.chdir(folder)
    return await openOwnerClient()
  } catch (error) {
    switch ((error as NodeJS.ErrnoException).code) {
      case "ENOENT":
      case "ECONNREFUSED":
        throw new NotRunningError(
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
