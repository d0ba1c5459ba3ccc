/**
 * True when both hold the same bytes. The time depends on the lengths, never on where they differ, so
 * that a MAC or a secret cannot be guessed byte by byte (NIP-44 §Details, `is_equal_ct`).
 *
 * @example
 * equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2)) // true
 */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!
  return difference === 0
}
