/** A mistake of the person at the keyboard: shown as one sentence, exit code 1, no stack. */
export class UserError extends Error {
  override readonly name = "UserError"
}
