import { createNodeBackend } from "@casemate/nip46/crypto/node"
import { NOSTR_CONNECT_KIND, type NostrEvent } from "@casemate/nip46/protocol"
import { ready } from "../part.js"
import { RelaySocket } from "../relay-socket.js"

/**
 * What a signature over NIP-46 costs at the least: verify, decrypt, sign, encrypt, sign, with the bunker's own
 * primitives in one process. No policy, no record, no limits: nobody should keep a key with it.
 */
const crypto = createNodeBackend()
const signer = crypto.keypair(crypto.generateSecretKey())
const user = crypto.keypair(crypto.generateSecretKey())
const conversations = new Map<string, Uint8Array>()

function conversationWith(pubkey: string): Uint8Array {
  const known = conversations.get(pubkey) ?? crypto.conversationKey(signer, pubkey)
  conversations.set(pubkey, known)
  return known
}

function resultOf(method: string, params: readonly string[]): string {
  if (method !== "sign_event") return "ack"
  return JSON.stringify(crypto.signEvent(JSON.parse(params[0] ?? ""), user))
}

const url = process.argv[2] ?? ""
const relay = await RelaySocket.open(url)
await relay.listen(signer.pubkey, (event: NostrEvent) => {
  if (!crypto.verifyEvent(event)) return
  const conversation = conversationWith(event.pubkey)
  const { id, method, params } = JSON.parse(crypto.nip44Decrypt(event.content, conversation)) as {
    id: string
    method: string
    params: string[]
  }
  const content = crypto.nip44Encrypt(JSON.stringify({ id, result: resultOf(method, params) }), conversation)
  const tags = [["p", event.pubkey]]
  const created_at = Math.floor(Date.now() / 1_000)
  relay.publish(crypto.signEvent({ kind: NOSTR_CONNECT_KIND, content, tags, created_at }, signer))
})
ready({
  token: `bunker://${signer.pubkey}?relay=${encodeURIComponent(url)}`,
  userPubkey: user.pubkey,
  curve: crypto.name,
})
