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
