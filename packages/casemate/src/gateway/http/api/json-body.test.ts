import { connect } from "node:net"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import {
  COOKIE,
  type ConsoleBench,
  openConsole,
  type Reply,
  type Sent,
  TOKEN,
} from "../../../../test/support/console-bench.js"
import { MAX_BODY_BYTES } from "./json-body.js"

let bench: ConsoleBench
beforeEach(async () => {
  bench = await openConsole({ bodyDeadlineMs: 200 })
})
afterEach(() => bench.close())

const path = "/api/v1/requests/8c1d/deny"
const args = { digest: "d".repeat(64), block: false }
const good = JSON.stringify(args)
const json = { "content-type": "application/json" }

function post(body: Sent["body"], headers: Sent["headers"] = json): Promise<Reply> {
  return bench.ask({ method: "POST", path, headers, ...(body === undefined ? {} : { body }) })
}

/** A sign-in whose inside is keyd's to judge. */
function signIn(response: string): Promise<Reply> {
  return bench.ask({ method: "POST", path: "/api/v1/session/passkey", headers: json, body: `{"response":${response}}` })
}

describe("a body", () => {
  it.each([
    "application/json",
    "application/json; charset=utf-8",
    'application/json;charset="UTF-8"',
    "Application/JSON",
  ])("is taken as %s", async (type) => {
    expect((await post(good, { "content-type": type })).status).toBe(200)
    expect(bench.calls).toMatchObject([{ call: "requests.deny", args: { id: "8c1d", ...args } }])
  })

  it.each([
    undefined,
    "",
    "text/plain",
    "text/plain; application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "text/json",
    "application/json5",
    "application/jsonp",
    "application/ld+json",
    "application/json, text/plain",
    "application/json; charset=utf-16",
    "application/json; charset=utf-8; x=y",
    "application/json;",
    "*/*",
  ])("is not taken as %s", async (type) => {
    const reply = await post(good, { "content-type": type })
    expect([reply.status, reply.code()]).toEqual([415, "unsupported_media_type"])
    expect(bench.calls).toEqual([])
  })

  it.each(["gzip", "br", "identity", ""])("is not taken packed (%s)", async (encoding) => {
    expect((await post(good, { ...json, "content-encoding": encoding })).status).toBe(415)
    expect(bench.calls).toEqual([])
  })

  it.each<[string, Sent["body"]]>([
    ["nothing", undefined],
    ["no JSON", "digest=1"],
    ["half of it", good.slice(0, -1)],
    ["two", `${good}${good}`],
    ["a BOM before it", `\ufeff${good}`],
    [
      "bytes that are no UTF-8",
      Buffer.concat([Buffer.from('{"digest":"'), Buffer.from([0xff, 0xc0]), Buffer.from('","block":false}')]),
    ],
    ["UTF-16", Buffer.from(good, "utf16le")],
    ["a list", `[${good}]`],
    ["a text", '"x"'],
    ["null", "null"],
    ["a number", "1"],
    ["too little", '{"digest":"x"}'],
    ["too much", JSON.stringify({ ...args, more: 1 })],
    ["another type", JSON.stringify({ ...args, block: "false" })],
    ["an id, which the path has", JSON.stringify({ ...args, id: "ffff" })],
    ["a proof of another kind", JSON.stringify({ ...args, proof: { kind: "none" } })],
    ["a proof with more in it", JSON.stringify({ ...args, proof: { kind: "passkey", response: {}, x: 1 } })],
    ["__proto__", '{"digest":"x","block":false,"__proto__":{"admin":true}}'],
    ["__proto__ inside", '{"digest":"x","block":false,"proof":{"kind":"passkey","response":{"a":[{"__proto__":{}}]}}}'],
    ["constructor", '{"digest":"x","block":false,"constructor":{"prototype":{"admin":true}}}'],
  ])("is refused when it has %s", async (_, body) => {
    const reply = await post(body)
    expect([reply.status, reply.code()]).toEqual([400, "bad_request"])
    expect(bench.calls).toEqual([])
    expect(({} as { admin?: boolean }).admin).toBeUndefined()
  })

  it("is refused with the name of the field, and nothing that was in it", async () => {
    const reply = await post(JSON.stringify({ digest: { "a secret": 1 }, block: false }))
    expect(reply.json()).toEqual({
      error: {
        code: "bad_request",
        message: '"digest" in the body is not what this call takes; /api/openapi.json says what it does',
      },
    })
    expect((await post(JSON.stringify({ ...args, "a secret": 1 }))).text).not.toContain("a secret")
  })

  it("may be nested as far as an authenticator's answer is, and not endlessly", async () => {
    const nested = (levels: number): string => `{"a":${"[".repeat(levels)}${"]".repeat(levels)}}`
    expect((await signIn(nested(20))).status).toBe(201)
    expect(bench.calls.length).toBe(1)
    for (const levels of [40, 5_000, 100_000]) {
      const reply = await signIn(nested(levels))
      expect([reply.status, reply.code()]).toEqual([400, "bad_request"])
    }
    expect(bench.calls.length).toBe(1)
  })

  it("is taken up to 256 KiB, and no byte more, whether or not its length is said before", async () => {
    const frame = '{"response":{"a":""}}'.length
    const fill = (bytes: number): string => `{"a":"${"x".repeat(bytes - frame)}"}`
    expect((await signIn(fill(MAX_BODY_BYTES))).status).toBe(201)
    const reply = await signIn(fill(MAX_BODY_BYTES + 1))
    expect([reply.status, reply.code()]).toEqual([413, "too_large"])

    const chunked = await bench.ask({
      method: "POST",
      path: "/api/v1/session/passkey",
      headers: { ...json, "content-length": undefined, "transfer-encoding": "chunked" },
      body: `{"response":${fill(MAX_BODY_BYTES + 1)}}`,
    })
    expect([chunked.status, chunked.code()]).toEqual([413, "too_large"])
    expect(bench.calls.length).toBe(1)
  })

  it("is not taken when it grows on its way to keyd, whose frames have an end", async () => {
    const numbers = `{"a":[${"1e20,".repeat(50_000)}1]}`
    expect(numbers.length).toBeLessThan(MAX_BODY_BYTES)
    expect((await signIn(numbers)).code()).toBe("too_large")
    expect(bench.calls).toEqual([])
  })

  it.each(["GET", "HEAD"])("has no place in a %s", async (method) => {
    const reply = await bench.ask({ method, path: "/api/v1/requests", headers: json, body: "{}" })
    expect(reply.status).toBe(400)
    expect(bench.calls).toEqual([])
  })

  it("of no bytes is none", async () => {
    expect(
      (await bench.ask({ method: "POST", path: "/api/v1/apps/0123/pause", headers: { "content-length": "0" } })).status,
    ).toBe(200)
    const headers = { "content-length": undefined, "transfer-encoding": "chunked", ...json }
    expect((await bench.ask({ method: "POST", path: "/api/v1/apps/0123/pause", headers })).status).toBe(200)
  })

  it("that does not come is not waited for", async () => {
    const head = [
      `POST ${path} HTTP/1.1`,
      `Host: localhost:${bench.port}`,
      `Origin: ${bench.origin}`,
      `Cookie: casemate-${bench.port}=${COOKIE}`,
      `X-Casemate-Session: ${TOKEN}`,
      "Content-Type: application/json",
      "Content-Length: 100",
      "Connection: close",
    ]
    const answer = await bench.raw(`${head.join("\r\n")}\r\n\r\n{"digest":`)
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
    expect(answer).toContain("took too long to arrive")
    expect(bench.calls).toEqual([])
  })
})

describe("many bodies at once", () => {
  const bytes = 60_000
  const long = `{"response":{"a":"${"x".repeat(bytes - '{"response":{"a":""}}'.length)}"}}`
  /** Sends the first so many bytes of a long body, and keeps the rest. */
  function begin(port: number): { readonly answer: Promise<string>; finish(): void } {
    const socket = connect(port, "127.0.0.1")
    const head = [
      "POST /api/v1/session/passkey HTTP/1.1",
      `Host: localhost:${port}`,
      `Origin: http://localhost:${port}`,
      "Content-Type: application/json",
      `Content-Length: ${bytes}`,
      "Connection: close",
    ]
    const parts = [long.slice(0, 58_000), long.slice(58_000)]
    socket.on("error", () => {})
    socket.write(`${head.join("\r\n")}\r\n\r\n${parts[0]}`)
    const answer = new Promise<string>((resolve) => {
      socket.once("data", (chunk: Buffer) => resolve(chunk.toString()))
    })
    return { answer, finish: () => socket.write(parts[1] as string) }
  }

  it("share what room there is, and leave short ones theirs", async () => {
    // Beyond what each may, three of them fit.
    const crowded = await openConsole({ bodyRoomBytes: 140_000 })
    try {
      const sent = Array.from({ length: 4 }, () => begin(crowded.port))
      const refused = await Promise.race(sent.map(async ({ answer }, n) => ({ n, answer: await answer })))
      expect(refused.answer).toMatch(/^HTTP\/1\.1 429 /)
      const others = sent.filter((_, n) => n !== refused.n)
      const post = (body: string) =>
        crowded.ask({ method: "POST", path: "/api/v1/session/passkey", headers: json, body })
      expect((await post('{"response":{}}')).status).toBe(201)
      for (const { finish } of others) finish()
      for (const { answer } of others) expect(await answer).toMatch(/^HTTP\/1\.1 201 /)
      expect((await post(long)).status).toBe(201)
    } finally {
      await crowded.close()
    }
  })
})

describe("a query", () => {
  it.each([
    ["", {}],
    ["?limit=1", { limit: 1 }],
    ["?limit=1000", { limit: 1_000 }],
    ["?limit=007", { limit: 7 }],
  ])("%s is taken", async (query, expected) => {
    expect((await bench.ask({ path: `/api/v1/requests${query}` })).status).toBe(200)
    expect(bench.calls).toMatchObject([{ args: expected }])
  })

  it.each([
    "?limit=0",
    "?limit=1001",
    "?limit=-1",
    "?limit=1.5",
    "?limit=1e2",
    "?limit=",
    "?limit",
    "?limit=x",
    "?limit=1&limit=2",
    "?other=1",
    "?constructor=1",
    `?limit=${"9".repeat(400)}`,
  ])("%s is refused", async (query) => {
    expect((await bench.ask({ path: `/api/v1/requests${query}` })).status).toBe(400)
    expect(bench.calls).toEqual([])
  })

  it("is no place for a body's args", async () => {
    const reply = await bench.ask({ method: "POST", path: `${path}?digest=${args.digest}&block=false` })
    expect([reply.status, bench.calls]).toEqual([400, []])
  })
})
