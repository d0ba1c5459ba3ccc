import { createCipheriv, createDecipheriv, createHmac, hash, randomFillSync } from "node:crypto"
import type { Primitives } from "../backend.js"
import { hkdfExpand } from "../hkdf.js"

/** A Buffer without Buffer's meaning of `slice`, which does not copy. */
function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
}

/** Into memory of its own: Buffer.concat would leave plaintext in the pool that all small Buffers share. */
function joined(head: Buffer, tail: Buffer): Uint8Array {
  const out = new Uint8Array(head.length + tail.length)
  out.set(head)
  out.set(tail, head.length)
  head.fill(0)
  tail.fill(0)
  return out
}

/** Asking the system costs more than the bytes do, so it is asked for many at once. */
const POOL_BYTES = 4_096
const pool = new Uint8Array(POOL_BYTES)
let drawn = POOL_BYTES

/** Fresh memory of its own; what was drawn is gone from the pool. */
function randomBytes(length: number): Uint8Array {
  if (length > POOL_BYTES) return randomFillSync(new Uint8Array(length))
  if (drawn + length > POOL_BYTES) {
    randomFillSync(pool)
    drawn = 0
  }
  const out = pool.slice(drawn, drawn + length)
  pool.fill(0, drawn, drawn + length)
  drawn += length
  return out
}

function hmacSha256(key: Uint8Array, ...parts: Uint8Array[]): Uint8Array {
  const mac = createHmac("sha256", key)
  for (const part of parts) mac.update(part)
  return plain(mac.digest())
}

function chacha20(key: Uint8Array, nonce: Uint8Array, data: Uint8Array): Uint8Array {
  if (nonce.length !== 12) throw new RangeError("a ChaCha20 nonce is 12 bytes long")
  // OpenSSL's IV is the block counter, 32 bits little-endian, and then the nonce of RFC 8439.
  const iv = new Uint8Array(16)
  iv.set(nonce, 4)
  return plain(createCipheriv("chacha20", key, iv).update(data))
}

function aes256CbcEncrypt(key: Uint8Array, iv: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const cipher = createCipheriv("aes-256-cbc", key, iv)
  return joined(cipher.update(plaintext), cipher.final())
}

function aes256CbcDecrypt(key: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  const decipher = createDecipheriv("aes-256-cbc", key, iv)
  return joined(decipher.update(ciphertext), decipher.final())
}

function base64Encode(data: Uint8Array): string {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("base64")
}

function base64Decode(text: string): Uint8Array {
  const data = Uint8Array.from(Buffer.from(text, "base64"))
  // Buffer reads almost anything. Only the canonical spelling survives the way back.
  if (base64Encode(data) !== text) throw new RangeError("not canonical base64")
  return data
}

/** The primitives of OpenSSL, through node:crypto. */
export const nodePrimitives: Primitives = {
  name: "node:crypto",
  randomBytes,
  sha256: (data) => plain(hash("sha256", data, "buffer")),
  hmacSha256,
  // Not hkdfSync, which always extracts first.
  hkdfExpand: (prk, info, length) => hkdfExpand(hmacSha256, prk, info, length),
  chacha20,
  aes256CbcEncrypt,
  aes256CbcDecrypt,
  base64Encode,
  base64Decode,
}
