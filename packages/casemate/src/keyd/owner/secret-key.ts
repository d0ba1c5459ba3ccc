import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js"
import { decode } from "nostr-tools/nip19"
import { UserError } from "../../config/user-error.js"
import { isNcryptsec } from "../vault/ncryptsec.js"
import type { Nip49 } from "../vault/nip49.js"

const ZERO = "0".repeat(64)
const ORDER = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"

/**
 * Reads a secret key as people have it: nsec (NIP-19), 64 hex digits, or ncryptsec (NIP-49) with its passphrase. The
 * caller wipes the bytes.
 *
 * @throws UserError that never repeats what was typed
 */
export async function readSecretKey(
  text: string,
  passphrase: string | undefined,
  nip49: Pick<Nip49, "decrypt">,
): Promise<Uint8Array> {
  const typed = text.trim()
  if (/^[0-9a-f]{64}$/i.test(typed)) return checked(hexToBytes(typed.toLowerCase()))
  if (/^npub1/i.test(typed))
    throw new UserError("that is a public key (npub); the bunker needs the secret key, which starts with nsec1")
  if (isNcryptsec(typed)) {
    if (passphrase !== undefined) return checked(await nip49.decrypt(typed, passphrase))
    throw new UserError(
      "that key is encrypted (ncryptsec), and its passphrase did not come with it: put it on the second line, or type both on a terminal",
    )
  }
  try {
    const decoded = decode(typed.toLowerCase())
    if (decoded.type === "nsec") return checked(decoded.data)
  } catch {
    // The library's message may quote what was typed.
  }
  throw notAKey()
}

/** The curve has no key 0, and none from its order up. */
function checked(bytes: Uint8Array): Uint8Array {
  const hex = bytesToHex(bytes)
  if (hex === ZERO || hex >= ORDER) throw notAKey()
  return bytes
}

function notAKey(): UserError {
  return new UserError(
    "that is not a secret key: one is written as nsec1… or as 64 hex digits, and a single wrong letter spoils it",
  )
}
