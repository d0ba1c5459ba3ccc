import { normalizeRelayUrl, parsePermissions } from "@casemate/nip46/protocol"
import type { OfferInfo, OwnerCalls } from "../../channel/owner-calls.js"
import { UserError } from "../../config/user-error.js"
import { watchOf } from "../door/watches.js"
import { chooseKey } from "./choose-key.js"
import type { OwnerPorts } from "./ports.js"

/** What a token grants when its owner names nothing (issue: everyday kinds, and messages both ways). */
export const DEFAULT_PERMS =
  "sign_event:1,sign_event:6,sign_event:7,sign_event:16,sign_event:1111,sign_event:9734,nip44_encrypt,nip44_decrypt"

/** Makes a bunker:// token and listens for whoever redeems it. */
export async function offerConnection(
  { key, perms = DEFAULT_PERMS, ttl, relays: given }: OwnerCalls["connections.offer"]["args"],
  ports: OwnerPorts,
): Promise<OfferInfo> {
  const chosen = await chooseKey(key, ports.record)
  const relays = given === undefined || given.length === 0 ? (ports.door.info?.relays ?? []) : given.map(relayUrl)
  if (relays.length === 0) {
    throw new UserError(
      "the bunker's network side is not up yet, so no relay is known; try again in a moment or name one with --relay",
    )
  }
  const permissions = parsePermissions(perms)
  const { token, connection } = await ports.engine.offer({ userPubkey: chosen.pubkey, permissions, relays, ttl })
  ports.door.watch(watchOf(connection))
  return {
    id: connection.id,
    uri: token,
    relays: connection.relays,
    userPubkey: connection.userPubkey,
    expiresAt: connection.secretExpiresAt ?? ports.now() + ttl,
  }
}

/** @throws UserError that shows what was typed */
export function relayUrl(text: string): string {
  const url = normalizeRelayUrl(text)
  if (url === undefined)
    throw new UserError(`a relay is a ws:// or wss:// URL, not ${JSON.stringify(text.slice(0, 80))}`)
  return url
}
