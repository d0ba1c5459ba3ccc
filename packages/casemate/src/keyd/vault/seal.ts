import { hkdfSync } from "node:crypto"
import { Nip46Error } from "@casemate/nip46/protocol"
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js"
import { Secret } from "./secret.js"

/** Sealed bytes: version (1), nonce (24), ciphertext, tag (16). */
const VERSION = 1
const NONCE_BYTES = 24
const TAG_BYTES = 16
const HEADER_BYTES = 1 + NONCE_BYTES

/** What sealed bytes are for. They open as nothing else. */
export interface SealContext {
  readonly purpose: "user-key" | "transport-key" | "audit-head" | "owner-totp" | "last-signed"
  /** Of the audit's writer for a head, of the vault for all else. */
  readonly id: string
  /** Whose or what it is: a pubkey for keys, an owner's id, a slot; empty for a head. */
  readonly of: string
}

/** The keys that the root key stands for. One leaking through a flaw of its use tells nothing of the others. */
export interface Subkeys {
  readonly seal: Secret
  readonly auditMac: Secret
  readonly auditHead: Secret
  /** Seals the secrets of authenticator apps. */
  readonly totp: Secret
  /** Seals what was signed last. */
  readonly signed: Secret
  readonly signedSlot: Secret
  readonly ownerHash: Secret
  readonly pepper: Secret
  readonly webhook: Secret
}

export function deriveSubkeys(rootKey: Secret): Subkeys {
  const derive = (label: string): Secret =>
    new Secret(rootKey.use((key) => new Uint8Array(hkdfSync("sha256", key, "", `casemate/v1/${label}`, 32))))
  return {
    seal: derive("seal"),
    auditMac: derive("audit-mac"),
    auditHead: derive("audit-head"),
    totp: derive("owner-totp"),
    signed: derive("last-signed"),
    signedSlot: derive("signed-slot"),
    ownerHash: derive("owner-hash"),
    pepper: derive("password-pepper"),
    webhook: derive("webhook"),
  }
}

/** XChaCha20-Poly1305 under a fresh random nonce, bound to its context. */
export function seal(
  key: Secret,
  context: SealContext,
  plaintext: Uint8Array,
  randomBytes: (length: number) => Uint8Array,
): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES)
  const body = key.use((bytes) => xchacha20poly1305(bytes, nonce, associatedData(context)).encrypt(plaintext))
  const sealed = new Uint8Array(HEADER_BYTES + body.length)
  sealed[0] = VERSION
  sealed.set(nonce, 1)
  sealed.set(body, HEADER_BYTES)
  return sealed
}

/** @throws `INVALID_KEY` when the bytes were not sealed by this key for this context; the caller wipes the result. */
export function unseal(key: Secret, context: SealContext, sealed: Uint8Array): Uint8Array {
  if (sealed.length < HEADER_BYTES + TAG_BYTES) throw unopened(context, "is cut short")
  if (sealed[0] !== VERSION) throw unopened(context, "has a format that this version of casemate does not know")
  const nonce = sealed.subarray(1, HEADER_BYTES)
  try {
    return key.use((bytes) =>
      xchacha20poly1305(bytes, nonce, associatedData(context)).decrypt(sealed.subarray(HEADER_BYTES)),
    )
  } catch (error) {
    if (error instanceof Nip46Error) throw error
    throw unopened(context, "does not open: it was sealed by another root key or in another place, or it was altered")
  }
}

function associatedData({ purpose, id, of }: SealContext): Uint8Array {
  return joined("casemate", String(VERSION), purpose, id, of)
}

/** Each part carries its length, so that no two lists of parts share their bytes. */
export function joined(...parts: readonly string[]): Uint8Array {
  return new TextEncoder().encode(parts.map((part) => `${part.length}:${part}`).join(""))
}

function unopened({ purpose, of }: SealContext, why: string): Nip46Error {
  return new Nip46Error("INVALID_KEY", `the sealed ${purpose.replace("-", " ")}${of && ` of ${of}`} ${why}`)
}
