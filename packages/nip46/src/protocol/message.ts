import { objectOf, parseJson } from "./json.js"
import { MAX_JSON_DEPTH, MAX_MESSAGE_CHARS, MAX_PARAMS, MAX_REQUEST_ID_CHARS } from "./limits.js"

/** Echoed in the type in which it came: some clients send numbers. */
export type RequestId = string | number

/** NIP-46 §Request Events, after the tolerance rules: every param is a string. */
export interface Request {
  readonly id: RequestId
  readonly method: string
  readonly params: readonly string[]
}

export type ParsedRequest =
  | { readonly kind: "request"; readonly request: Request }
  /** It has an id, so it can be told what is wrong. */
  | { readonly kind: "refused"; readonly id: RequestId; readonly reason: string }
  /** Nothing that could be answered. */
  | { readonly kind: "garbage"; readonly reason: string }

/**
 * Reads a decrypted request. Total: whatever the bytes, it returns one of three outcomes.
 * Tolerates numeric and empty ids, missing params, and params that are objects (kept as their JSON), numbers,
 * booleans or null (kept as text, null as "").
 *
 * @example
 * parseRequest('{"id":"1","method":"ping"}')
 * // { kind: "request", request: { id: "1", method: "ping", params: [] } }
 */
export function parseRequest(plaintext: string): ParsedRequest {
  const message = parseObject(plaintext)
  if (message === undefined) return { kind: "garbage", reason: "not a JSON object within the limits" }
  const id = field(message, "id")
  if (!isRequestId(id)) return { kind: "garbage", reason: "no usable request id" }
  const method = field(message, "method")
  if (typeof method !== "string" || method === "" || method.length > 64) {
    return { kind: "refused", id, reason: "the request names no method" }
  }
  const params = field(message, "params") ?? []
  if (!Array.isArray(params) || params.length > MAX_PARAMS) {
    return { kind: "refused", id, reason: `params must be an array of at most ${MAX_PARAMS} strings` }
  }
  return { kind: "request", request: { id, method, params: params.map(paramText) } }
}

/** The plaintext of a request. */
export function encodeRequest({ id, method, params }: Request): string {
  return JSON.stringify({ id, method, params })
}

/** Success: a string result and no error (NIP-46 §Response Events). */
export function encodeResult(id: RequestId, result: string): string {
  return JSON.stringify({ id, result })
}

/** Failure, in the one form that every client in use reads: `result: "error"` beside `error`. */
export function encodeError(id: RequestId, error: string): string {
  return JSON.stringify({ id, result: "error", error })
}

/** Sends the client to a page; the answer comes by the same id (NIP-46 §Auth Challenges). */
export function encodeAuthUrl(id: RequestId, url: string): string {
  return JSON.stringify({ id, result: "auth_url", error: url })
}

/** JSON of an object within the caps, else undefined. Depth is counted before parsing. */
export function parseObject(text: string): Record<string, unknown> | undefined {
  if (text.length > MAX_MESSAGE_CHARS || !isShallow(text)) return undefined
  return objectOf(parseJson(text))
}

/** Own properties only: a `__proto__` in the message is data like any other. */
export function field(object: Record<string, unknown>, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined
}

function isRequestId(value: unknown): value is RequestId {
  if (typeof value === "string") return value.length <= MAX_REQUEST_ID_CHARS
  return typeof value === "number" && Number.isFinite(value)
}

function paramText(value: unknown): string {
  if (typeof value === "string") return value
  if (value === null || value === undefined) return ""
  return JSON.stringify(value)
}

/** Brackets are counted outside strings, so that a text about brackets is not a bomb. */
function isShallow(text: string): boolean {
  let depth = 0
  let inString = false
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (inString) {
      if (c === 0x5c) i++
      else if (c === 0x22) inString = false
    } else if (c === 0x22) inString = true
    else if (c === 0x7b || c === 0x5b) {
      if (++depth > MAX_JSON_DEPTH) return false
    } else if (c === 0x7d || c === 0x5d) depth--
  }
  return true
}
