import { base32crockford } from "@scure/base"
import type { AccountPorts } from "./ports.js"

const CODES = 10
/** 16 characters. */
const CODE_BYTES = 10

/** New ones, to be shown once, and what the record keeps of them. */
export function newRecoveryCodes({ vault, crypto }: Pick<AccountPorts, "vault" | "crypto">): {
  codes: string[]
  hashes: string[]
} {
  const plain = Array.from({ length: CODES }, () => base32crockford.encode(crypto.randomBytes(CODE_BYTES)))
  return {
    codes: plain.map((code) => code.replace(/.{4}(?=.)/g, "$&-")),
    hashes: plain.map((code) => vault.ownerHash("recovery-code", code)),
  }
}

/**
 * The hash of what somebody typed, however they wrote it: this alphabet has no I, L and O, so that those are read as
 * 1 and 0. Undefined: it is no recovery code.
 */
export function recoveryCodeHash(typed: string, { vault }: Pick<AccountPorts, "vault">): string | undefined {
  const code = typed
    .toUpperCase()
    .replace(/[\s\p{Pd}]/gu, "")
    .replaceAll("O", "0")
    .replace(/[IL]/g, "1")
  return /^[0-9A-HJKMNP-TV-Z]{16}$/.test(code) ? vault.ownerHash("recovery-code", code) : undefined
}
