import type { WebErrorCode } from "../../../channel/web-calls.js"

/** What the API answers instead of a result: keyd's errors, and those of the gateway itself. */
export const ERROR_STATUS = {
  bad_request: 400,
  not_signed_in: 401,
  wrong_credential: 401,
  proof_needed: 403,
  /** Another page's request, or one to another host. */
  forbidden: 403,
  unknown_call: 404,
  not_found: 404,
  method_not_allowed: 405,
  refused: 409,
  too_large: 413,
  unsupported_media_type: 415,
  too_many: 429,
  failed: 503,
} as const satisfies Record<WebErrorCode, number> & Record<string, number>

export type ApiErrorCode = keyof typeof ERROR_STATUS

/** Its message goes to whoever asked: a sentence, and nothing of the request in it. */
export class ApiError extends Error {
  override readonly name = "ApiError"
  readonly code: ApiErrorCode
  readonly headers: Readonly<Record<string, string>>

  constructor(code: ApiErrorCode, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message)
    this.code = code
    this.headers = headers
  }
}

/** keyd and the gateway are of one version, but a code of another must not become a success. */
export function statusOf(code: string): (typeof ERROR_STATUS)[ApiErrorCode] {
  return Object.hasOwn(ERROR_STATUS, code) ? ERROR_STATUS[code as ApiErrorCode] : ERROR_STATUS.failed
}
