import type { Nip44Primitives } from "./backend.js"

const HASH_LEN = 32

/** HKDF-Expand with SHA-256 (RFC 5869 §2.3). T(i) is HMAC(PRK, T(i-1) | info | i), and what is returned their beginning. */
export function hkdfExpand(
  hmacSha256: Nip44Primitives["hmacSha256"],
  prk: Uint8Array,
  info: Uint8Array,
  length: number,
): Uint8Array {
  const blocks = Math.ceil(length / HASH_LEN)
  if (prk.length < HASH_LEN || blocks > 255) throw new RangeError("HKDF-SHA256 makes 8160 bytes at most, of 32 or more")
  const out = new Uint8Array(blocks * HASH_LEN)
  let previous = new Uint8Array()
  for (let i = 0; i < blocks; i++) {
    const block = hmacSha256(prk, previous, info, Uint8Array.of(i + 1))
    out.set(block, i * HASH_LEN)
    block.fill(0)
    previous = out.subarray(i * HASH_LEN, (i + 1) * HASH_LEN)
  }
  return out.subarray(0, length)
}
