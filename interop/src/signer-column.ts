import { RemoteSigner, type Session } from "@casemate/nip46/client"
import { generateSecretKey } from "nostr-tools/pure"
import { ClientSockets } from "./client-sockets.js"
import type { Place, SignerHost, SignerPeer } from "./signer-peer.js"

/** How long anything may take that is not said to wait longer, in ms. */
export const ANSWER_MS = 10_000

/** Our client at one signer, over one relay. */
export class SignerColumn {
  readonly peer: SignerPeer
  readonly place: Place
  readonly host: SignerHost
  readonly sockets = new ClientSockets()
  /** What `onSession` gave last. */
  session: Session | undefined
  /** Known once the signer listens (bunker://), or once the app has made one (nostrconnect://). */
  token = ""
  #remote: RemoteSigner | undefined
  readonly #clientSecretKey = generateSecretKey()

  constructor(peer: SignerPeer, place: Place) {
    this.peer = peer
    this.place = place
    this.host = peer.open(place)
  }

  get options() {
    return {
      app: { name: "Interop" },
      webSocket: this.sockets.dial,
      onSession: (session: Session | undefined) => {
        this.session = session
      },
      timing: { requestMs: ANSWER_MS, switchMs: ANSWER_MS, pairingMs: ANSWER_MS },
    }
  }

  get remote(): RemoteSigner {
    if (this.#remote === undefined) throw new Error(`we are not connected to ${this.peer.name}`)
    return this.#remote
  }

  get secret(): string {
    return new URL(this.token).searchParams.get("secret") ?? ""
  }

  /** With the key of before in the bunker:// flow; the other flow makes one for each token. */
  async connect(): Promise<void> {
    this.#remote?.close()
    this.#remote = undefined
    if (this.peer.flow === "bunker") {
      const { options, token } = this
      this.#remote = await RemoteSigner.connect(token, { ...options, clientSecretKey: this.#clientSecretKey })
      return
    }
    const pairing = await this.pair()
    this.token = pairing.uri
    await this.host.accept(pairing.uri)
    this.#remote = await pairing.connected()
  }

  pair() {
    return RemoteSigner.pair({ ...this.options, relays: [this.place.url] })
  }

  /** As an app does that is closed and opened again. */
  restore(): void {
    const stored = JSON.stringify(this.session)
    this.remote.close()
    this.#remote = RemoteSigner.restore(stored, this.options)
  }

  async close(): Promise<void> {
    this.#remote?.close()
    await this.host.close()
    await this.sockets.onlyOpen()
  }
}
