import NDK, { NDKEvent, NDKNip46Signer, NDKPrivateKeySigner, type NDKRpcResponse, NDKUser } from "@nostr-dev-kit/ndk"
import { type Event, generateSecretKey } from "nostr-tools/pure"
import type { ClientPeer, ClientSession } from "../peer.js"
import { versionOf } from "../version.js"
import { within } from "../wait.js"
import { WatchedWebSocket } from "../wire.js"

// NDK takes the platform's WebSocket, which Node 20 has not.
Object.assign(globalThis, { WebSocket: WatchedWebSocket })

const NO_NEW_SUBSCRIPTION =
  "it dials again and publishes, and does not subscribe again, so that answers do not reach it"

export const ndk: ClientPeer = {
  name: "NDK NDKNip46Signer",
  version: versionOf("@nostr-dev-kit/ndk"),
  limits: {
    ping: {
      kind: "by hand",
      why: "no ping of its own; asked through its rpc",
      isStillSo: (signer) => !("ping" in signer),
    },
    switch_relays: {
      kind: "by hand",
      why: "its own is private and runs while it connects; asked through its rpc",
      // @ts-expect-error: private in this version; the compiler tells when it is not.
      isStillSo: (signer) => (signer as NDKNip46Signer).switchRelays !== undefined,
    },
    "second connect": {
      kind: "by hand",
      where: ({ flow }) => flow === "nostrconnect://",
      why: "after its own token its blockUntilReady waits for the secret anew and sends no connect; asked through its rpc",
      isStillSo(signer) {
        const { rpc } = signer as NDKNip46Signer
        const waiting = rpc.listenerCount("response")
        void (signer as NDKNip46Signer).blockUntilReady()
        return rpc.listenerCount("response") > waiting
      },
    },
    "relay restarts": { kind: "in a new session", why: NO_NEW_SUBSCRIPTION },
    "relay dies": { kind: "in a new session", why: NO_NEW_SUBSCRIPTION },
    logout: {
      kind: "by hand",
      why: "no logout of its own; asked through its rpc",
      isStillSo: (signer) => !("logout" in signer),
    },
  },
  async connect(token, secretKey, onAuthUrl) {
    const kit = new NDK({ enableOutboxModel: false })
    const signer = NDKNip46Signer.bunker(kit, token, new NDKPrivateKeySigner(secretKey))
    const session = sessionOf(signer, kit)
    if (onAuthUrl !== undefined) signer.on("authUrl", onAuthUrl)
    try {
      await signer.blockUntilReady()
    } catch (error) {
      await session.close()
      throw error
    }
    return session
  },
  async pair({ relay, perms, deadlineMs, letIn, onAuthUrl }) {
    const secretKey = generateSecretKey()
    const kit = new NDK({ enableOutboxModel: false })
    const localSigner = new NDKPrivateKeySigner(secretKey)
    const signer = NDKNip46Signer.nostrconnect(kit, relay, localSigner, { name: "Notes", perms })
    // After its own token the signer does not pass on what its rpc emits.
    if (onAuthUrl !== undefined) signer.rpc.on("authUrl", onAuthUrl)
    try {
      const ready = signer.blockUntilReady()
      await within(Promise.all([ready, letIn(signer.nostrConnectUri as string)]), deadlineMs, "pairing")
      return { session: sessionOf(signer, kit), secretKey }
    } catch (error) {
      close(signer)
      throw error
    }
  },
}

function sessionOf(signer: NDKNip46Signer, kit: NDK): ClientSession {
  const remoteSigner = signer.bunkerPubkey ?? ""
  const user = (pubkey: string): NDKUser => new NDKUser({ pubkey })
  const call = (method: string, params: string[]): Promise<string> =>
    new Promise((resolve, reject) => {
      const answered = ({ result, error }: NDKRpcResponse): void => {
        if (error === undefined) resolve(result)
        else reject(error)
      }
      void signer.rpc.sendRequest(remoteSigner, method, params, 24133, answered)
    })
  return {
    signer,
    remoteSigner,
    getPublicKey: async () => (await signer.user()).pubkey,
    async signEvent(template) {
      const event = new NDKEvent(kit, { ...template, pubkey: "" })
      await event.sign(signer)
      return event.rawEvent() as Event
    },
    nip44Encrypt: (pubkey, plaintext) => signer.encrypt(user(pubkey), plaintext, "nip44"),
    nip44Decrypt: (pubkey, ciphertext) => signer.decrypt(user(pubkey), ciphertext, "nip44"),
    nip04Encrypt: (pubkey, plaintext) => signer.encrypt(user(pubkey), plaintext, "nip04"),
    nip04Decrypt: (pubkey, ciphertext) => signer.decrypt(user(pubkey), ciphertext, "nip04"),
    async ping() {
      await call("ping", [])
    },
    switchRelays: () => call("switch_relays", []),
    call,
    async connectAgain() {
      if (signer.nostrConnectUri === undefined) await signer.blockUntilReady()
      else await call("connect", [remoteSigner])
    },
    async logout() {
      await call("logout", [])
    },
    close: async () => close(signer),
  }
}

function close(signer: NDKNip46Signer): void {
  signer.stop()
  for (const relay of signer.rpc["pool"]?.relays.values() ?? []) {
    // A reconnection that waits would outlive the disconnect.
    relay.connectivity.resetReconnectionState()
    relay.disconnect()
  }
}
