import { equalBytes } from "../crypto/constant-time.js"
import { encodeUtf8 } from "../crypto/utf8.js"
import { fillNostrconnectUrl, lookupSigner } from "../discovery/lookup-signer.js"
import { buildNostrconnectToken } from "../protocol/connection-token.js"
import { Nip46Error } from "../protocol/errors.js"
import { bytesToHex } from "../protocol/hex.js"
import { parsePermissions } from "../protocol/permission.js"
import { normalizeRelayUrls } from "../protocol/relay-url.js"
import { parseResponse } from "../protocol/response.js"
import { bounded, limit } from "../transport/bounded.js"
import { readAuthUrl } from "./auth-url.js"
import type { CallOptions } from "./exchange.js"
import { type AppOptions, type RemoteSignerOptions, type Settings, settingsOf } from "./options.js"
import type { RemoteSigner, RemoteSignerParts } from "./remote-signer.js"
import { unreachable } from "./unreachable.js"
import { onWake } from "./wake.js"
import { Wire, type WireMessage } from "./wire.js"

export interface PairOptions extends RemoteSignerOptions, AppOptions {
  /** Where to be met: ws:// or wss:// URLs. Those of `signer` by default. */
  readonly relays?: readonly string[]
  /** A signer's domain, or a name there, for its relays and its own page (NIP-46 §Announcing remote-signer metadata). */
  readonly signer?: string
}

/** How many pages strangers may have shown while nobody is bound. */
const MAX_UNVERIFIED_URLS = 5

/** A nostrconnect:// token, and the wait for whoever answers it with its secret. */
export class Pairing {
  /** For a QR code, a link, or the clipboard; good for one signer. */
  readonly uri: string
  /** The signer's own page with the token in it, where `signer` has one. */
  readonly redirectUrl: string | undefined
  readonly #wire: Wire
  readonly #settings: Settings
  readonly #secret: Uint8Array
  readonly #begin: (remoteSignerPubkey: string) => RemoteSigner
  readonly #signer: Promise<RemoteSigner>
  readonly #unverified = new Set<string>()
  readonly #endListening: () => void
  readonly #signal: AbortSignal | undefined
  readonly #abandon: () => void
  #settle: { resolve(signer: RemoteSigner): void; reject(error: unknown): void } | undefined
  #bound: RemoteSigner | undefined

  /** @internal Use `RemoteSigner.pair`. */
  constructor(options: {
    uri: string
    redirectUrl: string | undefined
    secret: string
    wire: Wire
    settings: Settings
    begin: (remoteSignerPubkey: string) => RemoteSigner
    signal: AbortSignal | undefined
    /** Ends what nobody was bound to. */
    abandon: () => void
  }) {
    this.uri = options.uri
    this.redirectUrl = options.redirectUrl
    this.#secret = encodeUtf8(options.secret)
    this.#wire = options.wire
    this.#settings = options.settings
    this.#begin = options.begin
    this.#signal = options.signal
    this.#abandon = options.abandon
    this.#signer = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
    })
    // Whoever asks gets the error; nobody has to ask.
    this.#signer.catch(() => undefined)
    this.#wire.onMessage = (message) => this.#received(message)
    const bounds = { signal: this.#signal, timeoutMs: this.#settings.timing.pairingMs, what: "the pairing" }
    const late = new Nip46Error("TIMEOUT", "no signer answered the token in time; make a new one")
    const forget = limit(bounds, (error) => this.#fail(error.code === "TIMEOUT" ? late : error))
    // A phone's browser sleeps while the signer's app is open, which is when the answer comes.
    const endWake = onWake(() => this.#wire.checkNow())
    this.#endListening = () => {
      forget()
      endWake()
    }
  }

  /**
   * Resolves with the signer that answered with the secret; anyone else is passed over.
   *
   * @throws `TIMEOUT` after 10 minutes, `CLOSED`, and what `get_public_key` throws
   */
  async connected({ signal, timeoutMs }: CallOptions = {}): Promise<RemoteSigner> {
    return bounded(() => this.#signer, { signal, timeoutMs, what: "the wait for a signer" })
  }

  /** Stops listening. A signer that is connected already stays. */
  close(): void {
    this.#fail(new Nip46Error("CLOSED", "the pairing was closed before a signer answered"))
  }

  #received({ author, plaintext }: WireMessage): void {
    const response = parseResponse(plaintext)
    if (response?.kind === "auth_url") {
      this.#challenged(response.url)
      return
    }
    if (response?.kind !== "result" || typeof response.result !== "string") return
    if (equalBytes(encodeUtf8(response.result), this.#secret)) void this.#bind(author)
  }

  async #bind(author: string): Promise<void> {
    this.#endListening()
    const signer = this.#begin(author)
    this.#bound = signer
    try {
      await signer.start({ signal: this.#signal })
      this.#settle?.resolve(signer)
      this.#settle = undefined
    } catch (error) {
      signer.close()
      this.#fail(error)
    }
  }

  #fail(error: unknown): void {
    if (this.#settle === undefined) return
    this.#endListening()
    this.#settle.reject(error)
    this.#settle = undefined
    if (this.#bound === undefined) this.#abandon()
    else this.#bound.close()
  }

  /** From anybody: only https is shown, and marked as from nobody known. */
  #challenged(text: string): void {
    const { callbacks } = this.#settings
    const url = readAuthUrl(text, { loopback: false })
    if (url === undefined || this.#unverified.has(url.href) || this.#unverified.size >= MAX_UNVERIFIED_URLS) return
    this.#unverified.add(url.href)
    callbacks.onAuthUrl({ url: url.href, host: url.host, verified: false, method: undefined })
  }
}

/** @param create makes the signer once its key is known */
export async function startPairing(
  options: PairOptions,
  create: (parts: RemoteSignerParts) => RemoteSigner,
): Promise<Pairing> {
  const settings = settingsOf(options)
  const permissions = parsePermissions(options.perms ?? "")
  const { relays, nostrconnectUrl } = await meetingPlace(options)
  const { crypto, timing } = settings
  const { app = {}, signal } = options
  const clientSecretKey = crypto.generateSecretKey()
  const keypair = crypto.keypair(clientSecretKey)
  const secret = bytesToHex(crypto.randomBytes(16))
  const uri = buildNostrconnectToken({ clientPubkey: keypair.pubkey, relays, secret, permissions, app })
  const wire = new Wire({ ...settings, clientKeypair: keypair, relays })
  const abandon = (): void => {
    wire.close()
    keypair.wipe()
    clientSecretKey.fill(0)
  }
  try {
    await wire.live(timing.relayMs, signal)
  } catch (error) {
    const failures = wire.failures()
    abandon()
    if ((error as Nip46Error).code !== "TIMEOUT") throw error
    throw unreachable({ what: "no relay listens for this app", advice: "pair over other relays", relays: failures })
  }
  return new Pairing({
    uri,
    redirectUrl: nostrconnectUrl === undefined ? undefined : fillNostrconnectUrl(nostrconnectUrl, uri),
    secret,
    wire,
    settings,
    signal,
    abandon,
    begin: (remoteSignerPubkey) =>
      create({ settings, keypair, wire, clientSecretKey, remoteSignerPubkey, relays, userPubkey: undefined }),
  })
}

async function meetingPlace({
  relays = [],
  signer,
  fetch,
  signal,
}: PairOptions): Promise<{ relays: string[]; nostrconnectUrl?: string | undefined }> {
  const own = normalizeRelayUrls(relays)
  if (own.length < relays.length && own.length === 0) {
    throw new Nip46Error("INVALID_RELAY", "none of the relays given is a ws:// or wss:// URL")
  }
  if (signer === undefined) {
    if (own.length > 0) return { relays: own }
    throw new Nip46Error(
      "INVALID_RELAY",
      "pairing needs relays to meet on: give relays, or the signer's domain as signer",
    )
  }
  const found = await lookupSigner(signer, { fetch, signal })
  const theirs = own.length > 0 ? own : [...found.relays]
  if (theirs.length === 0) throw new Nip46Error("INVALID_RELAY", "this signer names no relays; give some as relays")
  return { relays: theirs, nostrconnectUrl: found.kind === "pairing" ? found.nostrconnectUrl : undefined }
}
