import { safe } from "../../channel/visible-text.js"
import { UserError } from "../../config/user-error.js"

const MAX_NAME = 40
const MAX_LABEL = 60

/** An owner's name as it is kept. @throws UserError that does not repeat it */
export function checkName(typed: string): string {
  const name = typed.normalize("NFKC")
  // An id is looked up as a name is.
  if (isShown(name, MAX_NAME) && !/^[0-9a-f]{32}$/i.test(name)) return name
  throw new UserError(`a name has 1 to ${MAX_NAME} visible characters, and no space at its ends`)
}

/** The name that somebody means who signs in, whatever it stands between. */
export function typedName(typed: string): string {
  return typed.normalize("NFKC").trim()
}

/** What an owner calls a passkey. @throws UserError */
export function checkLabel(typed: string): string {
  const label = typed.normalize("NFC").trim()
  if (isShown(label, MAX_LABEL)) return label
  throw new UserError(`a passkey's label has 1 to ${MAX_LABEL} visible characters`)
}

function isShown(text: string, max: number): boolean {
  return text.trim() === text && text !== "" && Array.from(text).length <= max && safe(text) === text
}
