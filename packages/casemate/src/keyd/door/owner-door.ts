import type { Socket } from "node:net"
import { Nip46Error } from "@casemate/nip46/protocol"
import { frame } from "../../channel/frames.js"
import type { OwnerRequest, OwnerResponse } from "../../channel/owner-calls.js"
import { type Logger, reasonOf } from "../../config/log.js"
import { UserError } from "../../config/user-error.js"

/**
 * Door 3, owner's calls over the unix socket: whoever can open a socket of mode 0600 in the data folder is
 * the owner of the machine's account.
 */
export function acceptOwner(
  socket: Socket,
  { call, log }: { call: (call: string, args: unknown) => Promise<unknown>; log: Logger },
): void {
  const framed = frame(socket, {
    onMessage: (message) => void answer(message),
    onClose: () => undefined,
  })

  async function answer(message: unknown): Promise<void> {
    const { id, call: name, args } = (message ?? {}) as Partial<OwnerRequest>
    if (typeof id !== "number" || typeof name !== "string") {
      framed.destroy()
      return
    }
    framed.send(await respond(id, name, args))
  }

  async function respond(id: number, name: string, args: unknown): Promise<OwnerResponse> {
    try {
      return { id, ok: true, result: await call(name, args) }
    } catch (error) {
      if (error instanceof UserError || error instanceof Nip46Error) return { id, ok: false, message: error.message }
      log.error({ call: name, reason: reasonOf(error) }, "an owner's call failed")
      return { id, ok: false, message: "the bunker could not do that; its log says why" }
    }
  }
}
