import type { CryptoBackend } from "@casemate/nip46/crypto"
import type { Conditions } from "@casemate/nip46/signer"
import { decode } from "nostr-tools/nip19"
import type { GrantArgs } from "../../channel/owner-calls.js"
import { UserError } from "../../config/user-error.js"

/** What an owner typed, as requests are held against it. @throws UserError that shows what is none */
export function conditionsOf(
  { counterparties, tags, host, action, dPrefix, maxContentBytes }: Omit<GrantArgs, "id" | "perms">,
  crypto: Pick<CryptoBackend, "isPubkey">,
): Conditions {
  return {
    ...(counterparties === undefined
      ? {}
      : { counterparties: distinct(counterparties.map((key) => pubkeyOf(key, crypto))) }),
    ...(tags === undefined ? {} : { tags }),
    ...(host === undefined ? {} : { host: hostOf(host) }),
    ...(action === undefined ? {} : { action: actionOf(action) }),
    ...(dPrefix === undefined ? {} : { dPrefix }),
    ...(maxContentBytes === undefined ? {} : { maxContentBytes }),
  }
}

function pubkeyOf(text: string, crypto: Pick<CryptoBackend, "isPubkey">): string {
  const typed = text.trim().toLowerCase()
  const pubkey = typed.startsWith("npub1") ? fromNpub(typed) : typed
  if (pubkey !== undefined && crypto.isPubkey(pubkey)) return pubkey
  throw new UserError("--with takes a public key, as npub or as 64 hex digits, and a single wrong letter spoils it")
}

function fromNpub(text: string): string | undefined {
  try {
    const { type, data } = decode(text)
    return type === "npub" ? data : undefined
  } catch {
    return undefined
  }
}

/** As logins are read: in lower case, without the root of the DNS, with the port where it is not the usual one. */
function hostOf(text: string): string {
  const typed = text.trim()
  const url = /^[^\s/?#@\\]+$/.test(typed) && URL.canParse(`https://${typed}`) ? new URL(`https://${typed}`) : undefined
  if (url !== undefined && url.host !== "") return url.host.replace(/\.(?=:|$)/, "")
  throw new UserError(`--host takes a host alone, such as api.example.com, not ${JSON.stringify(text.slice(0, 80))}`)
}

function actionOf(text: string): string {
  const action = text.trim().toLowerCase()
  if (/^[a-z][a-z_-]{0,31}$/.test(action)) return action
  throw new UserError(
    `--action takes a method or a verb, such as GET or upload, not ${JSON.stringify(text.slice(0, 40))}`,
  )
}

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)]
}
