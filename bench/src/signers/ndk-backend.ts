import NDK, { NDKNip46Backend, NDKPrivateKeySigner } from "@nostr-dev-kit/ndk"
import { WebSocket } from "ws"
import { ready } from "../part.js"

/** NDK's own backend, as its documentation has it: let whoever has the secret in, and sign notes for them. */
Object.assign(globalThis, { WebSocket })

const SECRET = "a-secret-of-the-owner"
const CONNECT_MS = 5_000

/** NDK leaves to its host which secrets there are. */
class Backend extends NDKNip46Backend {
  override async applyToken(_pubkey: string, token: string): Promise<void> {
    if (token !== SECRET) throw new Error("no such token")
  }
}

const url = process.argv[2] ?? ""
const kit = new NDK({ explicitRelayUrls: [url], enableOutboxModel: false })
await kit.connect(CONNECT_MS)
const signer = NDKPrivateKeySigner.generate()
const backend = new Backend(kit, signer, async ({ method }) => method === "connect" || method === "sign_event", [url])
await backend.start()
ready({
  token: `bunker://${signer.pubkey}?relay=${encodeURIComponent(url)}&secret=${SECRET}`,
  userPubkey: signer.pubkey,
})
