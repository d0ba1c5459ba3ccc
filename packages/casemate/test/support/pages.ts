import { createServer } from "node:net"
import { type Bunker, type Folders, startBunker } from "./bunker.js"

/**
 * A bunker with pages at which owners decide, `http://localhost:<port>`, and its port the same from the first moment.
 *
 * @param publicUrl where something else stands before it
 */
export async function startWithPages(
  folders: Folders,
  publicUrl?: string,
): Promise<{ bunker: Bunker; origin: string }> {
  const port = await freePort()
  const origin = publicUrl ?? `http://localhost:${port}`
  return { bunker: await startBunker(folders, ["--http", `localhost:${port}`, "--public-url", origin]), origin }
}

/** Free now, on both loopback addresses, as a bunker at `localhost` needs it. */
export async function freePort(): Promise<number> {
  const first = createServer()
  const second = createServer()
  try {
    const port = await new Promise<number>((resolve, reject) => {
      first.once("error", reject)
      first.listen(0, "127.0.0.1", () => resolve((first.address() as { port: number }).port))
    })
    const isFree = await new Promise<boolean>((resolve) => {
      second.once("error", ({ code }: NodeJS.ErrnoException) => resolve(code !== "EADDRINUSE"))
      second.listen(port, "::1", () => resolve(true))
    })
    return isFree ? port : freePort()
  } finally {
    first.close()
    second.close()
  }
}
