import { scrypt } from "node:crypto"
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js"
import { UserError } from "../../config/user-error.js"
import { formatNcryptsec, type Ncryptsec, parseNcryptsec } from "./ncryptsec.js"

/** 64 MiB for each guess, and what clients on phones write. */
export const MIN_LOG_N = 16
/** 4 GiB, and the last that NIP-49 names. */
export const MAX_LOG_N = 22

const BLOCK_SIZE = 8
const KEY_BYTES = 32
const SALT_BYTES = 16
const NONCE_BYTES = 24
/** NIP-49: "if the client does not track this data". */
const NOT_TRACKED = 2
const MIB = 1_048_576

export interface Nip49Ports {
  readonly randomBytes: (length: number) => Uint8Array
  /** In bytes. */
  readonly availableMemory: () => number
}

/**
 * NIP-49, a key under a passphrase. scrypt runs on a thread of Node's own pool, in native memory that it wipes:
 * requests are served meanwhile, and no thread but this one sees the key. One at a time, because each takes
 * memory by the gigabyte.
 */
export class Nip49 {
  readonly #ports: Nip49Ports
  #last: Promise<unknown> = Promise.resolve()

  constructor(ports: Nip49Ports) {
    this.#ports = ports
  }

  /**
   * Makes an ncryptsec. `lend` is asked for the key when all that takes long is done.
   *
   * @throws UserError when there is not the memory for it, and whatever `lend` rejects with
   */
  async encrypt(
    { passphrase, logN }: { readonly passphrase: string; readonly logN: number },
    lend: <T>(borrow: (secretKey: Uint8Array) => T) => Promise<T>,
  ): Promise<string> {
    const parts = {
      logN,
      salt: this.#ports.randomBytes(SALT_BYTES),
      nonce: this.#ports.randomBytes(NONCE_BYTES),
      keySecurity: NOT_TRACKED,
    }
    const key = await this.#derive(passphrase, parts)
    try {
      const ciphertext = await lend((secretKey) => cipherOf(key, parts).encrypt(secretKey))
      return formatNcryptsec({ ...parts, ciphertext })
    } finally {
      key.fill(0)
    }
  }

  /**
   * The bytes of the key in an ncryptsec; the caller wipes them.
   *
   * @throws UserError for a wrong passphrase, an ncryptsec that is none, and one that takes too much memory
   */
  async decrypt(ncryptsec: string, passphrase: string): Promise<Uint8Array> {
    const parts = parseNcryptsec(ncryptsec)
    if (parts.logN < 1 || parts.logN > MAX_LOG_N) {
      throw new UserError(
        `that ncryptsec was made with log_n ${parts.logN}, and casemate opens those with 1 to ${MAX_LOG_N}: export it again with another, such as 18`,
      )
    }
    const key = await this.#derive(passphrase, parts)
    try {
      return cipherOf(key, parts).decrypt(parts.ciphertext)
    } catch {
      throw new UserError("the passphrase is wrong: this ncryptsec does not open with it")
    } finally {
      key.fill(0)
    }
  }

  #derive(passphrase: string, parts: Pick<Ncryptsec, "logN" | "salt">): Promise<Uint8Array> {
    const turn = this.#last.then(() => this.#deriveNow(passphrase, parts))
    this.#last = turn.catch(() => undefined)
    return turn
  }

  async #deriveNow(passphrase: string, { logN, salt }: Pick<Ncryptsec, "logN" | "salt">): Promise<Uint8Array> {
    const N = 2 ** logN
    const bytes = 128 * BLOCK_SIZE * N
    const free = this.#ports.availableMemory()
    // Linux hands out more than there is, and then kills whoever uses it.
    if (bytes > free) {
      throw new UserError(
        `log_n ${logN} takes ${bytes / MIB} MiB of memory, and ${Math.floor(free / MIB)} MiB are free; close something, or use a smaller log_n`,
      )
    }
    const typed = Buffer.from(passphrase.normalize("NFKC"))
    try {
      return await new Promise((resolve, reject) => {
        const options = { N, r: BLOCK_SIZE, p: 1, maxmem: bytes + MIB }
        scrypt(typed, salt, KEY_BYTES, options, (error, key) =>
          error === null ? resolve(key) : reject(new UserError(`this could not be computed: ${error.message}`)),
        )
      })
    } finally {
      typed.fill(0)
    }
  }
}

function cipherOf(
  key: Uint8Array,
  { nonce, keySecurity }: Pick<Ncryptsec, "nonce" | "keySecurity">,
): ReturnType<typeof xchacha20poly1305> {
  return xchacha20poly1305(key, nonce, Uint8Array.of(keySecurity))
}
