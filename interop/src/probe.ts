import { once } from "node:events"
import { type Event, finalizeEvent, generateSecretKey, getPublicKey } from "nostr-tools/pure"
import { WebSocket } from "ws"

/**
 * Whether a relay sends live events to a subscription that asked for other tags. Two events are published, one
 * for somebody else and then one that was asked for: when the second has come, the first had its chance.
 */
export async function sendsWhatNobodyAskedFor(url: string): Promise<boolean> {
  const socket = new WebSocket(url, { perMessageDeflate: false, handshakeTimeout: 5_000 })
  try {
    await once(socket, "open")
    const wanted = getPublicKey(generateSecretKey())
    const forOthers = eventFor(getPublicKey(generateSecretKey()))
    const asked = eventFor(wanted)
    const delivered = new Set<string>()
    await new Promise<void>((resolve, reject) => {
      const deadline = setTimeout(() => reject(new Error(`${url} did not deliver what was asked for`)), 5_000)
      socket.on("message", (data: Buffer) => {
        const message = JSON.parse(data.toString("utf8")) as [string, string, unknown]
        if (message[0] === "EOSE") socket.send(JSON.stringify(["EVENT", forOthers]))
        if (message[0] === "OK" && message[1] === forOthers.id) socket.send(JSON.stringify(["EVENT", asked]))
        if (message[0] === "EVENT") delivered.add((message[2] as Event).id)
        if (!delivered.has(asked.id)) return
        clearTimeout(deadline)
        resolve()
      })
      socket.send(JSON.stringify(["REQ", "probe", { kinds: [24133], "#p": [wanted] }]))
    })
    return delivered.has(forOthers.id)
  } finally {
    socket.terminate()
  }
}

function eventFor(pubkey: string): Event {
  const template = { kind: 24133, content: "probe", tags: [["p", pubkey]], created_at: Math.floor(Date.now() / 1000) }
  return finalizeEvent(template, generateSecretKey())
}
