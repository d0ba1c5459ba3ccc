import { once } from "node:events"
import type { NostrEvent } from "@casemate/nip46/protocol"
import { WebSocket } from "ws"

/** One WebSocket to a relay that is always there. The load client and the bare loop speak through it. */
export class RelaySocket {
  readonly #socket: WebSocket
  readonly #onEose = new Map<string, () => void>()
  readonly #onEvent = new Map<string, (event: NostrEvent) => void>()

  private constructor(socket: WebSocket) {
    this.#socket = socket
    socket.on("message", (data) => {
      const [label, name, event] = JSON.parse((data as Buffer).toString("utf8")) as [string, string, NostrEvent]
      if (label === "EVENT") this.#onEvent.get(name)?.(event)
      if (label === "EOSE") this.#onEose.get(name)?.()
    })
  }

  static async open(url: string): Promise<RelaySocket> {
    const socket = new WebSocket(url, { perMessageDeflate: false })
    await once(socket, "open")
    return new RelaySocket(socket)
  }

  /** Resolves once the relay has the subscription. */
  listen(pubkey: string, onEvent: (event: NostrEvent) => void): Promise<void> {
    const name = pubkey.slice(0, 16)
    this.#onEvent.set(name, onEvent)
    return new Promise((resolve) => {
      this.#onEose.set(name, resolve)
      this.#socket.send(JSON.stringify(["REQ", name, { kinds: [24133], "#p": [pubkey] }]))
    })
  }

  publish(event: NostrEvent): void {
    this.#socket.send(JSON.stringify(["EVENT", event]))
  }
}
