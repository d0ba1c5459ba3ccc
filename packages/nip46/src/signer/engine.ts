import type { CryptoBackend } from "../crypto/backend.js"
import { BoundedMap } from "../crypto/bounded-map.js"
import { Nip46Error } from "../protocol/errors.js"
import type { NostrEvent } from "../protocol/event.js"
import { isHex32 } from "../protocol/hex.js"
import { parseRequest, type Request, type RequestId } from "../protocol/message.js"
import { type Acceptance, type AcceptOptions, accept } from "./accept.js"
import { Admission, type AdmissionRates, DEFAULT_RATES } from "./admission.js"
import { type Answer, Answerer, type Peer, RESEND_WITHIN, type Reply, senderOf } from "./answerer.js"
import { type ApprovalOptions, Approvals } from "./approvals.js"
import type { Ask } from "./authorize.js"
import { type Asked, auditOf, decide, recoveredVerdict, storedVerdict } from "./decide.js"
import { execute } from "./execute.js"
import { type OfferOptions, offer } from "./offer.js"
import type { Claim, ClaimVerdict, Clock, Connection, SignerKeys, SignerRecord } from "./ports.js"
import { prefilter } from "./prefilter.js"
import { type ReadAsk, readAsk } from "./read-ask.js"
import { hasMoved } from "./relay-move.js"
import { type Standing, standingOf } from "./standing.js"

export interface SignerPorts {
  readonly record: SignerRecord
  readonly keys: SignerKeys
  readonly crypto: CryptoBackend
  readonly clock?: Clock
  /** Hears what should not have happened: a key store or a record that failed. For a log; never awaited. */
  readonly onFault?: (fault: unknown) => void
  /**
   * Hears of each event that a user key has signed, before the answer goes out: on recovery again, as it is signed
   * again. Never awaited, and what it throws goes to `onFault`; the answer goes out all the same.
   */
  readonly onSigned?: (event: NostrEvent) => void
}

export type SignerOptions = Partial<AdmissionRates> & ApprovalOptions

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
  /** Its owner is to decide. `challenge` sends its client to a page meanwhile; the answer comes of `approvals`. */
  | {
      readonly kind: "waiting"
      readonly approvalId: string
      readonly connectionId: string
      readonly challenge: Answer | undefined
    }
  | { readonly kind: "ignored"; readonly why: IgnoreReason }

/** How far a request's clock may be off, in seconds, either way. */
export const MAX_CLOCK_SKEW = 300

/** A copy that comes this soon, in ms, is another relay's; a later one asks for the answer again. */
const COPY_WINDOW = 2_000
/** After a crash, answers this young, in seconds, may not have been published. */
const REPUBLISH_WITHIN = RESEND_WITHIN
/** Each attempt lost to somebody else's commit means that that one got through. */
const COMMIT_ATTEMPTS = 8

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
  /** What waits for its owner, and the owner's decisions. */
  readonly approvals: Approvals
  readonly #record: SignerRecord
  readonly #keys: SignerKeys
  readonly #crypto: CryptoBackend
  readonly #clock: Clock
  readonly #onFault: (fault: unknown) => void
  readonly #onSigned: (event: NostrEvent) => void
  readonly #admission: Admission
  readonly #answerer: Answerer
  /** Ids whose signature held, with the ms of their arrival. An id enters only after it was recomputed. */
  readonly #accepted = new BoundedMap<string, number>(50_000)
  /** Answers that the record failed to take; a repeat is still answered from here. */
  readonly #unrecorded = new BoundedMap<string, NostrEvent>(1_000)
  /** Tokens whose acceptance is under way: one token makes one connection. */
  readonly #accepting = new Set<string>()
  readonly #nip04Dropped = new BoundedMap<string, number>(10_000)
  readonly #ignored = new Map<IgnoreReason, number>()
  readonly #isOwnHost: (host: string) => boolean

  constructor(
    { record, keys, crypto, clock = { now: Date.now }, onFault = ignored, onSigned = ignored }: SignerPorts,
    options: SignerOptions = {},
  ) {
    this.#record = record
    this.#keys = keys
    this.#crypto = crypto
    this.#clock = clock
    this.#onFault = onFault
    this.#onSigned = onSigned
    this.#admission = new Admission({ ...DEFAULT_RATES, ...options }, () => clock.now())
    this.#answerer = new Answerer(keys, crypto, 10_000)
    const { approvalUrl, isOwnHost = () => false } = options
    this.#isOwnHost = isOwnHost
    this.approvals = new Approvals({
      record,
      crypto,
      answerer: this.#answerer,
      onFault,
      now: () => this.#seconds(),
      isOwnHost,
      ...(approvalUrl && { approvalUrl }),
      complete: (claim, connection, verdict) => this.#complete(claim, connection, verdict, this.#seconds()),
    })
  }

  /**
   * The life of a request (HOUSE). Never rejects for anything that is in the event.
   *
   * @param via the names of the relay that brought it, as connections name it; undefined where nobody knows. A
   * client that was told of other relays is served at the old ones until it is seen at a new one.
   */
  async handle(raw: unknown, via?: readonly string[]): Promise<Outcome> {
    // 1 prefilter: no cryptography for what is not shaped like ours, or for strangers beyond their share
    const event = prefilter(raw)
    if (event === undefined) return this.#ignore("malformed")
    let connection = await this.#addressee(event)
    if (connection === undefined) return this.#ignore("not_for_us")
    const client = event.pubkey
    const peer = senderOf(event)
    const claimed = standingOf(connection, client, this.#seconds())
    if (!this.#admits(claimed, connection)) return this.#ignore("strangers_limit")
    const isOff = Math.abs(this.#seconds() - event.created_at) > MAX_CLOCK_SKEW
    // Relays that store play a whole day again whenever they are asked anew: what was served then is over, and
    // costs neither the curve nor its client's share. A forgery with its id is nothing better. (No request has an
    // event's id for its repeat key: only the event itself is looked for.)
    if (isOff) {
      const past = await this.#record.recall(event.id, event.id, event.created_at)
      if (past.kind === "stale") return this.#ignore("stale")
      if (past.kind !== "new" && this.#isOver(past.claim)) return this.#ignore("duplicate")
    }

    // 2 verify: the id of the bytes, then the signature; only then is a sender somebody who can be charged
    const flaw = this.#verify(event, claimed)
    if (flaw !== undefined) return this.#ignore(flaw)
    const isWithinRate = claimed.kind !== "live" || this.#admission.client(client)

    // 3 decrypt
    if (peer.encryption === "nip04" && !connection.nip04Transport) return this.#dropNip04(connection, claimed)
    const plaintext = await this.#answerer.open(event, connection)
    if (plaintext === undefined) return this.#ignore("undecryptable")

    // 4 parse
    const parsed = parseRequest(plaintext)
    if (parsed.kind === "garbage") return this.#ignore("garbage")
    const id = parsed.kind === "request" ? parsed.request.id : parsed.id
    // A day that is played again must not be answered at its length: one notice a minute is what there is.
    if (isOff && claimed.kind === "live" && (!isWithinRate || parsed.kind === "refused"))
      return this.#tellSkew(event, id, connection, claimed, this.#seconds())
    if (!isWithinRate) return this.#tell(id, "too many requests at once; slow down and ask again", connection, peer)
    if (parsed.kind === "refused") {
      if (claimed.kind === "offered") return this.#rebuff(id, parsed.reason, connection, peer)
      return this.#tell(id, parsed.reason, connection, peer)
    }
    const { request } = parsed

    try {
      const repeatKey = await this.#answerer.repeatKey(request, connection, client)
      for (let attempt = 0; attempt < COMMIT_ATTEMPTS; attempt++) {
        const now = this.#seconds()
        const standing = standingOf(connection, client, now)
        const farewell = farewellTo(standing, request)
        if (farewell !== undefined) return this.#tell(id, farewell, connection, peer)

        // 5 repeat?
        const recall = await this.#record.recall(event.id, repeatKey, event.created_at)
        if (recall.kind === "stale") return this.#ignore("stale")
        if (recall.kind !== "new") {
          if (isOff && this.#isOver(recall.claim)) return this.#ignore("duplicate")
          return this.#repeat(recall.claim, connection, client)
        }
        if (standing.kind === "logged_out") return this.#tell(id, "this app has already logged out", connection, peer)
        if (Math.abs(now - event.created_at) > MAX_CLOCK_SKEW)
          return this.#tellSkew(event, id, connection, standing, now)

        // 6 authorize
        const read = readAsk(request, connection.userPubkey, now)
        const context = { isOwnHost: this.#isOwnHost, askKey: await this.#askKey(read, connection, client) }
        const asked: Asked = { request, read, client, connection, standing, via, now, context }
        const decision = decide(asked, this.#crypto)
        if (decision.kind === "unconnected") return this.#rebuff(id, decision.reason, connection, peer)
        const { effect } = decision
        const verdict = storedVerdict(decision.verdict)
        const isOwners = verdict.kind === "ask" && read.kind === "ask"
        const approval = isOwners ? await this.approvals.entryOf(read.ask, connection, client) : undefined

        // 7 commit
        const committed = await this.#record.commit({
          eventId: event.id,
          connectionId: connection.id,
          repeatKey,
          event,
          receivedAt: now,
          verdict,
          expectedRevision: connection.revision,
          charges: decision.verdict.kind === "allow" ? decision.verdict.charges : [],
          effect,
          approval,
          audit: auditOf(asked, decision.verdict, event.id),
        })
        switch (committed.kind) {
          case "stale":
            return this.#ignore("stale")
          case "duplicate":
          case "repeat":
            return this.#repeat(committed.claim, connection, client)
          case "moved":
            // Somebody else's commit came between: look again at what is true now.
            connection = (await this.#record.connection(connection.remoteSignerPubkey)) ?? connection
            continue
          case "crowded":
            return this.#tell(id, "too much of this app waits for its owner; ask again later", connection, peer)
          case "committed":
        }
        if (approval !== undefined) {
          const challenge = await this.approvals.challenge({ event }, approval.id, id, connection)
          return { kind: "waiting", approvalId: approval.id, connectionId: connection.id, challenge }
        }

        // 8 execute
        const known = hasMoved(connection, via) ? { ...connection, clientRelays: connection.relays } : connection
        const reply = await this.#reply(read, verdict, known)

        // 9 answer
        return { kind: "answered", answer: await this.#answer(event.id, id, reply, connection, peer, now) }
      }
    } catch (error) {
      // Nothing of it was written, so nothing was decided; what fails after the commit is `#reply`'s.
      if (!(error instanceof Nip46Error) || error.code !== "RECORD_FAILED") throw error
      this.#onFault(error)
      return this.#tell(id, "the signer could not record this request; ask again", connection, peer)
    }
    return this.#tell(id, "the signer is busy changing this connection; ask again", connection, peer)
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
    return [...answers, ...(await this.approvals.recover(REPUBLISH_WITHIN))]
  }

  async #recoverOne(claim: Claim, connection: Connection, now: number): Promise<Answer | undefined> {
    const { event } = claim
    if (claim.answer !== undefined) {
      if (!isServed(connection, claim)) return undefined
      return this.#answerer.resend(claim.answer, connection, event.pubkey, now)
    }
    // Whether this very claim was to tell new relays is no longer known; saying them twice does no harm.
    const untold = { ...connection, clientRelays: [] }
    const answer = await this.#complete(claim, untold, "recover", now)
    return connection.state === "revoked" ? undefined : answer
  }

  /** Does what was decided of a claim, and records the answer; undefined when its request does not open any more. */
  async #complete(
    claim: Claim,
    connection: Connection,
    decided: ClaimVerdict | "recover",
    now: number,
  ): Promise<Answer | undefined> {
    const { event } = claim
    const plaintext = await this.#answerer.open(event, connection)
    const parsed = plaintext === undefined ? undefined : parseRequest(plaintext)
    if (parsed?.kind !== "request") return undefined
    const { request } = parsed
    const read = readAsk(request, connection.userPubkey, claim.receivedAt)
    const verdict = decided === "recover" ? recoveredVerdict(claim, connection, request, now) : decided
    const reply = await this.#reply(read, verdict, connection)
    return this.#answer(event.id, request.id, reply, connection, senderOf(event), now)
  }

  /** Makes a bunker:// token. @throws `INVALID_TOKEN`, `RECORD_FAILED` */
  offer(options: OfferOptions): Promise<{ token: string; connection: Connection }> {
    return offer(options, { record: this.#record, keys: this.#keys, crypto: this.#crypto, now: this.#seconds() })
  }

  /**
   * Answers a nostrconnect:// token. Publish the response, then `renewConnectResponse` until it gives none:
   * that a relay took the response proves nothing (QUIRKS).
   *
   * @throws `INVALID_TOKEN`, `INVALID_KEY`, `RECORD_FAILED`, and whatever `listen` rejects with
   */
  async accept(options: AcceptOptions): Promise<Acceptance> {
    const { clientPubkey, secret } = options.token
    const token = JSON.stringify([clientPubkey, secret])
    if (this.#accepting.has(token)) {
      throw new Nip46Error("INVALID_TOKEN", "this nostrconnect:// token is being accepted already; wait a moment", {
        details: { field: "secret" },
      })
    }
    this.#accepting.add(token)
    try {
      const ports = { record: this.#record, keys: this.#keys, crypto: this.#crypto, answerer: this.#answerer }
      return await accept(options, { ...ports, now: () => this.#seconds() })
    } finally {
      this.#accepting.delete(token)
    }
  }

  /** A connect response in a fresh event; undefined once its client has asked something, or may no longer. */
  async renewConnectResponse({ event }: Pick<Answer, "event">): Promise<Answer | undefined> {
    const connection = await this.#record.connection(event.pubkey)
    if (connection?.state !== "active" || connection.lastUsedAt !== undefined) return undefined
    return this.#answerer.renew(event, connection, connection.clientPubkey ?? "", this.#seconds())
  }

  /** How many events came to nothing, by reason. */
  stats(): Record<string, number> {
    return Object.fromEntries(this.#ignored)
  }

  /** How many messages of this connection were dropped since the start because they came in NIP-04. */
  nip04Dropped(connectionId: string): number {
    return this.#nip04Dropped.get(connectionId) ?? 0
  }

  /** Zeroes the conversation keys. */
  close(): void {
    this.#answerer.close()
  }

  /** Before anything is verified. Who is live is charged afterwards, when it is known to be them. */
  #admits({ kind }: Standing, { id }: Connection): boolean {
    if (kind === "live") return true
    return kind === "offered" ? this.#admission.offered() : this.#admission.stranger(id)
  }

  /** Only where a grant needs it: it costs what a repeat key does. */
  async #askKey(read: ReadAsk, connection: Connection, client: string): Promise<string | undefined> {
    if (read.kind !== "ask" || connection.grants.every(({ conditions }) => conditions.ask === undefined))
      return undefined
    return this.#answerer.askKey(read.ask, connection, client)
  }

  async #addressee(event: NostrEvent): Promise<Connection | undefined> {
    const pubkey = event.tags.find(([name]) => name === "p")?.[1]
    return isHex32(pubkey) ? this.#record.connection(pubkey) : undefined
  }

  /** Undefined when the event is its sender's and has not just been here. */
  #verify(event: NostrEvent, { kind }: Standing): IgnoreReason | undefined {
    if (this.#crypto.eventId(event) !== event.id) return "forged"
    const now = this.#clock.now()
    const seenAt = this.#accepted.get(event.id)
    if (seenAt === undefined) {
      if (!this.#crypto.verifyEventSignature(event, event.id)) return "forged"
    } else if ((kind !== "live" && kind !== "logged_out") || now - seenAt < COPY_WINDOW) return "duplicate"
    // Renewed: whoever captured an event can send it for ever, and one answer in a while is enough for its client.
    this.#accepted.set(event.id, now)
    return undefined
  }

  async #answer(
    eventId: string,
    requestId: RequestId,
    reply: Reply,
    connection: Connection,
    peer: Peer,
    now: number,
  ): Promise<Answer> {
    const answer = await this.#answerer.seal(requestId, reply, connection, peer, now)
    // The answer rides in the next commit; nobody waits for it. If that fails, the claim still stands.
    this.#record.answer(eventId, answer.event).catch((fault: unknown) => {
      this.#unrecorded.set(eventId, answer.event)
      this.#onFault(fault)
    })
    return answer
  }

  async #reply(read: ReadAsk, verdict: ClaimVerdict, connection: Connection): Promise<Reply> {
    if (verdict.kind === "deny") return { kind: "error", error: verdict.reason }
    // Invariant 1: nothing that was not allowed comes to a key.
    if (verdict.kind === "ask") return { kind: "error", error: "nobody has decided this yet; ask again" }
    if (read.kind === "invalid") return { kind: "error", error: read.reason }
    try {
      const onSigned = (event: NostrEvent): void => this.#tellSigned(event)
      const ports = { keys: this.#keys, crypto: this.#crypto, onSigned }
      return { kind: "result", result: await execute(read.ask, connection, ports) }
    } catch (error) {
      if (error instanceof Nip46Error && isAppsFault(error, read.ask, this.#crypto)) {
        return { kind: "error", error: error.message }
      }
      // The request is committed and its client waits: it is answered, and what went wrong inside stays inside.
      this.#onFault(error)
      const isKeys = error instanceof Nip46Error && error.code === "INVALID_KEY"
      const why = isKeys
        ? "the signer could not use its key; ask its owner to look"
        : "the signer failed while it did this; ask again, or ask its owner to look"
      return { kind: "error", error: why }
    }
  }

  #tellSigned(event: NostrEvent): void {
    try {
      this.#onSigned(event)
    } catch (fault) {
      this.#onFault(fault)
    }
  }

  /** Nobody waits so long for the answer of an event; a client that does asks in a new one. */
  #isOver({ receivedAt }: Claim): boolean {
    return this.#seconds() - receivedAt > MAX_CLOCK_SKEW
  }

  async #repeat(claim: Claim, connection: Connection, client: string): Promise<Outcome> {
    const recorded = claim.answer ?? this.#unrecorded.get(claim.eventId)
    if (recorded === undefined) return this.#ignore("in_progress")
    return { kind: "answered", answer: await this.#answerer.resend(recorded, connection, client, this.#seconds()) }
  }

  /** An error that leaves no claim: nothing was decided, so nothing has to be remembered. */
  async #tell(id: RequestId, error: string, connection: Connection, peer: Peer): Promise<Outcome> {
    const reply: Reply = { kind: "error", error }
    return {
      kind: "answered",
      answer: await this.#answerer.seal(id, reply, connection, peer, this.#seconds()),
    }
  }

  /** The same to whoever came to an offered token in vain, while their share lasts. */
  async #rebuff(id: RequestId, error: string, connection: Connection, peer: Peer): Promise<Outcome> {
    if (!this.#admission.rebuff()) return this.#ignore("strangers_limit")
    return this.#tell(id, error, connection, peer)
  }

  async #tellSkew(
    event: NostrEvent,
    id: RequestId,
    connection: Connection,
    { kind }: Standing,
    now: number,
  ): Promise<Outcome> {
    // Whoever is not bound yet must not spend the client's minute.
    const isTold = kind === "live" ? this.#admission.skewNotice(connection.id) : this.#admission.rebuff()
    if (!isTold) return this.#ignore("clock_skew")
    const skew = now - event.created_at
    const side = skew > 0 ? "behind" : "ahead of"
    const error = `your clock is ${Math.abs(skew)} s ${side} the signer's; set it and ask again`
    // A client that is ahead and listens "from now on" would not be sent what is dated before that.
    const at = Math.max(now, event.created_at)
    const reply: Reply = { kind: "error", error }
    return { kind: "answered", answer: await this.#answerer.seal(id, reply, connection, senderOf(event), at) }
  }

  /** Whoever is nobody here leaves no trace; a client of ours, or who may become one, is counted for its owner to see. */
  #dropNip04({ id }: Connection, { kind }: Standing): Outcome {
    if (kind === "live" || kind === "offered") this.#nip04Dropped.set(id, this.nip04Dropped(id) + 1)
    return this.#ignore("nip04_transport")
  }

  #ignore(why: IgnoreReason): Outcome {
    this.#ignored.set(why, (this.#ignored.get(why) ?? 0) + 1)
    return { kind: "ignored", why }
  }

  #seconds(): number {
    return Math.floor(this.#clock.now() / 1000)
  }
}

/** What whoever has no session here is told; a client that logged out may still ask for its own ack. */
function farewellTo(standing: Standing, { method }: Request): string | undefined {
  if (standing.kind === "stranger") return standing.reason
  if (standing.kind !== "logged_out" || method === "logout") return undefined
  return "this app has logged out; connect again with a new token"
}

/** Whether what went wrong lies in what the app sent, so that the sentence is for it. The key store's is the owner's. */
function isAppsFault({ code }: Nip46Error, ask: Ask, crypto: CryptoBackend): boolean {
  if (code === "INVALID_KEY") return "counterparty" in ask && !crypto.isPubkey(ask.counterparty)
  return code === "ENCRYPTION_FAILED" || code === "DECRYPTION_FAILED" || code === "INVALID_EVENT"
}

/** Nothing recorded is sent again after a revocation; a client that logged out still gets its own ack. */
function isServed(connection: Connection, claim: Claim): boolean {
  if (connection.clientPubkey !== claim.event.pubkey) return false
  return connection.state === "active" || connection.state === "logged_out"
}

function ignored(): void {}
