import { RelayPool } from "applesauce-relay"
import { NostrConnectSigner, PrivateKeySigner } from "applesauce-signers"
import { generateSecretKey } from "nostr-tools/pure"
import type { ClientPeer, ClientSession, OnAuthUrl } from "../peer.js"
import { versionOf } from "../version.js"
import { within } from "../wait.js"
import { WatchedWebSocket } from "../wire.js"

export const applesauce: ClientPeer = {
  name: "applesauce NostrConnectSigner",
  version: versionOf("applesauce-signers"),
  limits: {
    "unknown method": {
      kind: "by hand",
      why: "its makeRequest is private",
      // @ts-expect-error: private in this version; the compiler tells when it is not.
      isStillSo: (signer) => (signer as NostrConnectSigner).makeRequest !== undefined,
    },
    "relay restarts": {
      kind: "in a new session",
      where: ({ relay }) => relay.closesProperly,
      why: `applesauce-relay ${versionOf("applesauce-relay")} takes a WebSocket that was closed properly for finished, and does not subscribe again`,
    },
  },
  async connect(token, secretKey, onAuthUrl) {
    const pool = newPool()
    try {
      const signer = await NostrConnectSigner.fromBunkerURI(token, {
        pool,
        signer: new PrivateKeySigner(secretKey),
        ...authOf(onAuthUrl),
      })
      return sessionOf(signer, pool)
    } catch (error) {
      pool.close()
      throw error
    }
  },
  async pair({ relay, perms, deadlineMs, letIn, onAuthUrl }) {
    const secretKey = generateSecretKey()
    const pool = newPool()
    const local = new PrivateKeySigner(secretKey)
    const signer = new NostrConnectSigner({ relays: [relay], pool, signer: local, ...authOf(onAuthUrl) })
    try {
      const listening = signer.waitForSigner()
      const uri = signer.getNostrConnectURI({ name: "Notes", permissions: perms.split(",") })
      await within(Promise.all([listening, letIn(uri)]), deadlineMs, "pairing")
      return { session: sessionOf(signer, pool), secretKey }
    } catch (error) {
      await signer.close()
      pool.close()
      throw error
    }
  },
}

function authOf(onAuthUrl: OnAuthUrl | undefined): { onAuth?: (url: string) => Promise<void> } {
  return onAuthUrl === undefined ? {} : { onAuth: async (url) => onAuthUrl(url) }
}

function newPool(): RelayPool {
  return new RelayPool({ WebSocket: WatchedWebSocket as unknown as typeof globalThis.WebSocket })
}

function sessionOf(signer: NostrConnectSigner, pool: RelayPool): ClientSession {
  return {
    signer,
    remoteSigner: signer.remote ?? "",
    getPublicKey: () => signer.getPublicKey(),
    signEvent: (template) => signer.signEvent(template),
    nip44Encrypt: (pubkey, plaintext) => signer.nip44Encrypt(pubkey, plaintext),
    nip44Decrypt: (pubkey, ciphertext) => signer.nip44Decrypt(pubkey, ciphertext),
    nip04Encrypt: (pubkey, plaintext) => signer.nip04Encrypt(pubkey, plaintext),
    nip04Decrypt: (pubkey, ciphertext) => signer.nip04Decrypt(pubkey, ciphertext),
    async ping() {
      await signer.ping()
    },
    switchRelays: () => signer.switchRelays(),
    call: (method, params) =>
      signer["makeRequest"](method as Parameters<NostrConnectSigner["makeRequest"]>[0], params) as Promise<string>,
    async connectAgain() {
      await signer.connect(signer.bunkerSecret)
    },
    logout: () => signer.logout(),
    async close() {
      await signer.close()
      pool.close()
    },
  }
}
