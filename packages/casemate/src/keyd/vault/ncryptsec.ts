import { encodeBytes } from "nostr-tools/nip19"
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
const CHECKSUM_CHARS = 6
const BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"

export function isNcryptsec(text: string): boolean {
  return /^\s*ncryptsec1/i.test(text)
}

export function formatNcryptsec({ logN, salt, nonce, keySecurity, ciphertext }: Ncryptsec): string {
  return encodeBytes(PREFIX, Uint8Array.from([VERSION, logN, ...salt, ...nonce, keySecurity, ...ciphertext]))
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

/** Undefined unless it is bech32, with its checksum: what the same bytes are written as is compared. */
function bytesOf(typed: string): Uint8Array | undefined {
  const text = typed === typed.toUpperCase() ? typed.toLowerCase() : typed
  const data = text.slice(PREFIX.length + 1, -CHECKSUM_CHARS)
  const bytes: number[] = []
  let bits = 0
  let value = 0
  for (const letter of data) {
    const word = BECH32.indexOf(letter)
    if (word === -1) return undefined
    value = ((value << 5) | word) & 0xfff
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes.push((value >> bits) & 0xff)
  }
  const read = Uint8Array.from(bytes)
  return encodeBytes(PREFIX, read) === text ? read : undefined
}
