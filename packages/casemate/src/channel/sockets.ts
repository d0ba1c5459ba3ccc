import { rmSync } from "node:fs"
import { createConnection, createServer, type Server, type Socket } from "node:net"
import { resolve as absolute } from "node:path"
import { UserError } from "../config/user-error.js"

/**
 * keyd's doors lie in the data folder. Node cannot bind a path of more than about 100 bytes, while a data
 * folder may be that deep; so every process that uses them makes the data folder its working directory
 * and names them relatively.
 */
export const OWNER_SOCKET = "keyd.sock"
export const GATEWAY_SOCKET = "gateway.sock"

/**
 * Listens on a door of the working directory, mode 0600 from its first moment.
 *
 * @throws UserError when the folder's disk or this account cannot have one there
 */
export async function listenOn(path: string, onSocket: (socket: Socket) => void): Promise<Server> {
  // Whoever left it there is gone: the lock on the data folder says so.
  rmSync(path, { force: true })
  const server = createServer(onSocket)
  const umask = process.umask(0o177)
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject)
      server.listen(path, resolve)
    })
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException
    throw new UserError(
      `the socket ${absolute(path)} cannot be made (${code}); use a data folder on a disk of this machine, with --data-dir`,
      { cause: error },
    )
  } finally {
    process.umask(umask)
  }
  return server
}

export async function connectTo(path: string): Promise<Socket> {
  const socket = createConnection(path)
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve)
    socket.once("error", reject)
  })
  socket.removeAllListeners("error")
  return socket
}
