import NDK, {
  type NDKEvent,
  NDKNip46Backend,
  type NDKPool,
  NDKPrivateKeySigner,
  type Nip46PermitCallbackParams,
} from "@nostr-dev-kit/ndk"
import { generateSecretKey, getPublicKey } from "nostr-tools/pure"
import {
  type Flow,
  type Place,
  SIGNED_KIND,
  type SignerHost,
  type SignerLimit,
  type SignerPeer,
} from "../signer-peer.js"
import { versionOf } from "../version.js"
import { within } from "../wait.js"
import { WatchedWebSocket } from "../wire.js"
import { listening } from "./listening.js"

// NDK takes the platform's WebSocket, which Node 20 has not.
Object.assign(globalThis, { WebSocket: WatchedWebSocket })

const BUNKER_SECRET = "a-secret-of-the-owner"
const DIAL_MS = 5_000
const CLOSE_MS = 3_000

const NO_NEW_SUBSCRIPTION: SignerLimit = {
  kind: "once started anew",
  why: "it dials again, and does not subscribe again, so that requests do not reach it",
}

export const ndkBackend = (flow: Flow): SignerPeer => ({
  name: "NDK NDKNip46Backend",
  version: versionOf("@nostr-dev-kit/ndk"),
  flow,
  limits: {
    ...(flow === "nostrconnect" && {
      connect: {
        kind: "by hand",
        why: "it has no call that takes a nostrconnect:// token; its host sends the secret by its rpc",
        isStillSo: (signer) => !membersOf(signer).some((name) => /nostr_?connect/i.test(name)),
      },
    }),
    ...(flow === "bunker" && {
      "wrong secret": {
        kind: "by its host",
        why: "its own applyToken refuses every secret; a host that gives tokens brings another",
        isStillSo: () =>
          NDKNip46Backend.prototype.applyToken("", BUNKER_SECRET).then(
            () => false,
            () => true,
          ),
      },
    }),
    ...(flow === "bunker" && {
      "spent secret": {
        kind: "cannot",
        why: "which secrets are spent is left to its host, and the one here keeps no account of them",
        says: /another app was let in with the same token/,
      },
    }),
    "empty plaintext": {
      kind: "cannot",
      why: "it takes an empty result for a refusal",
      says: /refused nip04_decrypt: Not authorized/,
    },
    "relay restarts": NO_NEW_SUBSCRIPTION,
    "relay dies": NO_NEW_SUBSCRIPTION,
    logout: {
      kind: "cannot",
      why: "it does not know the method, and goes on serving the client",
      says: /did not take the logout, and goes on/,
    },
  },
  open: (place) => new BackendHost(place),
})

/** What its host keeps, over its restarts too. */
interface LetIn {
  readonly secrets: Set<string>
  readonly known: Set<string>
}

/** What NDK leaves to whoever uses it: which secrets there are, and which clients have shown one. */
class HostedBackend extends NDKNip46Backend {
  readonly #secrets: ReadonlySet<string>
  readonly #known: Set<string>
  readonly #handling = new Set<Promise<void>>()
  /** Each time it has said where it listens, NDK answers over new connections. */
  readonly #pools = new Set<NDKPool | undefined>()

  constructor(kit: NDK, signer: NDKPrivateKeySigner, relays: string[], { secrets, known }: LetIn) {
    const permit = async ({ pubkey, method, params }: Nip46PermitCallbackParams): Promise<boolean> =>
      known.has(pubkey) && (method !== "sign_event" || (params as NDKEvent).kind === SIGNED_KIND)
    super(kit, signer, permit, relays)
    this.#secrets = secrets
    this.#known = known
  }

  override async applyToken(pubkey: string, token: string): Promise<void> {
    if (!this.#secrets.has(token)) throw new Error("no such token")
    this.#known.add(pubkey)
  }

  protected override handleIncomingEvent(event: NDKEvent): Promise<void> {
    const handled = super.handleIncomingEvent(event)
    const settled = Promise.allSettled([handled]).then(() => void this.#handling.delete(settled))
    this.#handling.add(settled)
    this.#pools.add(this.rpc["pool"])
    return handled
  }

  async idle(): Promise<void> {
    await Promise.all(this.#handling)
  }

  close(): void {
    for (const pool of [this.ndk.pool, this.rpc["pool"], ...this.#pools]) {
      for (const [url, relay] of [...(pool?.relays ?? [])]) {
        // A reconnection that waits would outlive the disconnect.
        relay.connectivity.resetReconnectionState()
        // A relay that stays in the pool is dialled again, as after a fault of the network, when all go at once.
        pool?.removeRelay(url)
      }
    }
  }
}

class BackendHost implements SignerHost {
  readonly remoteSignerPubkey: string
  readonly userPubkey: string
  readonly #place: Place
  readonly #key = generateSecretKey()
  readonly #letIn: LetIn = { secrets: new Set([BUNKER_SECRET]), known: new Set() }
  #running: HostedBackend | undefined
  #offered: string[]

  constructor(place: Place) {
    this.#place = place
    this.#offered = [place.url]
    this.remoteSignerPubkey = getPublicKey(this.#key)
    this.userPubkey = this.remoteSignerPubkey
  }

  get signer(): object {
    return this.#started()
  }

  async listen(): Promise<string> {
    const { url, other } = this.#place
    const kit = new NDK({ explicitRelayUrls: [url, other], enableOutboxModel: false })
    await kit.connect(DIAL_MS)
    const backend = new HostedBackend(kit, new NDKPrivateKeySigner(this.#key), this.#offered, this.#letIn)
    this.#running = backend
    await listening(this.remoteSignerPubkey, 2, () => backend.start())
    return `bunker://${this.remoteSignerPubkey}?relay=${encodeURIComponent(url)}&secret=${BUNKER_SECRET}`
  }

  async accept(uri: string): Promise<void> {
    if (this.#running === undefined) await this.listen()
    const { host: client, searchParams } = new URL(uri)
    const secret = searchParams.get("secret") ?? ""
    this.#letIn.secrets.add(secret)
    this.#letIn.known.add(client)
    await this.#started().rpc.sendResponse("paired", client, secret)
  }

  /** NDK answers over its list of the moment: in the middle of a request, a new one would mislay the answer. */
  async offer(relays: readonly string[]): Promise<void> {
    const backend = this.#started()
    await backend.idle()
    this.#offered = [...relays]
    backend.relayUrls = this.#offered
  }

  async startAnew(): Promise<void> {
    await this.close()
    await this.listen()
  }

  async close(): Promise<void> {
    if (this.#running === undefined) return
    const backend = this.#running
    this.#running = undefined
    await within(backend.idle(), CLOSE_MS, "what NDK was about to answer").catch(() => undefined)
    backend.close()
  }

  #started(): HostedBackend {
    if (this.#running === undefined) throw new Error("this backend was not started")
    return this.#running
  }
}

function membersOf(signer: object): string[] {
  return [...Object.keys(signer), ...Object.getOwnPropertyNames(NDKNip46Backend.prototype)]
}
