import type { Keypair } from "../crypto/backend.js"
import { isSignerName, lookupSigner } from "../discovery/lookup-signer.js"
import { type BunkerToken, parseBunkerToken } from "../protocol/connection-token.js"
import { Nip46Error } from "../protocol/errors.js"
import { type EventTemplate, isTemplateShape, type NostrEvent } from "../protocol/event.js"
import { isHex32 } from "../protocol/hex.js"
import { formatPermissions, parsePermissions } from "../protocol/permission.js"
import { bounded } from "../transport/bounded.js"
import { checkSigned } from "./check-signed.js"
import { type CallOptions, Exchange } from "./exchange.js"
import { type AppOptions, type RemoteSignerOptions, type Settings, settingsOf } from "./options.js"
import { type Pairing, type PairOptions, startPairing } from "./pairing.js"
import { parseSession, type Session, type SessionParts, sessionOf } from "./session.js"
import { readSwitch } from "./switch-relays.js"
import { onWake } from "./wake.js"
import { Wire } from "./wire.js"

export interface ConnectOptions extends RemoteSignerOptions, AppOptions {
  /**
   * 32 bytes; fresh random ones by default. A `connect` whose answer was lost has spent the token: asked again with
   * the same key, the signer knows its client and answers.
   */
  readonly clientSecretKey?: Uint8Array
}

/** What `signEvent` takes: `created_at` is now and `tags` are none unless given. */
export type TemplateInput = Pick<EventTemplate, "kind" | "content"> & Partial<EventTemplate & { pubkey: string }>

/** Who is at the other end, and with what. */
export interface RemoteSignerParts extends SessionParts {
  readonly settings: Settings
  readonly keypair: Keypair
  readonly wire: Wire
}

/** How long a logout is waited for, in milliseconds: it is a courtesy (NIP-46 §Ending a session). */
const LOGOUT_MS = 10_000

/**
 * A user's remote-signer, as an app sees it: asks over relays, and gives back signatures. Every call ends in a
 * result, a `Nip46Error` or an abort, within its deadline, whatever the relays do.
 *
 * @example
 * const signer = await RemoteSigner.connect("bunker://…", { app: { name: "Notes" }, onSession: save })
 * const event = await signer.signEvent({ kind: 1, content: "hello" })
 */
export class RemoteSigner {
  /** 64 lower-case hex digits. Not the user's: that is what `getPublicKey` gives. */
  readonly remoteSignerPubkey: string
  readonly clientPubkey: string
  readonly #settings: Settings
  readonly #wire: Wire
  readonly #exchange: Exchange
  readonly #keypair: Keypair
  readonly #clientSecretKey: Uint8Array
  readonly #endWake: () => void
  #userPubkey: string | undefined
  #switching: Promise<unknown> = Promise.resolve()
  #closed = false

  /** @internal Use `connect`, `pair` or `restore`. */
  constructor({ settings, keypair, wire, clientSecretKey, remoteSignerPubkey, userPubkey }: RemoteSignerParts) {
    this.remoteSignerPubkey = remoteSignerPubkey
    this.clientPubkey = keypair.pubkey
    this.#settings = settings
    this.#keypair = keypair
    this.#wire = wire
    this.#clientSecretKey = clientSecretKey
    this.#userPubkey = userPubkey
    wire.bind(remoteSignerPubkey)
    this.#exchange = new Exchange({ ...settings, wire })
    this.#endWake = onWake(() => wire.checkNow())
  }

  /**
   * Connects with a bunker:// token, or with a name such as `bob@example.com` that stands for a bunker.
   *
   * @throws `INVALID_TOKEN`, `INVALID_PERMISSION`, `NAME_NOT_FOUND`, `REMOTE_ERROR`, `TIMEOUT`,
   * `RELAYS_UNREACHABLE`, `WRONG_ANSWER`, `INVALID_KEY`, `CLOSED`
   */
  static async connect(tokenOrName: string, options: ConnectOptions = {}): Promise<RemoteSigner> {
    const settings = settingsOf(options)
    const { signal } = options
    const perms = formatPermissions(parsePermissions(options.perms ?? ""))
    const token = isSignerName(tokenOrName) ? await bunkerOf(tokenOrName, options) : parseBunkerToken(tokenOrName)
    const { remoteSignerPubkey, relays, secret } = token
    // A copy: it is wiped at the end.
    const clientSecretKey = options.clientSecretKey?.slice() ?? settings.crypto.generateSecretKey()
    if (!settings.crypto.isPubkey(remoteSignerPubkey)) {
      const message = "the public key in this token is none; copy the whole token again"
      throw new Nip46Error("INVALID_TOKEN", message, { details: { field: "pubkey" } })
    }
    const signer = open(settings, { clientSecretKey, remoteSignerPubkey, relays, userPubkey: undefined })
    try {
      const params = [
        remoteSignerPubkey,
        secret ?? "",
        perms,
        options.app === undefined ? "" : JSON.stringify(options.app),
      ]
      while (params.length > 1 && params.at(-1) === "") params.pop()
      const answer = await signer.#exchange.request("connect", params, { signal })
      if (answer !== "ack" && (secret === undefined || answer !== secret)) {
        throw wrongAnswer("connect", "is neither ack nor the token's secret")
      }
      await signer.start({ signal })
      return signer
    } catch (error) {
      signer.close()
      throw error
    }
  }

  /**
   * Makes a nostrconnect:// token, and listens for the signer that its user gives it to. The token is there once
   * a relay listens for us, so that no answer to it can be missed.
   *
   * @throws `INVALID_TOKEN`, `INVALID_PERMISSION`, `NAME_NOT_FOUND`, `RELAYS_UNREACHABLE`, `CLOSED`
   * @example
   * const pairing = await RemoteSigner.pair({ relays: ["wss://relay.example"], app: { name: "Notes" } })
   * showQrCode(pairing.uri)
   * const signer = await pairing.connected()
   */
  static async pair(options: PairOptions): Promise<Pairing> {
    return startPairing(options, (parts) => new RemoteSigner(parts))
  }

  /**
   * Goes on with a session that `onSession` gave, without asking anybody anything first.
   *
   * @param session the object, or its JSON
   * @throws `INVALID_SESSION`
   */
  static restore(session: Session | string, options: RemoteSignerOptions = {}): RemoteSigner {
    const settings = settingsOf(options)
    const signer = open(settings, parseSession(session, settings.crypto))
    signer.#followRelays()
    return signer
  }

  /** Where requests go at present. */
  get relays(): readonly string[] {
    return this.#wire.relays
  }

  /** What must be kept to `restore`; a secret. @throws `CLOSED` after `close()`, which wipes the key */
  get session(): Session {
    if (this.#closed) throw new Nip46Error("CLOSED", "this remote signer is closed, and its key was wiped")
    return sessionOf({
      clientSecretKey: this.#clientSecretKey,
      remoteSignerPubkey: this.remoteSignerPubkey,
      relays: this.#wire.relays,
      userPubkey: this.#userPubkey,
    })
  }

  /** @internal The first steps of a session that has just begun. */
  async start(options?: CallOptions): Promise<void> {
    this.#settings.onSession(this.session)
    await this.getPublicKey(options)
    this.#followRelays()
  }

  /** The user's public key, 64 lower-case hex digits; asked once (NIP-46 §Overview). */
  async getPublicKey(options?: CallOptions): Promise<string> {
    if (this.#userPubkey !== undefined) return this.#userPubkey
    const answer = await this.#exchange.request("get_public_key", [], options)
    const pubkey = typeof answer === "string" ? answer.toLowerCase() : undefined
    if (!isHex32(pubkey)) throw wrongAnswer("get_public_key", "is not a public key of 64 hex digits")
    this.#userPubkey = pubkey
    if (!this.#closed) this.#settings.onSession(this.session)
    return pubkey
  }

  /**
   * Has an event signed by the user's key, and checks what comes back against what was asked for.
   *
   * @throws `INVALID_EVENT` for a template that NIP-01 does not allow, `WRONG_ANSWER` for an event that is not the
   * one asked for
   */
  async signEvent(input: TemplateInput, options?: CallOptions): Promise<NostrEvent> {
    const { crypto, acceptNewCreatedAt, now } = this.#settings
    const { kind, content, tags = [], created_at = Math.floor(now() / 1000), pubkey } = input
    const given = { kind, content, tags, created_at }
    if (!isTemplateShape(given)) {
      throw new Nip46Error("INVALID_EVENT", "the event to sign does not have the shape that NIP-01 asks for")
    }
    const startedAt = performance.now()
    const userPubkey = await this.getPublicKey(options)
    const left = shortened(options, startedAt)
    if (pubkey !== undefined && pubkey !== userPubkey) {
      throw new Nip46Error("INVALID_EVENT", "the event to sign names another author than the user; leave pubkey out")
    }
    const template = { ...given, tags: tags.map((tag) => [...tag]) }
    const answer = await this.#exchange.request("sign_event", [JSON.stringify(template)], left)
    return checkSigned(answer, template, { crypto, userPubkey, anyCreatedAt: acceptNewCreatedAt })
  }

  /** Resolves once the signer has answered. */
  async ping(options?: CallOptions): Promise<void> {
    await this.#exchange.request("ping", [], options)
  }

  nip44Encrypt(pubkey: string, plaintext: string, options?: CallOptions): Promise<string> {
    return this.#text("nip44_encrypt", [pubkey, plaintext], options)
  }

  nip44Decrypt(pubkey: string, ciphertext: string, options?: CallOptions): Promise<string> {
    return this.#text("nip44_decrypt", [pubkey, ciphertext], options)
  }

  nip04Encrypt(pubkey: string, plaintext: string, options?: CallOptions): Promise<string> {
    return this.#text("nip04_encrypt", [pubkey, plaintext], options)
  }

  nip04Decrypt(pubkey: string, ciphertext: string, options?: CallOptions): Promise<string> {
    return this.#text("nip04_decrypt", [pubkey, ciphertext], options)
  }

  /**
   * Asks where the signer wants to be met, and moves there once a new relay listens (NIP-46 §Switching relays).
   * It is done after connecting and restoring by itself. Resolves with the relays in use afterwards.
   */
  async switchRelays(options: CallOptions = {}): Promise<readonly string[]> {
    const { signal, timeoutMs = this.#settings.timing.requestMs } = options
    const startedAt = performance.now()
    const answer = await this.#exchange.request("switch_relays", [], options)
    const left = shortened({ signal, timeoutMs }, startedAt)
    const moved = this.#switching.then(() => this.#moveTo(answer, signal))
    this.#switching = moved
    await bounded(() => moved, { ...left, what: "the move to other relays" })
    return this.#wire.relays
  }

  /**
   * Any method, with its params as the NIP has them; an answer that is no string comes as its JSON.
   *
   * @throws `REMOTE_ERROR` with the signer's words, `TIMEOUT`, `RELAYS_UNREACHABLE`, `CLOSED`
   */
  async call(method: string, params: readonly string[] = [], options?: CallOptions): Promise<string> {
    const answer = await this.#exchange.request(method, params, options)
    return typeof answer === "string" ? answer : JSON.stringify(answer)
  }

  /**
   * Tells the signer that the session is over, and ends it here in any case: the client's key is wiped and
   * `onSession(undefined)` says that the stored session is to be deleted. True when the signer has heard.
   */
  async logout({ signal, timeoutMs = LOGOUT_MS }: CallOptions = {}): Promise<boolean> {
    try {
      await this.#exchange.request("logout", [], { signal, timeoutMs })
      return true
    } catch (error) {
      if (error instanceof Nip46Error) return false
      throw error
    } finally {
      this.close()
      this.#settings.onSession(undefined)
    }
  }

  /** Ends this object, not the session: what waits is rejected, no timer and no socket stays. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#endWake()
    this.#exchange.close()
    this.#wire.close()
    this.#keypair.wipe()
    this.#clientSecretKey.fill(0)
  }

  async #text(method: string, params: readonly string[], options?: CallOptions): Promise<string> {
    const answer = await this.#exchange.request(method, params, options)
    if (typeof answer !== "string") throw wrongAnswer(method, "is not a string")
    return answer
  }

  /** Many signers know nothing of it, or never answer: the session goes on where it is. */
  #followRelays(): void {
    this.switchRelays().catch(() => undefined)
  }

  async #moveTo(answer: unknown, signal: AbortSignal | undefined): Promise<void> {
    const relays = readSwitch(answer, this.#wire.relays)
    if (relays === undefined || this.#closed || signal?.aborted === true) return
    const { timing, callbacks, onSession } = this.#settings
    const isMoved = await this.#wire.switchTo(relays, {
      timeoutMs: timing.switchMs,
      signal,
      drained: () => this.#exchange.drained(),
    })
    if (this.#closed) return
    if (!isMoved) {
      callbacks.onWarning({ kind: "switch_relays", relays })
      return
    }
    this.#exchange.moved()
    onSession(this.session)
  }
}

function open(settings: Settings, parts: SessionParts): RemoteSigner {
  const keypair = settings.crypto.keypair(parts.clientSecretKey)
  const wire = new Wire({ ...settings, clientKeypair: keypair, relays: parts.relays })
  return new RemoteSigner({ ...parts, settings, keypair, wire })
}

async function bunkerOf(name: string, { fetch, signal }: ConnectOptions): Promise<BunkerToken> {
  const found = await lookupSigner(name, { fetch, signal })
  if (found.kind === "bunker") return { ...found, secret: undefined }
  throw new Nip46Error(
    "INVALID_TOKEN",
    "this name leads to a signer that apps are paired with; use RemoteSigner.pair({ signer: name })",
    { details: { field: "name" } },
  )
}

/** One deadline for a call that waits twice. */
function shortened(options: CallOptions | undefined, startedAt: number): CallOptions | undefined {
  if (options?.timeoutMs === undefined) return options
  return { ...options, timeoutMs: Math.max(0, options.timeoutMs - (performance.now() - startedAt)) }
}

function wrongAnswer(method: string, what: string): Nip46Error {
  return new Nip46Error("WRONG_ANSWER", `the remote signer's answer to ${method} ${what}`, {
    details: { field: "result" },
  })
}
