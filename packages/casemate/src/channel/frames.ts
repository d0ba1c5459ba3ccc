import type { Socket } from "node:net"

/** One message: JSON on one line. JSON.stringify never emits a raw line feed, so the line is the frame. */
const MAX_FRAME_BYTES = 1_048_576
/** keyd's own messages may list every connection: 64 MiB are some 100,000 of them. */
export const KEYD_FRAME_BYTES = 67_108_864

export interface FrameHandlers {
  /** A parsed frame; its shape is for the receiver to check. */
  readonly onMessage: (message: unknown) => void
  /** Called once, however the socket ended. */
  readonly onClose: (reason: string) => void
  /** A longer frame ends the connection; 1 MiB unless told. */
  readonly maxFrameBytes?: number
}

export interface FramedSocket {
  /** Queues a message; false when the socket is gone and nothing was queued. */
  send(message: object): boolean
  /** Ends after what was queued has left. */
  end(): void
  destroy(): void
}

/**
 * Frames over a unix socket. A peer that sends an oversize line or no JSON is cut off: on a pipe between
 * two halves of one program that is a fault, not an input to tolerate.
 */
export function frame(socket: Socket, handlers: FrameHandlers): FramedSocket {
  const { onMessage, onClose, maxFrameBytes = MAX_FRAME_BYTES } = handlers
  let pending: Buffer[] = []
  let pendingBytes = 0
  let outgoing = ""
  let reason = "the other side closed the connection"

  const fail = (why: string): void => {
    reason = why
    socket.destroy()
  }
  const deliver = (line: string): void => {
    if (line === "") return
    let message: unknown
    try {
      message = JSON.parse(line)
    } catch {
      fail("a frame was not JSON")
      return
    }
    onMessage(message)
  }

  socket.on("data", (chunk: Buffer) => {
    let from = 0
    for (let at = chunk.indexOf(0x0a); at !== -1 && !socket.destroyed; at = chunk.indexOf(0x0a, from)) {
      pending.push(chunk.subarray(from, at))
      const line = pending.length === 1 ? (pending[0] as Buffer) : Buffer.concat(pending)
      pending = []
      pendingBytes = 0
      from = at + 1
      deliver(line.toString("utf8"))
    }
    if (from < chunk.length) {
      pending.push(chunk.subarray(from))
      pendingBytes += chunk.length - from
      if (pendingBytes > maxFrameBytes) fail(`a frame was longer than ${maxFrameBytes} bytes`)
    }
  })
  socket.on("error", (error) => {
    reason = error.message
  })
  socket.on("close", () => onClose(reason))

  const flush = (): void => {
    if (outgoing === "" || socket.destroyed || socket.writableEnded) return
    socket.write(outgoing)
    outgoing = ""
  }

  return {
    send(message) {
      if (socket.destroyed || socket.writableEnded) return false
      // What one turn says leaves together: a write is a system call, and costs more than the message it carries.
      if (outgoing === "") setImmediate(flush)
      outgoing += `${JSON.stringify(message)}\n`
      return true
    },
    end() {
      flush()
      socket.end()
    },
    destroy() {
      flush()
      socket.destroy()
    },
  }
}
