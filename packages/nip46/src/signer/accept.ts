import { utf8ToBytes } from "@noble/hashes/utils.js"
import type { CryptoBackend } from "../crypto/backend.js"
import { equalBytes } from "../crypto/constant-time.js"
import type { NostrconnectToken } from "../protocol/connection-token.js"
import { Nip46Error } from "../protocol/errors.js"
import type { Permission } from "../protocol/permission.js"
import { normalizeRelayUrls } from "../protocol/relay-url.js"
import type { Answer, Answerer } from "./answerer.js"
import { newConnection, randomId } from "./new-connection.js"
import { hashSecret } from "./offer.js"
import type { ApprovalStyle, Connection, SignerKeys, SignerRecord } from "./ports.js"

export interface AcceptOptions {
  /** Its relays are where the client listens: vet them before. */
  readonly token: NostrconnectToken
  readonly userPubkey: string
  /** What the app may do; what its token asks for is shown, never granted by itself. */
  readonly permissions: readonly Permission[]
  /** Where it is served from now on, which it learns when it asks `switch_relays`; the token's relays unless told. */
  readonly relays?: readonly string[]
  /** Kept with the connection for whoever dials: relays that nobody but the client vouches for. */
  readonly guardedRelays?: readonly string[]
  /** What becomes of what is not granted; `deny` unless told. */
  readonly style?: ApprovalStyle
  /**
   * Subscribes to what is sent to the connection's remote-signer-pubkey, and resolves once requests would be
   * heard. Nothing was recorded and nothing sent before; when it rejects, nothing is.
   */
  readonly listen: (connection: Connection) => Promise<void>
}

export type Acceptance =
  | { readonly kind: "accepted"; readonly connection: Connection; readonly response: Answer }
  /** This token was accepted before; nothing changed. No response: its client has received one and asked since. */
  | { readonly kind: "known"; readonly connection: Connection; readonly response: Answer | undefined }

export interface AcceptPorts {
  readonly record: SignerRecord
  readonly keys: SignerKeys
  readonly crypto: CryptoBackend
  readonly answerer: Answerer
  /** Unix seconds. */
  readonly now: () => number
}

/**
 * Answers a nostrconnect:// token (NIP-46 §Direct connection initiated by the client): a connection with its
 * own transport key, bound to the client from the start, and the response that proves us by the token's
 * secret. NIP-46 gives that response no request to answer, so its id is random.
 *
 * @throws `INVALID_TOKEN` for a token of a connection that ended or signs as somebody else, `INVALID_KEY`,
 * `RECORD_FAILED`, and whatever `listen` rejects with
 */
export async function accept(options: AcceptOptions, ports: AcceptPorts): Promise<Acceptance> {
  const { token, userPubkey, permissions, guardedRelays = [], style = "deny", listen } = options
  const { record, keys, crypto, answerer, now } = ports
  const respond = (connection: Connection): Promise<Answer> => {
    const peer = { pubkey: token.clientPubkey, encryption: "nip44" } as const
    return answerer.seal(randomId(crypto), { kind: "result", result: token.secret }, connection, peer, now())
  }

  const secretHash = hashSecret(token.secret, crypto)
  const known = (await record.connections()).find((each) => isOf(each, token.clientPubkey, secretHash))
  if (known !== undefined) {
    if (known.state !== "active") throw refusal("the connection of this nostrconnect:// token has ended or is paused")
    if (known.userPubkey !== userPubkey) throw refusal("this nostrconnect:// token was accepted for another key")
    if (known.lastUsedAt !== undefined) return { kind: "known", connection: known, response: undefined }
    await listen(known)
    return { kind: "known", connection: known, response: await respond(known) }
  }

  const relays = options.relays === undefined ? token.relays : normalizeRelayUrls(options.relays)
  const fresh: Connection = {
    ...(await newConnection({ userPubkey, permissions, relays, style }, { keys, crypto, now: now() })),
    clientPubkey: token.clientPubkey,
    state: "active",
    secretHash,
    clientRelays: token.relays,
    guardedRelays,
    app: token.app,
    requestedPerms: token.perms.slice(0, 1_024),
  }
  // 1 subscribe: the client may ask at the moment it has its answer
  await listen(fresh)
  const response = await respond(fresh)
  // 2 record: whole, before anybody hears of it
  const connection: Connection = { ...fresh, connectResponse: response.event }
  await record.createConnection(connection, {
    at: now(),
    actor: "owner",
    connectionId: connection.id,
    action: "owner.accept",
    param: undefined,
    verdict: "allow",
    why: "the owner let in an app that showed a nostrconnect:// token",
    eventId: undefined,
  })
  // 3 answer: the caller publishes it
  return { kind: "accepted", connection, response }
}

/** The same token is known for ever: its secret proves nobody a second time. */
function isOf({ clientPubkey, secretHash }: Connection, client: string, hash: string): boolean {
  return clientPubkey === client && secretHash !== undefined && equalBytes(utf8ToBytes(secretHash), utf8ToBytes(hash))
}

function refusal(what: string): Nip46Error {
  return new Nip46Error("INVALID_TOKEN", `${what}; show a new one in the app`, { details: { field: "secret" } })
}
