import type { IncomingMessage } from "node:http"
import { ApiError } from "./api-error.js"

export const MAX_BODY_BYTES = 262_144
const MAX_DEPTH = 32
const CONTENT_TYPE = /^application\/json(?:[ \t]*;[ \t]*charset=(?:utf-8|"utf-8"))?$/i

/** As much of a body as of the headers before it: what an owner sends is hardly ever longer. */
const FREE_BYTES = 16_384

export interface BodyOptions {
  readonly deadlineMs: number
  readonly room: BodyRoom
}

/**
 * What all bodies that are on their way may take together, beyond what each may: anybody can send many, slowly. Where
 * strangers fill it, a short body finds its way all the same.
 */
export class BodyRoom {
  #left: number

  constructor(bytes: number) {
    this.#left = bytes
  }

  take(bytes: number): boolean {
    if (bytes > this.#left) return false
    this.#left -= bytes
    return true
  }

  giveBack(bytes: number): void {
    this.#left += bytes
  }
}

/**
 * The JSON body of a request; undefined when it has none.
 *
 * @throws ApiError
 */
export async function readJson(incoming: IncomingMessage, options: BodyOptions): Promise<unknown> {
  if (!hasBody(incoming)) return undefined
  const { "content-type": type, "content-encoding": encoding } = incoming.headers
  if (type === undefined || !CONTENT_TYPE.test(type) || encoding !== undefined) {
    throw new ApiError("unsupported_media_type", "a body is JSON, and says so: content-type: application/json")
  }
  const bytes = await readBytes(incoming, options)
  // A body of no bytes came in chunks.
  return bytes.length === 0 ? undefined : parse(bytes)
}

export function hasBody({ headers }: IncomingMessage): boolean {
  const length = headers["content-length"]
  return headers["transfer-encoding"] !== undefined || (length !== undefined && length !== "0")
}

export function tooLarge(): ApiError {
  return new ApiError("too_large", `that is too much at once; a body has at most ${MAX_BODY_BYTES / 1_024} KiB`)
}

function tooCrowded(): ApiError {
  return new ApiError("too_many", "too much is sent here at once; try again in a moment")
}

async function readBytes(incoming: IncomingMessage, { deadlineMs, room }: BodyOptions): Promise<Buffer> {
  if (Number(incoming.headers["content-length"] ?? 0) > MAX_BODY_BYTES) throw tooLarge()
  const chunks: Buffer[] = []
  let length = 0
  let taken = 0
  let release = (): void => {}
  try {
    await new Promise<void>((resolve, reject) => {
      const onData = (chunk: Buffer): void => {
        length += chunk.length
        const more = Math.max(0, length - FREE_BYTES) - taken
        if (length > MAX_BODY_BYTES) reject(tooLarge())
        else if (!room.take(more)) reject(tooCrowded())
        else {
          taken += more
          chunks.push(chunk)
        }
      }
      const onGone = (): void => reject(new ApiError("bad_request", "the body broke off"))
      const deadline = setTimeout(
        () => reject(new ApiError("bad_request", "the body took too long to arrive; send it again")),
        deadlineMs,
      )
      release = () => {
        clearTimeout(deadline)
        incoming.off("data", onData).off("end", resolve).off("close", onGone)
      }
      // A caller who hangs up is heard of by "close"; without a listener an error would end the process.
      incoming.on("error", () => {})
      incoming.on("data", onData).on("end", resolve).on("close", onGone)
      if (incoming.destroyed) onGone()
    })
  } finally {
    release()
    room.giveBack(taken)
  }
  return Buffer.concat(chunks)
}

function parse(bytes: Buffer): unknown {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes))
  } catch {
    throw new ApiError("bad_request", "the body is not JSON in UTF-8")
  }
  if (!isHarmless(value)) {
    throw new ApiError("bad_request", `the body is nested deeper than ${MAX_DEPTH} levels, or names __proto__`)
  }
  return value
}

/** Whoever writes or copies it further on may do so by recursion and by assignment. */
function isHarmless(root: unknown): boolean {
  let level: unknown[] = [root]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) return false
    const next: unknown[] = []
    for (const value of level) {
      if (typeof value !== "object" || value === null) continue
      if (Object.hasOwn(value, "__proto__")) return false
      // Not spread: a list may hold more than a call takes arguments.
      for (const inner of Object.values(value)) next.push(inner)
    }
    level = next
  }
  return true
}
