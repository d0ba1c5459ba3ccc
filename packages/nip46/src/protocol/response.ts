import { field, parseObject } from "./message.js"

/** NIP-46 §Response Events, after the tolerance rules. `id` is text whatever its type was, and "" where there is none. */
export type Response =
  /** Any JSON value: some signers answer with arrays, objects or null where the NIP has strings. */
  | { readonly kind: "result"; readonly id: string; readonly result: unknown }
  | { readonly kind: "error"; readonly id: string; readonly error: string }
  /** §Auth Challenges: another response with the same id follows. The URL is as it came, unchecked. */
  | { readonly kind: "auth_url"; readonly id: string; readonly url: string }

/** An error is shown to people; nobody reads more. */
const MAX_ERROR_CHARS = 1_024

/**
 * Reads a decrypted response. Total: anything that is no response is undefined. An `error` that says something
 * makes it an error, whatever `result` holds; `null` and `""` say nothing.
 *
 * @example
 * parseResponse('{"id":"1","result":"error","error":"denied"}') // { kind: "error", id: "1", error: "denied" }
 * parseResponse('{"id":7,"result":"","error":null}') // { kind: "result", id: "7", result: "" }
 */
export function parseResponse(plaintext: string): Response | undefined {
  const message = parseObject(plaintext)
  if (message === undefined) return undefined
  const given = field(message, "id") ?? ""
  if (typeof given !== "string" && typeof given !== "number") return undefined
  const id = String(given)
  const result = field(message, "result") ?? null
  const error = field(message, "error") ?? ""
  if (result === "auth_url" && typeof error === "string" && error !== "") return { kind: "auth_url", id, url: error }
  if (error !== "") return { kind: "error", id, error: errorText(error) }
  // A request that came back to its sender has neither.
  if (field(message, "method") !== undefined && result === null) return undefined
  return { kind: "result", id, result }
}

function errorText(error: unknown): string {
  const text = typeof error === "string" ? error : JSON.stringify(error)
  return text.slice(0, MAX_ERROR_CHARS)
}
