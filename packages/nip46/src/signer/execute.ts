import type { CryptoBackend } from "../crypto/backend.js"
import type { NostrEvent } from "../protocol/event.js"
import { sameRelays } from "../protocol/relay-url.js"
import type { Ask } from "./authorize.js"
import type { Connection, SignerKeys } from "./ports.js"

/**
 * Gate 8: the only step that touches a user key, and only for an ask that was committed as allowed.
 * Gives the `result` of the response as NIP-46's table of methods says.
 *
 * @param onSigned hears of an event that the user key has signed; must not throw
 * @throws `INVALID_KEY`, `ENCRYPTION_FAILED`, `DECRYPTION_FAILED`
 */
export async function execute(
  ask: Ask,
  connection: Connection,
  { keys, crypto, onSigned }: { keys: SignerKeys; crypto: CryptoBackend; onSigned: (event: NostrEvent) => void },
): Promise<string> {
  switch (ask.method) {
    case "connect":
    case "logout":
      return "ack"
    case "ping":
      return "pong"
    case "get_public_key":
      return connection.userPubkey
    case "switch_relays":
      // `relays` is what we serve, `clientRelays` what the client knew when it asked.
      return relaysAnswer(connection)
    case "sign_event": {
      const signed = crypto.signEvent(ask.template, await keys.userKey(connection.userPubkey))
      // Written first: whoever hears of it cannot change what goes out.
      const result = JSON.stringify(signed)
      onSigned(signed)
      return result
    }
    case "nip04_encrypt":
      return crypto.nip04Encrypt(ask.text, await keys.userKey(connection.userPubkey), ask.counterparty)
    case "nip04_decrypt":
      return crypto.nip04Decrypt(ask.text, await keys.userKey(connection.userPubkey), ask.counterparty)
    case "nip44_encrypt":
    case "nip44_decrypt": {
      const user = await keys.userKey(connection.userPubkey)
      const conversationKey = crypto.conversationKey(user, ask.counterparty)
      try {
        return ask.method === "nip44_encrypt"
          ? crypto.nip44Encrypt(ask.text, conversationKey)
          : crypto.nip44Decrypt(ask.text, conversationKey)
      } finally {
        conversationKey.fill(0)
      }
    }
  }
}

/** "No change" is the string `null`: a bare JSON null hangs some clients, and some stall on any list (QUIRKS). */
function relaysAnswer({ relays, clientRelays }: Connection): string {
  return sameRelays(relays, clientRelays) ? "null" : JSON.stringify(relays)
}
