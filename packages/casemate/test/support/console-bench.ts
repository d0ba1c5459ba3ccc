import { once } from "node:events"
import { type IncomingHttpHeaders, request } from "node:http"
import { connect } from "node:net"
import type { WebCall, WebCalls, WebRequest, WebResponse } from "../../src/channel/web-calls.js"
import { createLogger } from "../../src/config/log.js"
import { createConsole } from "../../src/gateway/http/console.js"
import type { Pages } from "../../src/gateway/http/pages.js"
import { serveHttp } from "../../src/gateway/http/server.js"
import { sitesOf } from "../../src/gateway/http/sites.js"
import { WEB_RESULTS } from "./web-results.js"

export interface Sent {
  readonly method?: string
  readonly path?: string
  /** `Host` is ours unless it is named; undefined leaves a header out, a list sends it more than once. */
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>
  /** As it is; an object as JSON, with its content-type. */
  readonly body?: string | Buffer | object
}

export interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** Of a JSON body. */
  json(): Readonly<Record<string, unknown>>
  /** Of an error. */
  code(): string
}

export interface ConsoleBench {
  readonly port: number
  /** Of the page that a browser on this machine has. */
  readonly origin: string
  /** What reached keyd. */
  readonly calls: WebRequest[]
  /** What the gateway logged. */
  logged(): string
  /** From here on; by default each call gets its example. */
  answerWith(answer: (request: WebRequest) => WebResponse | Promise<WebResponse>): void
  send(sent: Sent): Promise<Reply>
  /** As a page of ours, signed in. */
  ask(sent: Sent): Promise<Reply>
  /** Bytes on a socket, until the server hangs up. */
  raw(text: string): Promise<string>
  close(): Promise<void>
}

export interface ConsoleBenchOptions {
  readonly publicUrl?: string
  readonly pages?: Pages | undefined
  readonly bodyDeadlineMs?: number
  readonly bodyRoomBytes?: number
  readonly now?: () => number
}

export const COOKIE = "c".repeat(43)
export const TOKEN = "t".repeat(43)

/** The pages and the API on a real server, with a keyd that says what it is told to. */
export async function openConsole(options: ConsoleBenchOptions = {}): Promise<ConsoleBench> {
  const { publicUrl, pages, ...limits } = options
  const calls: WebRequest[] = []
  const lines: string[] = []
  let answer = (web: WebRequest): WebResponse | Promise<WebResponse> => ({ ok: true, result: WEB_RESULTS[web.call] })
  let show: ReturnType<typeof createConsole> | undefined
  const server = await serveHttp(
    { host: "localhost", port: 0 },
    { request: (req, res) => show?.(req, res) ?? false, upgrade: () => false },
  )
  const port = Number(new URL(server.url).port)
  const origin = `http://localhost:${port}`
  show = createConsole({
    sites: sitesOf(server.url, { publicUrl }),
    pages,
    call: async (web) => {
      calls.push(web)
      return answer(web)
    },
    log: createLogger("test", "trace", { write: (line) => void lines.push(line) }),
    ...limits,
  })

  function send({ method = "GET", path = "/", headers = {}, body }: Sent): Promise<Reply> {
    const isJson = typeof body === "object" && !Buffer.isBuffer(body)
    const bytes = body === undefined ? undefined : isJson ? JSON.stringify(body) : body
    const all = { host: `localhost:${port}`, ...(isJson ? { "content-type": "application/json" } : {}), ...headers }
    return new Promise((resolve, reject) => {
      const req = request({ host: "127.0.0.1", port, method, path, setHost: false, agent: false }, (res) => {
        let text = ""
        res.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk
        })
        res.on("end", () => {
          const json = (): Record<string, unknown> => JSON.parse(text) as Record<string, unknown>
          const code = (): string => (json()["error"] as { code: string }).code
          resolve({ status: res.statusCode ?? 0, headers: res.headers, text, json, code })
        })
      })
      for (const [name, value] of Object.entries(all)) if (value !== undefined) req.setHeader(name, value)
      if (bytes !== undefined && !("content-length" in all)) req.setHeader("content-length", Buffer.byteLength(bytes))
      req.on("error", reject).end(bytes)
    })
  }

  return {
    port,
    origin,
    calls,
    logged: () => lines.join(""),
    answerWith: (next) => {
      answer = next
    },
    send,
    ask: ({ headers = {}, ...sent }) =>
      send({
        ...sent,
        headers: { origin, cookie: `casemate-${port}=${COOKIE}`, "x-casemate-session": TOKEN, ...headers },
      }),
    async raw(text) {
      const socket = connect(port, "127.0.0.1")
      let received = ""
      socket.setEncoding("utf8").on("data", (chunk: string) => {
        received += chunk
      })
      socket.on("error", () => {})
      socket.write(text)
      await once(socket, "close")
      return received
    },
    close: () => server.close(),
  }
}

/** Args of each call, as a page of ours sends them. */
export const WEB_ARGS: { readonly [C in WebCall]: WebCalls[C]["args"] } = {
  "session.show": {},
  "session.passkeyOptions": {},
  "session.passkey": { response: { id: "AQID", type: "public-key" } },
  "session.password": { name: "ann", password: "correct horse", code: "123456" },
  "session.recover": { name: "ann", code: "abcd-efgh" },
  "session.end": {},
  "sessions.endOthers": {},
  "invitation.show": { secret: "s".repeat(22) },
  "invitation.passkeyOptions": { secret: "s".repeat(22), name: "ann" },
  "invitation.passkey": { secret: "s".repeat(22), name: "ann", response: { id: "AQID" } },
  "invitation.totp": { secret: "s".repeat(22), name: "ann" },
  "invitation.password": { secret: "s".repeat(22), name: "ann", password: "correct horse", code: "123456" },
  "owner.show": {},
  "owner.passkeyOptions": {},
  "owner.addPasskey": { response: { id: "AQID" }, label: "phone" },
  "owner.removePasskey": { id: "AQID_-" },
  "owner.totp": {},
  "owner.setPassword": { password: "correct horse", code: "123456" },
  "owner.recoveryCodes": {},
  "proof.options": { call: "requests.approve", args: { id: "8c1d", digest: "d".repeat(64), extent: "once" } },
  status: {},
  "keys.list": {},
  "apps.list": {},
  "apps.show": { id: "0123" },
  "apps.revoke": { id: "0123" },
  "apps.grant": { id: "0123", perms: "sign_event:1", rate: { uses: 20, seconds: 3_600 }, tags: [["t", "nostr"]] },
  "apps.ungrant": { id: "0123", what: "sign_event:1" },
  "apps.presets": {},
  "apps.preset": { id: "0123", preset: "social" },
  "apps.extend": { id: "0123", expiresAt: null },
  "apps.pause": { id: "0123" },
  "apps.resume": { id: "0123" },
  "apps.style": { id: "0123", style: "hold" },
  "requests.list": { limit: 50 },
  "requests.show": { id: "8c1d" },
  "requests.approve": { id: "8c1d", digest: "d".repeat(64), extent: { seconds: 3_600 } },
  "requests.deny": { id: "8c1d", digest: "d".repeat(64), block: false },
}
