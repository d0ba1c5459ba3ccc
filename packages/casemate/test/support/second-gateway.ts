import { createConnection } from "node:net"
import { join } from "node:path"
import { frame } from "../../src/channel/frames.js"
import type { KeydMessage } from "../../src/channel/gateway-channel.js"
import { GATEWAY_SOCKET } from "../../src/channel/sockets.js"
import type { WebRequest, WebResponse } from "../../src/channel/web-calls.js"
import type { Authenticator } from "./authenticator.js"
import type { Folders } from "./bunker.js"

export interface SecondGateway {
  call(request: WebRequest): Promise<WebResponse>
  close(): void
}

/** Somebody inside the gateway: speaks to keyd beside the bunker's own gateway, and never says hello. */
export function openSecondGateway(folders: Folders): SecondGateway {
  const waiting = new Map<number, (response: WebResponse) => void>()
  let last = 0
  const framed = frame(createConnection(join(folders.data, GATEWAY_SOCKET)), {
    onMessage(message) {
      const reply = message as KeydMessage
      if (reply.t !== "reply") return
      waiting.get(reply.n)?.(reply.response)
      waiting.delete(reply.n)
    },
    onClose: () => undefined,
  })
  return {
    call: (request) =>
      new Promise((resolve) => {
        last += 1
        waiting.set(last, resolve)
        framed.send({ t: "call", n: last, request })
      }),
    close: () => framed.destroy(),
  }
}

/** Has somebody join by an invitation with a passkey, as their browser would. */
export async function joinWith(
  url: string,
  name: string,
  passkey: Authenticator,
  gateway: SecondGateway,
): Promise<WebResponse> {
  const { origin, hash } = new URL(url)
  const joining = { secret: hash.slice(1), name }
  const options = await gateway.call({ call: "invitation.passkeyOptions", args: joining, origin })
  const response = passkey.create((options as { result?: unknown }).result, { origin })
  return gateway.call({ call: "invitation.passkey", args: { ...joining, response }, origin })
}
