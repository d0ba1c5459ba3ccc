import type { WebErrorCode } from "../../channel/web-calls.js"

/** What a browser is told: a code for its page, a sentence for the person before it. Nothing that they typed. */
export class WebRefusal extends Error {
  override readonly name = "WebRefusal"
  readonly code: WebErrorCode

  constructor(code: WebErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

/** One for everything that may be wrong with it: which part was is nobody's to learn. */
export function wrongPasskey(): WebRefusal {
  return new WebRefusal("wrong_credential", "this passkey was not accepted; try again, or use another way to sign in")
}

export function wrongPassword(): WebRefusal {
  return new WebRefusal("wrong_credential", "the name, the password or the code is wrong, or the code was used already")
}

export function wrongRecoveryCode(): WebRefusal {
  return new WebRefusal("wrong_credential", "the name or the recovery code is wrong, or the code was used already")
}

export function wrongInvitation(): WebRefusal {
  return new WebRefusal(
    "wrong_credential",
    "this invitation was used, or it is over; `casemate owner invite` makes another",
  )
}
