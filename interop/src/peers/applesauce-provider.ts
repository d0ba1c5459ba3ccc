import { RelayPool } from "applesauce-relay"
import { NostrConnectProvider, PrivateKeySigner } from "applesauce-signers"
import { createBunkerURI } from "applesauce-signers/helpers"
import { generateSecretKey, getPublicKey } from "nostr-tools/pure"
import { type Flow, type Place, SIGNED_KIND, type SignerHost, type SignerPeer } from "../signer-peer.js"
import { versionOf } from "../version.js"
import { WatchedWebSocket } from "../wire.js"
import { listening } from "./listening.js"

const BUNKER_SECRET = "a-secret-of-the-owner"

export const applesauceProvider = (flow: Flow): SignerPeer => ({
  name: "applesauce NostrConnectProvider",
  version: versionOf("applesauce-signers"),
  flow,
  limits: {
    "relay restarts": {
      kind: "in a new session",
      where: ({ saysGoodbye }) => saysGoodbye,
      why: `applesauce-relay ${versionOf("applesauce-relay")} takes a WebSocket that was closed properly for finished, and does not subscribe again; started anew, the provider knows no client`,
    },
  },
  open: (place) => new ProviderHost(place, flow),
})

class ProviderHost implements SignerHost {
  readonly remoteSignerPubkey: string
  readonly userPubkey: string
  readonly #place: Place
  readonly #flow: Flow
  readonly #signerKey = generateSecretKey()
  readonly #userKey = generateSecretKey()
  #pool: RelayPool
  #provider: NostrConnectProvider
  #offered: string[] | null = null

  constructor(place: Place, flow: Flow) {
    this.#place = place
    this.#flow = flow
    this.remoteSignerPubkey = getPublicKey(this.#signerKey)
    this.userPubkey = getPublicKey(this.#userKey)
    this.#pool = newPool()
    this.#provider = this.#newProvider()
  }

  get signer(): object {
    return this.#provider
  }

  async listen(): Promise<string> {
    await listening(this.remoteSignerPubkey, 2, () => this.#provider.start())
    return createBunkerURI({
      remote: this.remoteSignerPubkey,
      relays: [this.#place.url],
      bunkerSecret: BUNKER_SECRET,
    })
  }

  accept(uri: string): Promise<void> {
    return this.#provider.start(uri)
  }

  async offer(relays: readonly string[]): Promise<void> {
    this.#offered = [...relays]
  }

  /** In the nostrconnect:// flow it listens once it has a token. */
  async startAnew(): Promise<void> {
    await this.close()
    this.#pool = newPool()
    this.#provider = this.#newProvider()
    if (this.#flow === "bunker") await this.listen()
  }

  async close(): Promise<void> {
    await this.#provider.stop()
    this.#pool.close()
  }

  #newProvider(): NostrConnectProvider {
    return new NostrConnectProvider({
      relays: [this.#place.url, this.#place.other],
      upstream: new PrivateKeySigner(this.#userKey),
      signer: new PrivateKeySigner(this.#signerKey),
      pool: this.#pool,
      ...(this.#flow === "bunker" && { bunkerSecret: BUNKER_SECRET }),
      onSignEvent: ({ kind }) => kind === SIGNED_KIND,
      onSwitchRelays: () => this.#offered,
    })
  }
}

function newPool(): RelayPool {
  return new RelayPool({ WebSocket: WatchedWebSocket as unknown as typeof globalThis.WebSocket })
}
