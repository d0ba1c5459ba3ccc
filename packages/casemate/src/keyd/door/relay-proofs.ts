import type { CryptoBackend } from "@casemate/nip46/crypto"
import {
  CLIENT_AUTHENTICATION_KIND,
  type NostrEvent,
  normalizeRelayUrl,
  normalizeRelayUrls,
  sameRelays,
} from "@casemate/nip46/protocol"
import { BoundedMap, type Connection, type SignerKeys, type SignerRecord, TokenBucket } from "@casemate/nip46/signer"
import type { ProofAsk } from "../../channel/gateway-channel.js"
import type { Logger } from "../../config/log.js"
import { isInForce } from "./watches.js"

/** Challenges in use are some 16 to 64 characters. */
const MAX_CHALLENGE_CHARS = 512
/**
 * Of one connection for one relay, so that a hostile relay neither makes us sign endlessly nor uses up what the
 * others need. A connection has ten relays at most.
 */
const RATE = { capacity: 5, perSecond: 0.5 }
/** Rates that are remembered. One that is forgotten begins anew. */
const MAX_RATES = 100_000

export interface RelayProofsOptions {
  readonly record: Pick<SignerRecord, "connection">
  /** User keys cannot be had from here. */
  readonly keys: Pick<SignerKeys, "transportKey">
  readonly crypto: Pick<CryptoBackend, "signEvent">
  /** Unix milliseconds. */
  readonly now: () => number
  readonly log: Logger
}

/**
 * Door 2, relay proofs (NIP-42): kind 22242 by the transport key of a connection in force, for a relay of that
 * connection. Of what was asked only the challenge enters the event, as the value of a tag.
 */
export class RelayProofs {
  readonly #options: RelayProofsOptions
  /** By pubkey, connections that are recorded once somebody listens for them. */
  readonly #prospects = new Map<string, Connection>()
  readonly #rates = new BoundedMap<string, TokenBucket>(MAX_RATES)

  constructor(options: RelayProofsOptions) {
    this.#options = options
  }

  /** Proves for a connection that is not recorded yet, until `done` has ended. */
  async during<T>(connection: Connection, done: () => Promise<T>): Promise<T> {
    const { remoteSignerPubkey } = connection
    this.#prospects.set(remoteSignerPubkey, connection)
    try {
      return await done()
    } finally {
      this.#prospects.delete(remoteSignerPubkey)
    }
  }

  /** Undefined when it declines, which the log explains. @param ask as it came over the pipe */
  async prove(ask: unknown): Promise<NostrEvent | undefined> {
    const { record, keys, crypto, now, log } = this.#options
    const decline = (why: string): undefined => {
      log.debug({ why }, "declined to prove to a relay who is connected")
    }
    if (!isProofAsk(ask)) return decline("this is no question for a proof")
    if (!isChallenge(ask.challenge)) return decline("the challenge is empty, too long or not plain text")
    const { remoteSignerPubkey } = ask
    const connection = (await record.connection(remoteSignerPubkey)) ?? this.#prospects.get(remoteSignerPubkey)
    if (connection === undefined) return decline("there is no such connection")
    if (!isInForce(connection, now() / 1000)) return decline("the connection has ended")
    const relay = relayOf(connection, ask.relay)
    if (relay === undefined) return decline("the connection is not served on this relay")
    if (!this.#rateOf(connection, relay).take(now())) return decline("too many proofs for this relay")

    const tags = [
      ["relay", relay],
      ["challenge", ask.challenge],
    ]
    const created_at = Math.floor(now() / 1000)
    const key = await keys.transportKey(connection)
    return crypto.signEvent({ kind: CLIENT_AUTHENTICATION_KIND, content: "", tags, created_at }, key)
  }

  #rateOf({ id }: Connection, relay: string): TokenBucket {
    const key = `${id} ${relay}`
    const known = this.#rates.get(key)
    if (known !== undefined) return known
    const rate = new TokenBucket(RATE, this.#options.now())
    this.#rates.set(key, rate)
    return rate
  }
}

function isProofAsk(ask: unknown): ask is ProofAsk {
  if (typeof ask !== "object" || ask === null) return false
  const { remoteSignerPubkey, relay, challenge } = ask as Record<keyof ProofAsk, unknown>
  return typeof remoteSignerPubkey === "string" && typeof relay === "string" && typeof challenge === "string"
}

/** Control characters and lone surrogates are in no honest challenge. */
function isChallenge(text: string): boolean {
  return text !== "" && text.length <= MAX_CHALLENGE_CHARS && !/[\p{Cc}\p{Cs}]/u.test(text)
}

/** The connection's own spelling of it. */
function relayOf({ relays, clientRelays }: Connection, asked: string): string | undefined {
  const url = normalizeRelayUrl(asked)
  if (url === undefined) return undefined
  return [...relays, ...clientRelays].find((own) => sameRelays(normalizeRelayUrls([own]), [url]))
}
