import { Nip46Error } from "../protocol/errors.js"

/** NIP-44 §Details: a plaintext is 1 to 2^32 - 1 bytes. */
const MAX_PLAINTEXT_LEN = 4_294_967_295

/** From this length on the prefix is two zero bytes and a u32, below it a u16. */
const EXTENDED_PREFIX_THRESHOLD = 65_536

/**
 * How long a plaintext of `unpaddedLen` bytes becomes, without its prefix (NIP-44, `calc_padded_len`).
 * Exact up to 2^32 - 1 bytes, whose padded length is 2^32: a shift would overflow, so powers are multiplied.
 *
 * @throws `ENCRYPTION_FAILED` outside 1..2^32 - 1
 * @example
 * calcPaddedLen(33) // 64
 */
export function calcPaddedLen(unpaddedLen: number): number {
  if (!Number.isInteger(unpaddedLen) || unpaddedLen < 1 || unpaddedLen > MAX_PLAINTEXT_LEN) {
    throw new Nip46Error("ENCRYPTION_FAILED", "a NIP-44 plaintext is 1 to 4294967295 bytes long")
  }
  if (unpaddedLen <= 32) return 32
  const nextPower = 2 ** (32 - Math.clz32(unpaddedLen - 1))
  const chunk = nextPower <= 256 ? 32 : nextPower / 8
  return chunk * Math.ceil(unpaddedLen / chunk)
}

function prefixLen(unpaddedLen: number): number {
  return unpaddedLen < EXTENDED_PREFIX_THRESHOLD ? 2 : 6
}

/** The length of what `pad` returns, known before anything is allocated. @throws `ENCRYPTION_FAILED` */
export function paddedLenWithPrefix(unpaddedLen: number): number {
  return prefixLen(unpaddedLen) + calcPaddedLen(unpaddedLen)
}

/** NIP-44, `pad`: prefix, plaintext, zeros. @throws `ENCRYPTION_FAILED` for an empty plaintext */
export function pad(unpadded: Uint8Array): Uint8Array {
  const padded = new Uint8Array(paddedLenWithPrefix(unpadded.length))
  const prefix = prefixLen(unpadded.length)
  const view = new DataView(padded.buffer)
  if (prefix === 2) view.setUint16(0, unpadded.length)
  else view.setUint32(2, unpadded.length)
  padded.set(unpadded, prefix)
  return padded
}

/**
 * NIP-44, `unpad`. Undefined when the lengths do not agree; a short plaintext in the extended format is
 * refused, as NIP-44 asks. The result is a view, not a copy.
 */
export function unpad(padded: Uint8Array): Uint8Array | undefined {
  if (padded.length < 34) return undefined
  const view = new DataView(padded.buffer, padded.byteOffset, padded.byteLength)
  const short = view.getUint16(0)
  const length = short === 0 ? view.getUint32(2) : short
  if (short === 0 && length < EXTENDED_PREFIX_THRESHOLD) return undefined
  if (padded.length !== paddedLenWithPrefix(length)) return undefined
  const start = prefixLen(length)
  return padded.subarray(start, start + length)
}
