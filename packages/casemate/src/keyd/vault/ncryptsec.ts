import { bech32 } from "@scure/base"
import { UserError } from "../../config/user-error.js"

/** NIP-49 §Encrypting a private key: what lies in an ncryptsec, in its order. */
export interface Ncryptsec {
  /** The cost of each guess at the passphrase: scrypt's N is 2 to this power. */
  readonly logN: number
  readonly salt: Uint8Array
  readonly nonce: Uint8Array
  /** How the key was handled; authenticated, not encrypted. */
  readonly keySecurity: number
  readonly ciphertext: Uint8Array
}

const PREFIX = "ncryptsec"
const VERSION = 2
const SALT_BYTES = 16
const NONCE_BYTES = 24
const TOTAL_BYTES = 91
/** Longer than any: bech32 itself would stop at 90. */
const MAX_CHARS = 256

export function isNcryptsec(text: string): boolean {
  return /^\s*ncryptsec1/i.test(text)
}

export function formatNcryptsec({ logN, salt, nonce, keySecurity, ciphertext }: Ncryptsec): string {
  const bytes = Uint8Array.from([VERSION, logN, ...salt, ...nonce, keySecurity, ...ciphertext])
  return bech32.encode(PREFIX, bech32.toWords(bytes), MAX_CHARS)
}

/** @throws UserError that never repeats what was typed */
export function parseNcryptsec(text: string): Ncryptsec {
  const bytes = bytesOf(text.trim())
  if (bytes?.length !== TOTAL_BYTES) throw new UserError("that ncryptsec is damaged: a single wrong letter spoils it")
  if (bytes[0] !== VERSION) throw new UserError("that ncryptsec is of a version that casemate does not know")
  const nonceAt = 2 + SALT_BYTES
  const securityAt = nonceAt + NONCE_BYTES
  return {
    logN: bytes[1] as number,
    salt: bytes.subarray(2, nonceAt),
    nonce: bytes.subarray(nonceAt, securityAt),
    keySecurity: bytes[securityAt] as number,
    ciphertext: bytes.subarray(securityAt + 1),
  }
}

/** Undefined unless it is bech32, with its checksum, and starts as an ncryptsec does. */
function bytesOf(text: string): Uint8Array | undefined {
  try {
    const { prefix, words } = bech32.decode(text as `${string}1${string}`, MAX_CHARS)
    return prefix === PREFIX ? bech32.fromWords(words) : undefined
  } catch {
    // The library's message quotes what was typed.
    return undefined
  }
}
