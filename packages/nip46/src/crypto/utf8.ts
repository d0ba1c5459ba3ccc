const encoder = new TextEncoder()
// ignoreBOM means "do not strip it": a plaintext that starts with U+FEFF comes back whole.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

// With the u flag a pair is one code point, so only lone surrogates match. String#isWellFormed is younger
// than the browsers we support.
const LONE_SURROGATE = /\p{Surrogate}/u

/**
 * False for a string with a lone surrogate. UTF-8 has no bytes for one, and TextEncoder would put U+FFFD
 * in its place: the other side would read what nobody wrote.
 */
export function isWellFormed(text: string): boolean {
  return !LONE_SURROGATE.test(text)
}

export function encodeUtf8(text: string): Uint8Array {
  return encoder.encode(text)
}

/** @throws TypeError for bytes that are not UTF-8 */
export function decodeUtf8(bytes: Uint8Array): string {
  return decoder.decode(bytes)
}
