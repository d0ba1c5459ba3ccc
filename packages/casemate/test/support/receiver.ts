import { createHmac, timingSafeEqual } from "node:crypto"
import { once } from "node:events"
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"

export interface ReceivedNotice {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

export interface Receiver {
  readonly url: string
  readonly notices: readonly ReceivedNotice[]
  /** What it answers from now on. */
  status: number
  close(): Promise<void>
}

/** A service to which webhooks are posted. */
export async function startReceiver(path = "/topic"): Promise<Receiver> {
  const notices: ReceivedNotice[] = []
  const receive = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = []
    for await (const chunk of req) chunks.push(chunk as Buffer)
    notices.push({ path: req.url ?? "", headers: req.headers, text: Buffer.concat(chunks).toString() })
    res.writeHead(receiver.status).end("some answer")
  }
  const server = createServer((req, res) => void receive(req, res))
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`,
    notices,
    status: 200,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, "close")
    },
  }
  return receiver
}

/** As Standard Webhooks says that a receiver does it. @param secret `whsec_…` */
export function isGenuine({ headers, text }: ReceivedNotice, secret: string): boolean {
  const id = String(headers["webhook-id"])
  const timestamp = String(headers["webhook-timestamp"])
  if (!secret.startsWith("whsec_") || Math.abs(Date.now() / 1000 - Number(timestamp)) > 300) return false
  const key = Buffer.from(secret.slice("whsec_".length), "base64")
  const expected = createHmac("sha256", key).update(`${id}.${timestamp}.${text}`).digest()
  return String(headers["webhook-signature"])
    .split(" ")
    .some((entry) => {
      const [version, signature = ""] = entry.split(",")
      const given = Buffer.from(signature, "base64")
      return version === "v1" && given.length === expected.length && timingSafeEqual(given, expected)
    })
}
