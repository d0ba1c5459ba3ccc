import { UserError } from "../config/user-error.js"
import { type FramedSocket, frame, KEYD_FRAME_BYTES } from "./frames.js"
import type { OwnerCall, OwnerCalls, OwnerResponse } from "./owner-calls.js"
import { connectTo, OWNER_SOCKET } from "./sockets.js"

/** keyd went away before it had answered. It may come back: its daemon starts it again. */
export class BunkerGoneError extends UserError {}

/** keyd said no: its sentence is for the person who asked. */
export class OwnerCallError extends Error {
  override readonly name = "OwnerCallError"
}

export interface OwnerClient {
  /** @throws OwnerCallError when keyd refuses; BunkerGoneError when it goes away before it has answered */
  call<C extends OwnerCall>(call: C, args: OwnerCalls[C]["args"]): Promise<OwnerCalls[C]["result"]>
  close(): void
}

/**
 * Opens keyd's owner door in the working directory.
 *
 * @throws the socket's own error (`ENOENT`, `ECONNREFUSED`) when no bunker is running there
 */
export async function openOwnerClient(): Promise<OwnerClient> {
  const waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>()
  let lastId = 0
  const framed: FramedSocket = frame(await connectTo(OWNER_SOCKET), {
    onMessage(message) {
      if (!isResponse(message)) return framed.destroy()
      const response = message
      const entry = waiting.get(response.id)
      if (entry === undefined) return
      waiting.delete(response.id)
      if (response.ok) entry.resolve(response.result)
      else entry.reject(new OwnerCallError(response.message))
    },
    onClose() {
      const error = new BunkerGoneError("the bunker stopped before it answered; start it again with `casemate start`")
      for (const entry of waiting.values()) entry.reject(error)
      waiting.clear()
    },
    maxFrameBytes: KEYD_FRAME_BYTES,
  })
  return {
    call<C extends OwnerCall>(call: C, args: OwnerCalls[C]["args"]): Promise<OwnerCalls[C]["result"]> {
      const id = ++lastId
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve: resolve as (result: unknown) => void, reject })
        if (!framed.send({ id, call, args })) {
          waiting.delete(id)
          reject(new BunkerGoneError("the bunker stopped; start it again with `casemate start`"))
        }
      })
    },
    close: () => framed.destroy(),
  }
}

function isResponse(value: unknown): value is OwnerResponse {
  if (typeof value !== "object" || value === null) return false
  const { id, ok, message } = value as Record<string, unknown>
  return typeof id === "number" && (ok === true || (ok === false && typeof message === "string"))
}
