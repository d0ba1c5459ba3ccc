import { chacha20 } from "@noble/ciphers/chacha.js"
import { hmac } from "@noble/hashes/hmac.js"
import { sha256 } from "@noble/hashes/sha2.js"
import type { Nip44Primitives } from "./backend.js"
import { base64Decode, base64Encode } from "./base64.js"
import { hkdfExpand } from "./hkdf.js"

function hmacSha256(key: Uint8Array, ...parts: Uint8Array[]): Uint8Array {
  const mac = hmac.create(sha256, key)
  for (const part of parts) mac.update(part)
  return mac.digest()
}

/** What NIP-44 is made of, in JavaScript: all that an app's bundle needs. */
export const nip44Primitives: Nip44Primitives = {
  name: "noble",
  randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
  sha256: (data) => sha256(data),
  hmacSha256,
  hkdfExpand: (prk, info, length) => hkdfExpand(hmacSha256, prk, info, length),
  chacha20: (key, nonce, data) => chacha20(key, nonce, data),
  base64Encode,
  base64Decode,
}
