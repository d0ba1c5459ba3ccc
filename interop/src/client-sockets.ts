import { WebSocket } from "ws"
import { until } from "../../packages/casemate/test/support/bunker.js"

/** The sockets of one client of ours, and what became of them. */
export class ClientSockets {
  /** `opened` and `closed` with the address, in order. */
  readonly history: string[] = []
  /** By the address that was asked for: a socket's own has a slash at its end. */
  readonly #open = new Map<WebSocket, string>()

  readonly dial = (url: string): WebSocket => {
    const socket = new WebSocket(url)
    this.#open.set(socket, url)
    socket.on("open", () => this.history.push(`opened ${url}`))
    socket.on("close", () => {
      this.#open.delete(socket)
      this.history.push(`closed ${url}`)
    })
    return socket
  }

  /** Resolves once nothing is open but one socket to each of these. */
  async onlyOpen(...urls: string[]): Promise<void> {
    const wanted = urls.sort().join()
    const isSo = (): boolean => [...this.#open.values()].sort().join() === wanted
    await until(isSo, { deadlineMs: 5_000, what: `sockets to ${urls.join(", ") || "nobody"} alone` })
  }
}
