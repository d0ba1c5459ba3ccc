import { hexToBytes } from "@noble/hashes/utils.js"
import { decode } from "nostr-tools/nip19"
import { UserError } from "../../config/user-error.js"

/**
 * Reads a secret key as people have it: nsec (NIP-19) or 64 hex digits. The caller wipes the bytes.
 *
 * @throws UserError that never repeats what was typed
 */
export function readSecretKey(text: string): Uint8Array {
  const typed = text.trim()
  if (/^[0-9a-f]{64}$/i.test(typed)) return hexToBytes(typed.toLowerCase())
  if (/^npub1/i.test(typed))
    throw new UserError("that is a public key (npub); the bunker needs the secret key, which starts with nsec1")
  if (/^ncryptsec1/i.test(typed)) throw new UserError("that key is encrypted (ncryptsec); decrypt it to an nsec first")
  try {
    const decoded = decode(typed.toLowerCase())
    if (decoded.type === "nsec") return decoded.data
  } catch {
    // The library's message may quote what was typed.
  }
  throw new UserError("that is not a secret key; it is an nsec1… or 64 hex digits, and a single wrong letter spoils it")
}
