import { type ConnectOptions, RemoteSigner } from "@casemate/nip46/client"
import { hexToBytes } from "nostr-tools/utils"
import type { ClientPeer, ClientSession, OnAuthUrl } from "../peer.js"
import { within } from "../wait.js"
import { WatchedWebSocket } from "../wire.js"

const webSocket = (url: string): WatchedWebSocket => new WatchedWebSocket(url)

/** Our own, held to what the others are. */
export const casemate: ClientPeer = {
  name: "Casemate RemoteSigner",
  limits: {},
  async connect(token, clientSecretKey, onAuthUrl) {
    return sessionOf(await RemoteSigner.connect(token, { clientSecretKey, webSocket, ...authOf(onAuthUrl) }))
  },
  async pair({ relay, perms, deadlineMs, letIn, onAuthUrl }) {
    const app = { name: "Notes" }
    const pairing = await RemoteSigner.pair({ relays: [relay], app, perms, webSocket, ...authOf(onAuthUrl) })
    const connected = pairing.connected()
    try {
      const [signer] = await within(Promise.all([connected, letIn(pairing.uri)]), deadlineMs, "pairing")
      return { session: sessionOf(signer), secretKey: hexToBytes(signer.session.clientSecretKey) }
    } catch (error) {
      pairing.close()
      // It may have connected all the same.
      await connected.then(
        (signer) => signer.close(),
        () => undefined,
      )
      throw error
    }
  },
}

function authOf(onAuthUrl: OnAuthUrl | undefined): Pick<ConnectOptions, "onAuthUrl"> {
  return onAuthUrl === undefined ? {} : { onAuthUrl: ({ url }) => onAuthUrl(url) }
}

function sessionOf(signer: RemoteSigner): ClientSession {
  return {
    signer,
    remoteSigner: signer.remoteSignerPubkey,
    getPublicKey: () => signer.getPublicKey(),
    signEvent: (template) => signer.signEvent(template),
    nip44Encrypt: (pubkey, plaintext) => signer.nip44Encrypt(pubkey, plaintext),
    nip44Decrypt: (pubkey, ciphertext) => signer.nip44Decrypt(pubkey, ciphertext),
    nip04Encrypt: (pubkey, plaintext) => signer.nip04Encrypt(pubkey, plaintext),
    nip04Decrypt: (pubkey, ciphertext) => signer.nip04Decrypt(pubkey, ciphertext),
    ping: () => signer.ping(),
    async switchRelays() {
      const before = signer.relays
      return (await signer.switchRelays()).join() !== before.join()
    },
    call: (method, params) => signer.call(method, params),
    async connectAgain() {
      await signer.call("connect", [signer.remoteSignerPubkey])
    },
    async logout() {
      if (!(await signer.logout())) throw new Error("the bunker did not hear of the logout")
    },
    async close() {
      signer.close()
    },
  }
}
