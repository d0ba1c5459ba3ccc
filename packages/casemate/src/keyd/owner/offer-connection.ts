import { normalizeRelayUrl, parsePermissions } from "@casemate/nip46/protocol"
import type { Connection } from "@casemate/nip46/signer"
import type { RelayFailure } from "../../channel/gateway-channel.js"
import type { OfferInfo, OwnerCalls } from "../../channel/owner-calls.js"
import { UserError } from "../../config/user-error.js"
import { watchOf } from "../door/watches.js"
import { chooseKey } from "./choose-key.js"
import { ensureKeyRemains } from "./keys.js"
import type { OwnerPorts } from "./ports.js"

/** What a token grants when its owner names nothing (issue: everyday kinds, and messages both ways). */
export const DEFAULT_PERMS =
  "sign_event:1,sign_event:6,sign_event:7,sign_event:16,sign_event:1111,sign_event:9734,nip44_encrypt,nip44_decrypt"

const LISTEN_PATIENCE_MS = 4_000

/** Makes a bunker:// token and listens for whoever redeems it. */
export async function offerConnection(
  { key, perms = DEFAULT_PERMS, ttl, relays: given, style: chosenStyle }: OwnerCalls["connections.offer"]["args"],
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
  const style = chosenStyle ?? ports.defaultStyle
  const { token, connection } = await ports.engine.offer({ userPubkey: chosen.pubkey, permissions, relays, ttl, style })
  await ensureKeyRemains(connection.id, chosen.pubkey, ports)
  return {
    unreachable: await listen(connection, ports),
    id: connection.id,
    uri: token,
    relays: connection.relays,
    userPubkey: connection.userPubkey,
    expiresAt: connection.secretExpiresAt ?? ports.now() + ttl,
  }
}

/**
 * Nobody keeps what an app says before we listen. So the token is given out once a relay has us, or after 4 s. Empty
 * then, unless every relay has said by that time why it cannot be used.
 */
async function listen(connection: Connection, { door }: OwnerPorts): Promise<readonly RelayFailure[]> {
  const watch = watchOf(connection)
  let timer: NodeJS.Timeout | undefined
  try {
    return await Promise.race([
      door.listen(watch, connection.relays),
      new Promise<readonly RelayFailure[]>((resolve) => {
        timer = setTimeout(resolve, LISTEN_PATIENCE_MS, [])
      }),
    ])
  } catch {
    // There is no gateway at the moment; the next one learns of every connection.
    return []
  } finally {
    clearTimeout(timer)
    // A gateway that came anew in between has its list from the record, or from here.
    door.watch(watch)
  }
}

/** @throws UserError that shows what was typed */
export function relayUrl(text: string): string {
  const url = normalizeRelayUrl(text)
  if (url === undefined)
    throw new UserError(`a relay is a ws:// or wss:// URL, not ${JSON.stringify(text.slice(0, 80))}`)
  return url
}
