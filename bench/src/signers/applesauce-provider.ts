import { RelayPool } from "applesauce-relay"
import { NostrConnectProvider, PrivateKeySigner } from "applesauce-signers"
import { createBunkerURI } from "applesauce-signers/helpers"
import { WebSocket } from "ws"
import { ready } from "../part.js"

/** applesauce's own provider: let whoever has the secret in, and sign notes for them. */
const SECRET = "a-secret-of-the-owner"

const url = process.argv[2] ?? ""
const [user, signer] = [new PrivateKeySigner(), new PrivateKeySigner()]
const provider = new NostrConnectProvider({
  relays: [url],
  upstream: user,
  signer,
  pool: new RelayPool({ WebSocket: WebSocket as unknown as typeof globalThis.WebSocket }),
  bunkerSecret: SECRET,
  onSignEvent: ({ kind }) => kind === 1,
})
await provider.start()
const remote = await signer.getPublicKey()
ready({
  token: createBunkerURI({ remote, relays: [url], bunkerSecret: SECRET }),
  userPubkey: await user.getPublicKey(),
})
