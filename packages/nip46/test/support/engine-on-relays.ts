import { createNodeBackend } from "../../src/crypto/node/index.js"
import { NOSTR_CONNECT_KIND } from "../../src/protocol/event.js"
import { parsePermissions } from "../../src/protocol/permission.js"
import { createMemoryKeys, createMemoryRecord, SignerEngine } from "../../src/signer/index.js"
import type { TransportFactory } from "../../src/transport/index.js"

/** Our own signer on relays, in this process: what a signer author builds in an afternoon. */
export async function engineOnRelays(open: TransportFactory, relays: readonly string[], perms: string) {
  const crypto = createNodeBackend()
  const record = createMemoryRecord()
  const keys = createMemoryKeys(crypto)
  const userPubkey = keys.addUserKey()
  const engine = new SignerEngine({ record, keys, crypto })
  const transport = open(relays, {})
  const pubkeys: string[] = []
  const subscription = transport.subscribe([], {
    onEvent(event) {
      void engine.handle(event).then((outcome) => {
        if (outcome.kind === "answered") void transport.publish(outcome.answer.event)
      })
    },
  })
  return {
    userPubkey,
    async token(): Promise<string> {
      const { token, connection } = await engine.offer({
        userPubkey,
        permissions: parsePermissions(perms),
        relays,
        ttl: 600,
      })
      pubkeys.push(connection.remoteSignerPubkey)
      subscription.update([{ kinds: [NOSTR_CONNECT_KIND], "#p": pubkeys }])
      return token
    },
    close(): void {
      transport.close()
      engine.close()
    },
  }
}
