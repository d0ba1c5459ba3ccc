import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js"
import type { CryptoBackend } from "../crypto/backend.js"
import { equalBytes } from "../crypto/constant-time.js"
import { parseClientMetadata } from "../protocol/client-metadata.js"
import { Nip46Error } from "../protocol/errors.js"
import { isEventShape, NOSTR_CONNECT_KIND, type NostrEvent } from "../protocol/event.js"
import { isHex32 } from "../protocol/hex.js"
import { MAX_EVENT_BYTES } from "../protocol/limits.js"
import { parseRequest, type Request, type RequestId } from "../protocol/message.js"
import { isMethod } from "../protocol/method.js"
import { sameRelays } from "../protocol/relay-url.js"
import { type Answer, Answerer, RESEND_WITHIN, type Reply } from "./answerer.js"
import { type Ask, authorize, paramOf, type Verdict } from "./authorize.js"
import { BoundedMap } from "./bounded-map.js"
import { execute } from "./execute.js"
import { hashSecret, type OfferOptions, offer } from "./offer.js"
import type { Claim, ClaimEffect, ClaimVerdict, Clock, Connection, SignerKeys, SignerRecord } from "./ports.js"
import { type ReadAsk, readAsk } from "./read-ask.js"
import { type Standing, standingOf } from "./standing.js"
import { type Rate, TokenBucket } from "./token-bucket.js"

export interface SignerPorts {
  readonly record: SignerRecord
  readonly keys: SignerKeys
  readonly crypto: CryptoBackend
  readonly clock?: Clock
  /** Hears what should not have happened: a key store or a record that failed. For a log; never awaited. */
  readonly onFault?: (fault: unknown) => void
}

export interface SignerOptions {
  /** What one client may ask, once verified. */
  readonly clientRate?: Rate
  /** What all strangers together may cost at one signer key. */
  readonly strangerRate?: Rate
  /** What all strangers together may cost at all signer keys. */
  readonly allStrangersRate?: Rate
}

/** Why an event came to nothing. Counted, never answered. */
export type IgnoreReason =
  | "malformed"
  | "not_for_us"
  | "strangers_limit"
  | "forged"
  | "duplicate"
  | "in_progress"
  | "stale"
  | "nip04_transport"
  | "undecryptable"
  | "garbage"
  | "clock_skew"

export type Outcome =
  | { readonly kind: "answered"; readonly answer: Answer }
  | { readonly kind: "ignored"; readonly why: IgnoreReason }

/** How far a request's clock may be off, in seconds, either way. */
export const MAX_CLOCK_SKEW = 300

/** A copy that comes this soon, in ms, is another relay's; a later one asks for the answer again. */
const COPY_WINDOW = 2_000
/** After a crash, a request that waited longer than this, in seconds, is told so instead of executed. */
const RECOVER_WITHIN = 300
/** After a crash, answers this young, in seconds, may not have been published. */
const REPUBLISH_WITHIN = RESEND_WITHIN
const COMMIT_ATTEMPTS = 8

const DEFAULTS: Required<SignerOptions> = {
  clientRate: { capacity: 4_000, perSecond: 2_000 },
  strangerRate: { capacity: 60, perSecond: 5 },
  allStrangersRate: { capacity: 300, perSecond: 100 },
}

/** What is about to be committed for a request. */
interface Decision {
  readonly verdict: Verdict
  readonly effect: ClaimEffect | undefined
}

/**
 * The remote-signer: a raw event goes in, a raw event comes out, and every gate in between is in `handle`.
 *
 * @example
 * const engine = new SignerEngine({ record, keys, crypto })
 * const { token } = await engine.offer({ userPubkey, permissions: parsePermissions("sign_event:1"), relays, ttl: 600 })
 * const outcome = await engine.handle(event)
 * if (outcome.kind === "answered") publish(outcome.answer.event, outcome.answer.relays)
 */
export class SignerEngine {
  readonly #record: SignerRecord
  readonly #keys: SignerKeys
  readonly #crypto: CryptoBackend
  readonly #clock: Clock
  readonly #onFault: (fault: unknown) => void
  readonly #options: Required<SignerOptions>
  readonly #answerer: Answerer
  /** Ids whose signature held, with the ms of their arrival. An id enters only after it was recomputed. */
  readonly #accepted = new BoundedMap<string, number>(50_000)
  readonly #strangers = new BoundedMap<string, TokenBucket>(10_000)
  readonly #clients = new BoundedMap<string, TokenBucket>(10_000)
  readonly #skewTold = new BoundedMap<string, TokenBucket>(10_000)
  readonly #allStrangers: TokenBucket
  readonly #ignored = new Map<IgnoreReason, number>()

  constructor(
    { record, keys, crypto, clock = { now: Date.now }, onFault = () => undefined }: SignerPorts,
    options: SignerOptions = {},
  ) {
    this.#record = record
    this.#keys = keys
    this.#crypto = crypto
    this.#clock = clock
    this.#onFault = onFault
    this.#options = { ...DEFAULTS, ...options }
    this.#answerer = new Answerer(keys, crypto, 10_000)
    this.#allStrangers = new TokenBucket(this.#options.allStrangersRate, clock.now())
  }

  /** The life of a request (HOUSE). Never rejects for anything that is in the event. */
  async handle(raw: unknown): Promise<Outcome> {
    // 1 prefilter: no cryptography for what is not shaped like ours, or for strangers beyond their share
    const event = this.#prefilter(raw)
    if (event === undefined) return this.#ignore("malformed")
    const connection = await this.#addressee(event)
    if (connection === undefined) return this.#ignore("not_for_us")
    const sender = event.pubkey
    const claimed = standingOf(connection, sender, this.#seconds()).kind
    const claimsToBeClient = claimed === "live"
    if (!claimsToBeClient && !this.#admitStranger(connection)) return this.#ignore("strangers_limit")

    // 2 verify: the id of the bytes, then the signature; only then is a sender somebody who can be charged
    const seenAt = this.#accepted.get(event.id)
    if (this.#crypto.eventId(event) !== event.id) return this.#ignore("forged")
    if (seenAt === undefined) {
      if (!this.#crypto.verifyEventSignature(event, event.id)) return this.#ignore("forged")
      this.#accepted.set(event.id, this.#clock.now())
    } else if (!(claimsToBeClient || claimed === "logged_out") || this.#clock.now() - seenAt < COPY_WINDOW) {
      return this.#ignore("duplicate")
    } else {
      // Whoever captured an event can send it for ever: one answer in a while is enough for its client.
      this.#accepted.set(event.id, this.#clock.now())
    }
    const withinRate = !claimsToBeClient || this.#take(this.#clients, sender, this.#options.clientRate)

    // 3 decrypt
    if (event.content.includes("?iv=")) return this.#ignore("nip04_transport")
    const plaintext = await this.#answerer.open(event, connection)
    if (plaintext === undefined) return this.#ignore("undecryptable")

    // 4 parse
    const parsed = parseRequest(plaintext)
    if (parsed.kind === "garbage") return this.#ignore("garbage")
    const id = parsed.kind === "request" ? parsed.request.id : parsed.id
    if (!withinRate) return this.#tell(id, "too many requests at once; slow down and ask again", connection, sender)
    if (parsed.kind === "refused") return this.#tell(id, parsed.reason, connection, sender)
    try {
      return await this.#serve(event, parsed.request, connection)
    } catch (error) {
      // Nothing of it was written, so nothing was decided; what fails after the commit is `#reply`'s.
      if (!(error instanceof Nip46Error) || error.code !== "RECORD_FAILED") throw error
      this.#onFault(error)
      return this.#tell(id, "the signer could not record this request; ask again", connection, sender)
    }
  }

  /** Gates 5 to 9 of `handle`, for a verified sender and a parsed request. */
  async #serve(event: NostrEvent, request: Request, first: Connection): Promise<Outcome> {
    const sender = event.pubkey
    const repeatKey = this.#repeatKey(first, sender, request)
    let connection = first
    for (let attempt = 0; attempt < COMMIT_ATTEMPTS; attempt++) {
      const now = this.#seconds()
      const standing = standingOf(connection, sender, now)
      if (standing.kind === "stranger") return this.#tell(request.id, standing.reason, connection, sender)
      const isFormer = standing.kind === "logged_out"
      if (isFormer && request.method !== "logout") {
        return this.#tell(request.id, "this app has logged out; connect again with a new token", connection, sender)
      }

      // 5 repeat?
      const recall = await this.#record.recall(event.id, repeatKey, event.created_at)
      if (recall.kind === "stale") return this.#ignore("stale")
      if (recall.kind !== "new") return this.#repeat(recall.claim, connection, sender)
      if (isFormer) return this.#tell(request.id, "this app has already logged out", connection, sender)
      if (Math.abs(now - event.created_at) > MAX_CLOCK_SKEW)
        return this.#tellSkew(event, request.id, connection, now, standing)

      // 6 authorize
      const ask = readAsk(request, connection.userPubkey, now)
      const decision =
        standing.kind === "offered"
          ? this.#redeem(request, ask, connection, sender)
          : this.#decide(ask, connection, now)
      if (decision.kind === "unconnected") return this.#tell(request.id, decision.reason, connection, sender)

      // 7 commit
      const { verdict, effect } = decision
      const claimVerdict = stored(verdict)
      const committed = await this.#record.commit({
        eventId: event.id,
        connectionId: connection.id,
        repeatKey,
        event,
        receivedAt: now,
        verdict: claimVerdict,
        expectedRevision: connection.revision,
        charges: verdict.kind === "allow" ? verdict.charges : [],
        effect,
        audit: {
          at: now,
          actor: sender,
          connectionId: connection.id,
          action: actionOf(request, ask),
          param: ask.kind === "ask" ? paramOf(ask.ask) : undefined,
          verdict: verdict.kind,
          why: verdict.kind === "allow" ? verdict.by : verdict.reason,
          eventId: event.id,
        },
      })
      if (committed.kind === "stale") return this.#ignore("stale")
      if (committed.kind === "duplicate" || committed.kind === "repeat") {
        return this.#repeat(committed.claim, connection, sender)
      }
      if (committed.kind === "moved") {
        // Somebody else's commit came between: look again at what is true now.
        const reread = await this.#record.connection(connection.remoteSignerPubkey)
        if (reread === undefined) return this.#ignore("not_for_us")
        connection = reread
        continue
      }

      // 8 execute
      const reply = await this.#reply(ask, claimVerdict, connection)

      // 9 answer
      return { kind: "answered", answer: await this.#answer(event.id, request.id, reply, connection, sender, now) }
    }
    return this.#tell(request.id, "the signer is busy changing this connection; ask again", connection, sender)
  }

  /**
   * After a crash: executes the claims that have no answer, and gives the answers that may not have been
   * published. Call it before the first `handle`. A claim that fails is told to `onFault` and left for the
   * next time: one broken connection must not keep all others from being served.
   */
  async recover(): Promise<Answer[]> {
    const now = this.#seconds()
    const connections = new Map((await this.#record.connections()).map((connection) => [connection.id, connection]))
    const answers: Answer[] = []
    for (const claim of [
      ...(await this.#record.answeredSince(now - REPUBLISH_WITHIN)),
      ...(await this.#record.unanswered()),
    ]) {
      const connection = connections.get(claim.connectionId)
      if (connection === undefined) continue
      try {
        const answer = await this.#recoverOne(claim, connection, now)
        if (answer !== undefined) answers.push(answer)
      } catch (error) {
        this.#onFault(error)
      }
    }
    return answers
  }

  async #recoverOne(claim: Claim, connection: Connection, now: number): Promise<Answer | undefined> {
    const { event } = claim
    if (claim.answer !== undefined) {
      if (!isServed(connection, claim)) return undefined
      return this.#answerer.resend(claim.answer, connection, event.pubkey, now)
    }
    const plaintext = await this.#answerer.open(event, connection)
    const parsed = plaintext === undefined ? undefined : parseRequest(plaintext)
    if (parsed?.kind !== "request") return undefined
    const ask = readAsk(parsed.request, connection.userPubkey, claim.receivedAt)
    const verdict = recoveredVerdict(claim, connection, parsed.request, now)
    // Whether this very claim was to tell new relays is no longer known; saying them twice does no harm.
    const untold = { ...connection, clientRelays: [] }
    const reply = await this.#reply(ask, verdict, untold)
    const answer = await this.#answer(event.id, parsed.request.id, reply, connection, event.pubkey, now)
    return connection.state === "revoked" ? undefined : answer
  }

  /** Makes a bunker:// token. @throws `INVALID_TOKEN`, `RECORD_FAILED` */
  offer(options: OfferOptions): Promise<{ token: string; connection: Connection }> {
    return offer(options, { record: this.#record, keys: this.#keys, crypto: this.#crypto, now: this.#seconds() })
  }

  /** How many events came to nothing, by reason. */
  stats(): Record<string, number> {
    return Object.fromEntries(this.#ignored)
  }

  /** Zeroes the conversation keys. */
  close(): void {
    this.#answerer.close()
  }

  #prefilter(raw: unknown): NostrEvent | undefined {
    if (!isEventShape(raw) || raw.kind !== NOSTR_CONNECT_KIND) return undefined
    // Only p is read of the tags, but all of them are hashed: their size counts too, with brackets and quotes.
    let size = raw.content.length
    for (const tag of raw.tags) {
      size += 3
      for (const value of tag) size += value.length + 3
    }
    if (size > MAX_EVENT_BYTES) return undefined
    // Nobody signed what is beside these seven: it would go into the record unseen.
    const { id, pubkey, created_at, kind, tags, content, sig } = raw
    return { id, pubkey, created_at, kind, tags, content, sig }
  }

  async #addressee(event: NostrEvent): Promise<Connection | undefined> {
    const pubkey = event.tags.find(([name]) => name === "p")?.[1]
    return isHex32(pubkey) ? this.#record.connection(pubkey) : undefined
  }

  #admitStranger(connection: Connection): boolean {
    const now = this.#clock.now()
    return this.#take(this.#strangers, connection.id, this.#options.strangerRate) && this.#allStrangers.take(now)
  }

  #take(buckets: BoundedMap<string, TokenBucket>, key: string, rate: Rate): boolean {
    const now = this.#clock.now()
    let bucket = buckets.get(key)
    if (bucket === undefined) {
      bucket = new TokenBucket(rate, now)
      buckets.set(key, bucket)
    }
    return bucket.take(now)
  }

  #repeatKey(connection: Connection, client: string, { id, method, params }: Request): string {
    const text = JSON.stringify([connection.id, client, id, method, params])
    return bytesToHex(this.#crypto.sha256(utf8ToBytes(text)))
  }

  /** A first `connect` on an offered token; anything else from there is a stranger's. */
  #redeem(
    { method, params }: Request,
    ask: ReadAsk,
    connection: Connection,
    sender: string,
  ): ({ kind: "decided" } & Decision) | { kind: "unconnected"; reason: string } {
    if (method !== "connect" || ask.kind !== "ask") {
      return { kind: "unconnected", reason: "this app is not connected; send connect with the token's secret first" }
    }
    const secretHash = hashSecret(params[1] ?? "", this.#crypto)
    if (connection.secretHash === undefined || !equalText(secretHash, connection.secretHash)) {
      return {
        kind: "unconnected",
        reason: "the secret is not that of this connection token; copy the whole token again",
      }
    }
    const app = parseClientMetadata(params[3])
    const requestedPerms = (params[2] ?? "").slice(0, 1_024)
    return {
      kind: "decided",
      verdict: { kind: "allow", by: "the token's secret", charges: [] },
      effect: { kind: "activate", secretHash, clientPubkey: sender, app, requestedPerms },
    }
  }

  #decide(read: ReadAsk, connection: Connection, now: number): { kind: "decided" } & Decision {
    if (read.kind === "invalid") {
      return { kind: "decided", verdict: { kind: "deny", reason: read.reason }, effect: undefined }
    }
    const verdict = authorize(read.ask, connection, now)
    return { kind: "decided", verdict, effect: verdict.kind === "allow" ? effectOf(read.ask, connection) : undefined }
  }

  async #answer(
    eventId: string,
    requestId: RequestId,
    reply: Reply,
    connection: Connection,
    client: string,
    now: number,
  ): Promise<Answer> {
    const answer = await this.#answerer.seal(requestId, reply, connection, client, now)
    // The answer rides in the next commit. If that fails, the claim still stands and a repeat waits for recovery.
    this.#record.answer(eventId, answer.event).catch(this.#onFault)
    return answer
  }

  async #reply(read: ReadAsk, verdict: ClaimVerdict, connection: Connection): Promise<Reply> {
    if (verdict.kind === "deny") return { kind: "error", error: verdict.reason }
    if (read.kind === "invalid") return { kind: "error", error: read.reason }
    try {
      return { kind: "result", result: await execute(read.ask, connection, { keys: this.#keys, crypto: this.#crypto }) }
    } catch (error) {
      if (error instanceof Nip46Error) return { kind: "error", error: error.message }
      // The request is committed and its client waits: it is answered, and what went wrong inside stays inside.
      this.#onFault(error)
      return { kind: "error", error: "the signer failed while it did this; ask again, or ask its owner to look" }
    }
  }

  async #repeat(claim: Claim, connection: Connection, client: string): Promise<Outcome> {
    if (claim.answer === undefined) return this.#ignore("in_progress")
    return { kind: "answered", answer: await this.#answerer.resend(claim.answer, connection, client, this.#seconds()) }
  }

  /** An error that leaves no claim: nothing was decided, so nothing has to be remembered. */
  async #tell(id: RequestId, error: string, connection: Connection, client: string): Promise<Outcome> {
    const reply: Reply = { kind: "error", error }
    return {
      kind: "answered",
      answer: await this.#answerer.seal(id, reply, connection, client, this.#seconds()),
    }
  }

  async #tellSkew(
    event: NostrEvent,
    id: RequestId,
    connection: Connection,
    now: number,
    { kind }: Standing,
  ): Promise<Outcome> {
    const skew = now - event.created_at
    // Whoever is not bound yet has paid from the strangers' bucket, and must not spend the client's minute.
    if (kind === "live" && !this.#take(this.#skewTold, connection.id, { capacity: 1, perSecond: 1 / 60 })) {
      return this.#ignore("clock_skew")
    }
    const side = skew > 0 ? "behind" : "ahead of"
    const reason = `your clock is ${Math.abs(skew)} s ${side} the signer's; set it and ask again`
    return this.#tell(id, reason, connection, event.pubkey)
  }

  #ignore(why: IgnoreReason): Outcome {
    this.#ignored.set(why, (this.#ignored.get(why) ?? 0) + 1)
    return { kind: "ignored", why }
  }

  #seconds(): number {
    return Math.floor(this.#clock.now() / 1000)
  }
}

function effectOf(ask: Ask, { relays, clientRelays }: Connection): ClaimEffect | undefined {
  if (ask.method === "logout") return { kind: "logout" }
  if (ask.method === "switch_relays" && !sameRelays(relays, clientRelays)) return { kind: "told_relays", relays }
  return undefined
}

function stored(verdict: Verdict): ClaimVerdict {
  return verdict.kind === "allow" ? { kind: "allow" } : verdict
}

/** Audit rows name what NIP-46 names; a client's own words for a method stay out of them. */
function actionOf({ method }: Request, ask: ReadAsk): string {
  return ask.kind === "ask" ? ask.ask.method : `refused:${isMethod(method) ? method : "unknown"}`
}

/** Nothing recorded is sent again after a revocation; a client that logged out still gets its own ack. */
function isServed(connection: Connection, claim: Claim): boolean {
  if (connection.clientPubkey !== claim.event.pubkey) return false
  return connection.state === "active" || connection.state === "logged_out"
}

function recoveredVerdict(claim: Claim, connection: Connection, { method }: Request, now: number): ClaimVerdict {
  const isLogout = connection.state === "logged_out" && method === "logout"
  if (claim.verdict.kind === "deny" || isLogout) return claim.verdict
  const standing = standingOf(connection, claim.event.pubkey, now)
  if (standing.kind !== "live" || connection.state !== "active") {
    return { kind: "deny", reason: "this connection is no longer active" }
  }
  if (now - claim.receivedAt > RECOVER_WITHIN)
    return { kind: "deny", reason: "the signer was away for too long; ask again" }
  return claim.verdict
}

function equalText(a: string, b: string): boolean {
  return equalBytes(utf8ToBytes(a), utf8ToBytes(b))
}
