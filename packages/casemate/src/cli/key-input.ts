import { UserError } from "../config/user-error.js"
import { ask, askHidden, readPiped } from "./prompt.js"

/** A secret key as a person has it, with its passphrase when it is under one. */
export interface SecretKeyInput {
  readonly secretKey: string
  readonly passphrase?: string
}

/**
 * Asks for a secret key, and for its passphrase when it has one; shows neither.
 *
 * @throws UserError when the person leaves, the terminal goes away or the signal fires
 */
export async function askSecretKey(question: string, options: { signal?: AbortSignal } = {}): Promise<SecretKeyInput> {
  const secretKey = await askHidden(question, options)
  if (!isEncrypted(secretKey)) return { secretKey }
  return { secretKey, passphrase: await askHidden("Its passphrase (not shown): ", options) }
}

/** The same from standard input: the key on the first line, its passphrase on the second. @throws UserError when there is none */
export async function readSecretKey(): Promise<SecretKeyInput> {
  const [first = "", passphrase] = await readPiped((lines) => lines.length === (isEncrypted(lines[0] ?? "") ? 2 : 1))
  const secretKey = first.trim()
  if (secretKey === "")
    throw new UserError("no key came in: pipe it in, such as with < nsec.txt, or run this on a terminal")
  return passphrase === undefined ? { secretKey } : { secretKey, passphrase }
}

/** A passphrase for an export: typed twice and not shown, or the first line of standard input. @throws UserError */
export async function newPassphrase(): Promise<string> {
  if (!process.stdin.isTTY) {
    const [line = ""] = await readPiped()
    if (line === "") throw new UserError("no passphrase came in: pipe it in, or run this on a terminal")
    return line
  }
  const passphrase = await askHidden("A new passphrase for the exported key (not shown): ")
  if (passphrase === "") throw new UserError("a key is not exported without a passphrase")
  if ((await askHidden("The same once more: ")) === passphrase) return passphrase
  throw new UserError("the two passphrases are not the same, so nothing was exported")
}

/** Typed to confirm what cannot be undone. @throws UserError when it is another, or the person leaves */
export async function confirmName(question: string, name: string): Promise<void> {
  if ((await ask(question)) !== name) throw new UserError("that is not the name of the key, so nothing was changed")
}

function isEncrypted(text: string): boolean {
  return /^\s*ncryptsec1/i.test(text)
}
