import { Nip46Error } from "@casemate/nip46/protocol"

/** A mistake of the person at the keyboard: shown as one sentence, exit code 1, no stack. */
export class UserError extends Error {
  override readonly name = "UserError"
}

/** Whether an error's sentence is for the person at the keyboard. */
export function isMistake(error: unknown): error is Error {
  return error instanceof UserError || (error instanceof Nip46Error && error.code === "BACKEND_UNAVAILABLE")
}
