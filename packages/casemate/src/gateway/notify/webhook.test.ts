import { once } from "node:events"
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http"
import type { AddressInfo } from "node:net"
import { pino } from "pino"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import type { Notice } from "../../channel/gateway-channel.js"
import { Webhook, type WebhookOptions } from "./webhook.js"

interface Received {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** What it answers to each request in turn; the last one for all that follow. `hang`: nothing. */
type Answer =
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string }
  | "hang"
  | "cut"

let server: Server
let port: number
let received: Received[]
let answers: Answer[]
let logged: string
const webhooks: Webhook[] = []

const log = pino(
  { base: null },
  {
    write(line: string) {
      logged += line
    },
  },
)

beforeEach(async () => {
  received = []
  answers = [{ status: 200 }]
  logged = ""
  server = createServer((req, res) => void receive(req, res))
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  port = (server.address() as AddressInfo).port
})
afterEach(async () => {
  for (const webhook of webhooks.splice(0)) webhook.close()
  server.closeAllConnections()
  server.close()
  await once(server, "close")
})

async function receive(req: IncomingMessage, res: ServerResponse): Promise<void> {
  let body = ""
  for await (const chunk of req) body += String(chunk)
  received.push({ method: req.method, url: req.url, headers: req.headers, body })
  const answer = answers.length > 1 ? answers.shift() : answers[0]
  if (answer === "cut") req.socket.destroy()
  else if (answer !== "hang" && answer !== undefined) res.writeHead(answer.status, answer.headers).end(answer.body)
}

function open(options: Partial<WebhookOptions> = {}): Webhook {
  const webhook = new Webhook({ url: `http://127.0.0.1:${port}/topic?auth=hush`, log, pauses: [5, 5, 5], ...options })
  webhooks.push(webhook)
  return webhook
}

function notice(fields: Partial<Notice> = {}): Notice {
  const headers = {
    "content-type": "application/json",
    "webhook-id": "msg_1",
    "webhook-timestamp": String(Math.floor(Date.now() / 1000)),
    "webhook-signature": "v1,c2lnbmVk",
  }
  return { headers, body: '{"type":"request.waiting"}', ...fields }
}

describe("a notice", () => {
  it("is posted as keyd made it, to the very URL", async () => {
    const sent = notice()
    expect(await open().post(sent)).toBeUndefined()
    expect(received).toMatchObject([
      { method: "POST", url: "/topic?auth=hush", headers: sent.headers, body: sent.body },
    ])
    expect(logged).toBe("")
  })

  it("goes with the name and password that the URL has", async () => {
    await open({ url: `http://ann:p%40ss@127.0.0.1:${port}/` }).post(notice())
    expect(received[0]?.headers.authorization).toBe(`Basic ${Buffer.from("ann:p@ss").toString("base64")}`)
  })

  it.each([
    ["a server that is overloaded", { status: 503 }],
    ["a limit that passes", { status: 429 }],
    ["a connection that breaks", "cut"],
  ] as [string, Answer][])("is tried again after %s, the same to the letter", async (_name, answer) => {
    answers = [answer, answer, { status: 204 }]
    const sent = notice()
    expect(await open().post(sent)).toBeUndefined()
    expect(received.map(({ headers, body }) => [headers["webhook-id"], headers["webhook-signature"], body])).toEqual(
      Array.from({ length: 3 }, () => ["msg_1", "v1,c2lnbmVk", sent.body]),
    )
  })

  it("is given up after four tries, and the log says so without the URL", async () => {
    answers = [{ status: 500, body: "hush: no" }]
    expect(await open().post(notice())).toBe(`127.0.0.1:${port} did not take it: it answered 500`)
    expect(received).toHaveLength(4)
    expect(JSON.parse(logged)).toMatchObject({ host: `127.0.0.1:${port}`, reason: "it answered 500", tries: 4 })
    expect(logged).not.toMatch(/hush|topic/)
  })

  it.each([400, 401, 403, 404, 410])(
    "is given up at once after a %d: asking again would change nothing",
    async (status) => {
      answers = [{ status }]
      expect(await open().post(notice())).toContain(`it answered ${status}`)
      expect(received).toHaveLength(1)
    },
  )

  it.each([301, 302, 307, 308])("does not follow a %d", async (status) => {
    answers = [{ status, headers: { location: `http://127.0.0.1:${port}/elsewhere` } }]
    expect(await open().post(notice())).toContain(`it answered ${status}`)
    expect(received.map(({ url }) => url)).toEqual(["/topic?auth=hush"])
  })

  it("waits for no answer for long", async () => {
    answers = ["hang", { status: 200 }]
    expect(await open({ patience: 50 }).post(notice())).toBeUndefined()
    expect(received).toHaveLength(2)
    answers = ["hang"]
    expect(await open({ patience: 50 }).post(notice({ isTest: true }))).toContain("it did not answer in time")
  })

  it("is not hindered by an answer without end", async () => {
    server.removeAllListeners("request")
    server.on("request", (_req, res) => {
      res.writeHead(200)
      const more = (): void => {
        while (res.write("x".repeat(65_536)));
      }
      res.on("drain", more)
      more()
    })
    expect(await open().post(notice())).toBeUndefined()
  })

  it("is tried once when somebody waits for it", async () => {
    answers = [{ status: 500 }, { status: 200 }]
    expect(await open().post(notice({ isTest: true }))).toContain("it answered 500")
    expect(received).toHaveLength(1)
  })

  it("is not sent with a timestamp that nobody takes any more", async () => {
    const sent = notice()
    const later = Date.now() + 241_000
    expect(await open({ now: () => later }).post(sent)).toContain("too old by now")
    expect(received).toEqual([])
    let now = Date.now()
    answers = [{ status: 500 }]
    const clock = (): number => {
      now += 100_000
      return now
    }
    expect(await open({ now: clock }).post(notice())).toContain("too old by now")
    expect(received).toHaveLength(2)
  })

  it("names a code where nobody listens", async () => {
    server.closeAllConnections()
    server.close()
    await once(server, "close")
    expect(await open().post(notice({ isTest: true }))).toBe(`127.0.0.1:${port} did not take it: ECONNREFUSED`)
    expect(logged).not.toMatch(/hush|topic/)
    server.listen(0, "127.0.0.1")
    await once(server, "listening")
  })

  it("ends with the bunker, whether it is under way or waits for its next try", async () => {
    answers = ["hang"]
    const webhook = open()
    const hanging = webhook.post(notice())
    while (received.length === 0) await new Promise((resolve) => setImmediate(resolve))
    webhook.close()
    expect(await hanging).toContain("the bunker was stopped")
    answers = [{ status: 500 }]
    const pausing = open({ pauses: [3_600_000] })
    const paused = pausing.post(notice())
    while (received.length === 1) await new Promise((resolve) => setImmediate(resolve))
    pausing.close()
    expect(await paused).toContain("did not take it")
    expect(received).toHaveLength(2)
  })
})
