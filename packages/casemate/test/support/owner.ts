import { createConnection } from "node:net"
import { join } from "node:path"
import type { OwnerCall, OwnerCalls, OwnerResponse } from "../../src/channel/owner-calls.js"
import type { Folders } from "./bunker.js"

/** keyd said no. */
export class Refused extends Error {}

/** One owner's call, over the socket as the CLI makes it, without the price of a process. */
export async function callOwner<C extends OwnerCall>(
  folders: Folders,
  call: C,
  args: OwnerCalls[C]["args"],
): Promise<OwnerCalls[C]["result"]> {
  const socket = createConnection(join(folders.data, "keyd.sock"))
  try {
    const response = await new Promise<OwnerResponse>((resolve, reject) => {
      socket.once("error", reject)
      socket.once("close", () => reject(new Error("keyd went away")))
      let text = ""
      socket.on("data", (chunk: Buffer) => {
        text += chunk.toString()
        if (text.endsWith("\n")) resolve(JSON.parse(text) as OwnerResponse)
      })
      socket.write(`${JSON.stringify({ id: 1, call, args })}\n`)
    })
    if (!response.ok) throw new Refused(response.message)
    return response.result as OwnerCalls[C]["result"]
  } finally {
    socket.destroy()
  }
}

/** The same until keyd answers: for calls that may be made twice. */
export async function insistOwner<C extends OwnerCall>(
  folders: Folders,
  call: C,
  args: OwnerCalls[C]["args"],
  deadlineMs = 45_000,
): Promise<OwnerCalls[C]["result"]> {
  const end = Date.now() + deadlineMs
  for (;;) {
    try {
      return await callOwner(folders, call, args)
    } catch (error) {
      if (Date.now() > end) throw error
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
  }
}
