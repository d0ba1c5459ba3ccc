import { bech32, hex } from "@scure/base"

const PUBKEY = /^[0-9a-f]{64}$/

/** Undefined for what is no public key. */
export function npubOf(text: string): string | undefined {
  return PUBKEY.test(text) ? bech32.encode("npub", bech32.toWords(hex.decode(text))) : undefined
}

/** Joins what stands around it on one line. */
const JOINED = "\u2060…\u2060"

/** Enough of it to tell apart those that one knows: `npub1abcdefg…tuvwxyz`. */
export function shortNpub(pubkey: string): string {
  const npub = npubOf(pubkey)
  return npub === undefined ? pubkey : `${npub.slice(0, 12)}${JOINED}${npub.slice(-7)}`
}
