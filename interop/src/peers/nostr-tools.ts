import { randomUUID } from "node:crypto"
import { type BunkerPointer, BunkerSigner, createNostrConnectURI, parseBunkerInput } from "nostr-tools/nip46"
import { SimplePool, useWebSocketImplementation } from "nostr-tools/pool"
import { generateSecretKey, getPublicKey } from "nostr-tools/pure"
import type { ClientPeer, ClientSession } from "../peer.js"
import { versionOf } from "../version.js"
import { within } from "../wait.js"
import { WatchedWebSocket } from "../wire.js"

useWebSocketImplementation(WatchedWebSocket)

export const nostrTools: ClientPeer = {
  name: "nostr-tools BunkerSigner",
  version: versionOf("nostr-tools"),
  limits: {},
  async connect(token, secretKey, onauth) {
    const pointer = (await parseBunkerInput(token)) as BunkerPointer
    const pool = new SimplePool()
    const signer = BunkerSigner.fromBunker(secretKey, pointer, { pool, ...(onauth && { onauth }) })
    const session = sessionOf(signer, pool)
    try {
      await signer.connect()
    } catch (error) {
      await session.close()
      throw error
    }
    return session
  },
  async pair({ relay, perms, deadlineMs, letIn, onAuthUrl: onauth }) {
    const secretKey = generateSecretKey()
    const pool = new SimplePool()
    const uri = createNostrConnectURI({
      clientPubkey: getPublicKey(secretKey),
      relays: [relay],
      secret: randomUUID(),
      perms: perms.split(","),
      name: "Notes",
    })
    try {
      const listening = BunkerSigner.fromURI(secretKey, uri, { pool, ...(onauth && { onauth }) })
      const [signer] = await within(Promise.all([listening, letIn(uri)]), deadlineMs, "pairing")
      return { session: sessionOf(signer, pool), secretKey }
    } catch (error) {
      pool.destroy()
      throw error
    }
  },
}

function sessionOf(signer: BunkerSigner, pool: SimplePool): ClientSession {
  return {
    signer,
    remoteSigner: signer.bp.pubkey,
    getPublicKey: () => signer.getPublicKey(),
    signEvent: (template) => signer.signEvent(template),
    nip44Encrypt: (pubkey, plaintext) => signer.nip44Encrypt(pubkey, plaintext),
    nip44Decrypt: (pubkey, ciphertext) => signer.nip44Decrypt(pubkey, ciphertext),
    nip04Encrypt: (pubkey, plaintext) => signer.nip04Encrypt(pubkey, plaintext),
    nip04Decrypt: (pubkey, ciphertext) => signer.nip04Decrypt(pubkey, ciphertext),
    ping: () => signer.ping(),
    switchRelays: () => signer.switchRelays(),
    call: (method, params) => signer.sendRequest(method, params),
    connectAgain: () => signer.connect(),
    logout: () => signer.logout(),
    async close() {
      await signer.close()
      pool.destroy()
    },
  }
}
