/** BIP-340 lift_x, compressed (SEC 1): of the two points with this x, the one with an even y. */
export function evenPoint(pubkey: Uint8Array): Uint8Array {
  const compressed = new Uint8Array(1 + pubkey.length)
  compressed[0] = 2
  compressed.set(pubkey, 1)
  return compressed
}
